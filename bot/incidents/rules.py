"""What an incident may become. Pure."""

import re
import unicodedata

from bot.errors import BadInput, Conflict

SEVERITIES = ("sev1", "sev2", "sev3", "sev4")
STATUSES = (
    "declared", "investigating", "mitigating", "monitoring", "resolved", "closed", "cancelled",
    "merged",
)  # fmt: skip
ACTIVE = ("declared", "investigating", "mitigating", "monitoring")
_NEXT: dict[str, tuple[str, ...]] = {
    "declared": ("investigating", "mitigating", "monitoring", "resolved", "cancelled"),
    "investigating": ("mitigating", "monitoring", "resolved", "cancelled"),
    "mitigating": ("investigating", "monitoring", "resolved", "cancelled"),
    "monitoring": ("investigating", "mitigating", "resolved", "cancelled"),
    "resolved": ("investigating", "closed"),
    "closed": (),
    "cancelled": (),
    "merged": (),  # it comes and goes with `bot.incidents.merging` alone
}
ENDED = ("resolved", "closed", "cancelled")
AGAIN = "investigating"  # what an ended incident is when it is opened again
TITLE_LIMIT = 200
_CHANNEL_LIMIT = 80
# SEV1, sev-1, sev 1, P1, [P1], and what people put between it and the title
_IN_FRONT = re.compile(
    r"\s*[\[(]?(sev[-_. ]?[1-4]|p-?[1-4])[\])]?:?(?:\s+[-\u2013\u2014|:])?(?:\s+|$)", re.IGNORECASE
)


def check_transition(current: str, wanted: str) -> None:
    """Raises `BadInput` for a word that is no status, `Conflict` for a step that is not allowed."""
    if wanted not in STATUSES:
        raise BadInput(
            f"There is no status {wanted!r}.", hint=f"Use one of: {', '.join(STATUSES)}."
        )
    if wanted == current:
        raise Conflict(f"The incident is already {current}.")
    if wanted not in _NEXT[current]:
        over = (
            "nothing: /incident unmerge takes it back"
            if current == "merged"
            else "nothing: it has ended; /incident reopen opens it again"
        )
        allowed = ", ".join(_NEXT[current]) or over
        raise Conflict(
            f"An incident that is {current} cannot become {wanted}.",
            hint=f"It can become {allowed}.",
        )


def check_reopen(current: str) -> None:
    """Raises `Conflict`. Any end can be taken back by a person, also one that is final otherwise."""
    if current == "merged":
        check_transition(current, AGAIN)
    if current not in ENDED:
        raise Conflict(f"The incident is open: {current}.")


def following(status: str) -> tuple[str, ...]:
    """What an incident of this status can become by hand."""
    return _NEXT[status]


def check_severity(severity: str) -> str:
    """The severity as we write it; accepts ``1``, ``SEV1``, ``sev-1``, ``P1``. Raises `BadInput`."""
    found = re.fullmatch(r"(?:sev|p)?([1-4])", re.sub(r"[^a-z0-9]", "", severity.lower()))
    if found is None:
        raise BadInput(f"There is no severity {severity!r}.", hint="Use sev1, sev2, sev3 or sev4.")
    return f"sev{found[1]}"


def severity_first(text: str) -> tuple[str, str]:
    """The severity in front of a title, or nothing, and the rest: ``P1: Search is slow``.

    A bare number is none: *2 of 3 nodes are down*.
    """
    found = _IN_FRONT.match(text)
    return (check_severity(found[1]), text[found.end() :]) if found else ("", text)


def check_title(title: str) -> str:
    """One trimmed line. Raises `BadInput` if nothing is left or it is too long."""
    clean = " ".join("".join(c for c in title if c.isprintable() or c.isspace()).split())
    if not clean:
        raise BadInput(
            "An incident needs a title.", hint="For example: /incident declare Checkout is down"
        )
    if len(clean) > TITLE_LIMIT:
        raise BadInput(f"The title has {len(clean)} characters; {TITLE_LIMIT} is the limit.")
    return clean


def channel_name(incident_id: int, title: str, *, drill: bool = False) -> str:
    """``inc-12-checkout-is-down``: what Slack accepts (a to z, 0 to 9, - and _, 80 characters)."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    prefix = f"{'drill' if drill else 'inc'}-{incident_id}"
    return f"{prefix}-{slug}"[:_CHANNEL_LIMIT].rstrip("-")


def topic(severity: str, status: str, title: str, *, drill: bool = False) -> str:
    """The channel's topic: what a person sees without scrolling."""
    return f"{'DRILL | ' if drill else ''}{severity.upper()} | {status} | {title}"[:250]


def worst(severities: list[str]) -> str:
    """The gravest of some severities."""
    return min(severities, key=SEVERITIES.index)
