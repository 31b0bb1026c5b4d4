"""Splunk's webhook alert action into alerts: a saved search found something.

Splunk says so each time it runs the search and finds it, and never that it is over.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.contract import Alert, RawRequest
from bot.contract.source import Loose, Text, alert, credential, known, moment, parsed, require
from bot.errors import BadInput

SOURCE = "splunk"
# scheduler__OWNER__APP__NAME_at_SECONDS_NUMBER; NAME is RMD5 and a hash where it is no plain word.
_SID = re.compile(
    r"(?P<search>(?P<realtime>rt_)?.*)_at_(?P<at>[0-9]{1,10})(?:_[0-9.]+)?", re.DOTALL
)
# What Splunk adds to each event for itself.
_NOISE = {"linecount", "punct", "timestartpos", "timeendpos", "splunk_server", "eventtype"}


class SplunkSource:
    """The alert action ``webhook`` of Splunk Enterprise and Splunk Cloud."""

    def check(self, settings: Mapping[str, str]) -> None:
        """``by`` names fields."""
        if "by" in settings and not _fields(settings):
            raise BadInput("It names no field of the result.", field="by")

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """``token`` in the URL, or a bearer token or basic from an app that can send a header."""
        in_url = known(request.query.get("token", ""), secrets)
        in_header = known(credential(request), secrets)
        hint = "Append ?token=SECRET to the webhook's URL, or send Authorization: Bearer SECRET."
        require(in_url or in_header, "Splunk", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """One alert, always firing; `BadInput` where nothing says which search it was."""
        found = parsed(_Found, request.body)
        result = found.result if isinstance(found.result, dict) else {}
        sid = _SID.fullmatch(found.sid) if isinstance(found.sid, str) else None
        search = found.search_name or (sid["search"] if sid else "")
        if not search:
            raise BadInput("Field search_name: it is missing.", field="search_name")
        chosen = [result.get(name) for name in _fields(request.settings)]
        identity = [found.owner, found.app, search, *chosen]
        said = result.get("description") or result.get("_raw")
        return [
            alert(
                SOURCE,
                fingerprint=json.dumps(identity, separators=(",", ":")),
                firing=True,
                name=search,
                labels=_labels(found, result, search),
                annotations={"summary": result.get("summary") or search, "description": said},
                starts_at=_began(sid, result, request.received_at),
                link=found.results_link if isinstance(found.results_link, str) else "",
            )
        ]


# ── the payload, as Splunk documents it ──────────────────────────────────────────────────────


class _Found(Loose):
    search_name: Text | None = None
    owner: Text | None = None
    app: Text | None = None
    sid: Any = None
    results_link: Any = None
    result: Any = None


def _fields(settings: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in settings.get("by", "").split(",") if name.strip()]


def _began(sid: re.Match[str] | None, result: dict[str, Any], received_at: datetime) -> datetime:
    """When the search ran. A real-time search began long ago: there the event says when.

    A search may write ``_time`` as it likes: what is no time to us is no reason to lose the alert,
    which then begins with its arrival.
    """
    if sid and not sid["realtime"]:
        return moment(sid["at"], "sid")
    try:
        return moment(str(result.get("_time")), "result._time")
    except BadInput:
        return received_at


def _labels(found: _Found, result: dict[str, Any], search: str) -> dict[str, Any]:
    own = {
        "search_name": search,
        "app": found.app,
        "owner": found.owner,
        "severity": _severity(result),
        "origin": result.get("source"),
    }
    said = {key: value for key, value in own.items() if value}
    return said | {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in result.items()
        if not name.startswith(("_", "date_")) and name not in {*_NOISE, *said, "source"}
    }


def _severity(result: dict[str, Any]) -> str:
    """The search's own word: the webhook does not carry the severity that the alert is set to."""
    word = str(result.get("severity") or result.get("urgency") or "").strip().lower()
    return {"informational": "info", "warn": "warning", "fatal": "critical"}.get(word, word)
