"""What is told outside Slack, and in which words. Pure."""

from bot.catalog import Notifier
from bot.contract import Notice
from bot.incidents import Incident
from bot.incidents.due_tables import Update
from bot.timeline import Entry

ESSENTIAL = (
    "incident_declared", "severity_changed", "status_changed", "glass_broken", "run_succeeded",
    "run_failed", "run_refused", "run_aborted", "run_unknown", "run_undone", "incident_merged",
    "incident_unmerged", "page_unanswered",
)  # fmt: skip
_LINES = 20
_SUBJECT = 200
_LINE = 300
_DIGITS = 3  # of a phone number that the record shows


def notice(incident: Incident, rows: list[Entry], delivery: int, public_url: str) -> Notice:
    """The notice that tells these timeline rows; the subject is the incident as it is now.

    Of a private one the medium learns what kind of thing happened, and none of its words.
    """
    drill = "[drill] " if incident.drill else ""
    head = f"{drill}#{incident.number} {incident.severity.upper()} {incident.standing}"
    told = [row.kind.replace("_", " ") if incident.private else row.text for row in rows]
    lines = [
        _cut(f"{row.at:%H:%M} UTC {' '.join(said.split())}", _LINE)
        for row, said in zip(rows, told, strict=True)
    ]
    if len(lines) > _LINES:
        left = len(lines) - _LINES
        lines = [f"… {left} earlier", *lines[left:]]
    if public_url:
        lines.append(f"{public_url}/incidents/{incident.number}")
    at = rows[-1].at if rows else incident.declared_at
    return Notice(
        id=f"jackline-{delivery}-{int(at.timestamp())}",
        thread=f"jackline-{incident.number}-{int(incident.declared_at.timestamp())}",
        subject=_cut(f"{head}: {'private' if incident.private else incident.title}", _SUBJECT),
        text="\n".join(lines),
        at=at,
    )


def update_notice(incident: Incident, update: Update, delivery: int, public_url: str) -> Notice:
    """An update in its author's words; customers read nothing of ours besides them."""
    at = update.sent_at or update.written_at
    what = "Correction" if update.corrects else "Update"
    subject = f"{what} of {at:%H:%M} UTC"
    lines = [update.text]
    if update.next_at:
        lines.append(f"Next update by {update.next_at:%H:%M} UTC.")
    if update.audience != "customers":
        title = "private" if incident.private else incident.title
        drill = "[drill] " if incident.drill else ""
        subject = f"{drill}#{incident.number} {incident.severity.upper()} {what.lower()}: {title}"
        if public_url:
            lines.append(f"{public_url}/incidents/{incident.number}")
    return Notice(
        id=f"jackline-{delivery}-{int(at.timestamp())}",
        thread=f"jackline-{incident.number}-{update.audience}-{int(incident.declared_at.timestamp())}",
        subject=_cut(subject, _SUBJECT),
        text="\n".join(lines),
        at=at,
    )


def addressee(to: str) -> str:
    """An address as the record shows it: people's numbers and mailboxes are not for everybody."""
    name, at, domain = to.partition("@")
    if at and name:
        return f"{name[0]}…@{domain}"
    kind, colon, number = to.rpartition(":")
    if number.startswith("+"):
        return f"{kind}{colon}…{number[-_DIGITS:]}"
    return to


def concerns(notifier: Notifier, incident: Incident) -> bool:
    """Whether the notifier is for incidents of that severity."""
    return incident.severity in notifier.severity


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
