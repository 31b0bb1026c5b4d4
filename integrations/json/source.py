"""Any JSON body into alerts, by the JMESPath expressions of the sender's entry in the catalog.

Only the expressions say what the body means: nothing is guessed from its field names.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.contract import Alert, RawRequest
from bot.contract.source import alert, credential, known, moment, parsed_json, require, signed
from bot.errors import BadInput

from .expressions import Search, compiled

SOURCE = "json"
MAX_RESULTS = 1_000
NEEDED = ("fingerprint", "firing", "name")
EXPRESSIONS = (
    "alerts", *NEEDED, "starts_at", "ends_at", "severity", "service", "summary", "description",
    "link", "labels",
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class JsonSource:
    """A sender whose requests the catalog explains."""

    def check(self, settings: Mapping[str, str]) -> None:
        """Every expression compiles, and ``auth`` is one that there is."""
        _auth(settings)
        for name in EXPRESSIONS:
            if name in settings:
                compiled(name, settings[name])

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """As the setting ``auth`` says; a bearer token where it says nothing."""
        kind, name = _auth(request.settings)
        hint = f"The catalog wants {kind} {name}".rstrip() + " with one of the live secrets."
        require(_proven(kind, name, request, secrets), "JSON", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """What the expression ``alerts`` finds, or the body; none where ``firing`` is null."""
        for name in NEEDED:
            if name not in request.settings:
                text = f"The catalog's entry for this sender has no setting {name!r}."
                raise BadInput(text, field=f"settings.{name}")
        search = Search(request.settings)
        found = parsed_json(request.body)
        if "alerts" in request.settings:
            found = search("alerts", found, "alerts")
        items = [] if found is None else found if isinstance(found, list) else [found]
        if len(items) > MAX_RESULTS:
            text = f"Field alerts: {len(items)} alerts, and {MAX_RESULTS} are taken at once."
            raise BadInput(text, field="alerts")
        read = [_Reader(search, item, f"alerts[{n}]") for n, item in enumerate(items)]
        return [each.alert(request.received_at) for each in read if each.says_something()]


# ── who sends ────────────────────────────────────────────────────────────────────────────────


def _auth(settings: Mapping[str, str]) -> tuple[str, str]:
    """``header:X-Token`` → its kind and the name. Raises `BadInput`."""
    text = settings.get("auth", "bearer")
    kind, _, name = text.partition(":")
    if text == "bearer" or (kind in {"header", "hmac_sha256", "query"} and _NAME.fullmatch(name)):
        return kind, name
    ways = "bearer, header:NAME, hmac_sha256:HEADER or query:NAME"
    raise BadInput(f"{text[:100]!r} is not one of {ways}", field="auth")


def _proven(kind: str, name: str, request: RawRequest, secrets: Sequence[str]) -> bool:
    if kind == "bearer":
        return known(credential(request), secrets)
    if kind == "query":
        return known(request.query.get(name, ""), secrets)
    value = request.headers.get(name.lower(), "")
    if kind == "header":
        return known(value, secrets)
    return signed(request.body, value.strip().removeprefix("sha256="), secrets)


# ── what was sent ────────────────────────────────────────────────────────────────────────────


class _Reader:
    """One of the alerts; ``at`` is its place, for messages."""

    def __init__(self, search: Search, item: Any, at: str) -> None:  # noqa: ANN401 - any JSON
        if not isinstance(item, dict):
            raise BadInput(f"Field {at}: not an object.", field=at)
        self._search, self._item, self._at = search, item, at
        self._firing = self._find("firing")

    def says_something(self) -> bool:
        """Whether it fires or resolves at all."""
        if self._firing is not None and not isinstance(self._firing, bool):
            raise self._wrong("firing", "neither true nor false")
        return self._firing is not None

    def alert(self, received_at: datetime) -> Alert:
        """Everything else of it."""
        starts_at = self._time("starts_at") or received_at
        ends_at = None if self._firing else self._time("ends_at")
        labels = self._find("labels")
        labels = labels if isinstance(labels, dict) else {}
        severity = _text(self._find("severity")).lower()
        return alert(
            SOURCE,
            fingerprint=self._needed("fingerprint"),
            firing=bool(self._firing),
            name=self._needed("name"),
            starts_at=starts_at,
            ends_at=ends_at if ends_at and ends_at >= starts_at else None,
            labels={k: _text(v) for k, v in labels.items()}
            | _given(severity=severity, service=_text(self._find("service"))),
            annotations={n: _text(self._find(n)) for n in ("summary", "description")},
            link=_text(self._find("link")),
        )

    def _find(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        return self._search(name, self._item, f"{self._at}.{name}")

    def _needed(self, name: str) -> str:
        value = self._find(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
            raise self._wrong(name, "neither a text nor a number")
        return str(value)

    def _time(self, name: str) -> datetime | None:
        value = self._find(name)
        if value in (None, ""):
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._wrong(name, "no time")
        return moment(value, f"{self._at}.{name}")

    def _wrong(self, name: str, what: str) -> BadInput:
        field = f"{self._at}.{name}"
        return BadInput(f"Field {field}: what the expression found is {what}.", field=field)


def _given(**values: str) -> dict[str, str]:
    """Those that say something, so that they do not hide what the labels say."""
    return {name: value for name, value in values.items() if value}


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)
