"""A mail into one alert: by the expressions of the sender's entry, or by what its subject says.

It never gives none: a mail that no expression fits is told as it is.
"""

import re
from collections.abc import Mapping, Sequence

from bot.contract import Alert, RawRequest
from bot.contract.source import alert, credential, known, require, shortened
from bot.errors import BadInput

from .expressions import compiled, fits, groups
from .mail import Mail, read
from .words import is_over, severity, told, without_state

SOURCE = "email"
_OWN = ("name", "fingerprint", "state", "summary", "link")  # groups that are no labels
_LINK = re.compile(r"https?://[^\s<>\"']{1,2000}")
_LINE = 200  # characters of a text that has no subject


class EmailSource:
    """The mail itself is the body; the secret of its address is the bearer token."""

    def check(self, settings: Mapping[str, str]) -> None:
        """Every expression is one, and those that are to find something have named groups."""
        for name in ("subject", "body", "resolved"):
            if name in settings:
                expression = compiled(name, settings[name])
                if name != "resolved" and not expression.groupindex:
                    raise BadInput("it has no named group, such as (?P<name>…)", field=name)

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """What stands behind the plus in the address that the mail went to."""
        hint = "Write to NAME+SECRET@… with one of the live secrets."
        require(known(credential(request), secrets), "mail", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """One alert. Raises `BadInput` where there is neither a subject nor a text."""
        mail = read(request.body)
        subject = told(mail.subject) or shortened(next(iter(mail.text.splitlines()), ""), _LINE)
        if not subject:
            raise BadInput("Field Subject: it is missing, and so is a text.", field="Subject")
        settings = request.settings
        found = groups("body", settings, mail.text) | groups("subject", settings, subject)
        at = mail.at or request.received_at
        what = found.get("name") or without_state(subject)
        return [
            alert(
                SOURCE,
                fingerprint=found.get("fingerprint") or what.casefold(),
                firing=not _resolved(found.get("state") or subject, settings),
                name=what,
                starts_at=at,
                ends_at=at,
                labels=_labels(found, mail, subject),
                annotations={"summary": found.get("summary") or subject, "description": mail.text},
                link=found.get("link") or _link(mail.text),
            )
        ]


def _resolved(state: str, settings: Mapping[str, str]) -> bool:
    return fits("resolved", settings, state) if "resolved" in settings else is_over(state)


def _labels(found: Mapping[str, str], mail: Mail, subject: str) -> dict[str, str]:
    named = {name: value for name, value in found.items() if name not in _OWN}
    grave = found.get("severity", "").lower() or severity(found.get("state") or subject)
    return {**named, "severity": grave, "from": mail.sender}


def _link(text: str) -> str:
    """The first address in it."""
    first = _LINK.search(text)
    return first[0].rstrip(".,;:!?)]}") if first else ""
