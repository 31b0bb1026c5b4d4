"""The roles of an incident, and who may give them. Pure."""

from bot.catalog import Person
from bot.errors import BadInput, NotAllowed
from bot.located import near

COMMANDER = "commander"
ROLES = {
    COMMANDER: "incident commander", "operations": "operations lead",
    "communications": "communications lead", "scribe": "scribe",
}  # fmt: skip
_SHORT = {"ic": COMMANDER, "lead": COMMANDER, "ops": "operations", "comms": "communications"}
_WORDS = {
    **{title: role for role, title in ROLES.items()}, **{role: role for role in ROLES}, **_SHORT,
    **{f"{short} lead": role for short, role in _SHORT.items() if short not in ("ic", "lead")},
}  # fmt: skip


def split_role(words: list[str]) -> tuple[str, list[str]]:
    """``ops lead @ben`` → the role and the words that are left. Raises `BadInput`."""
    for length in (2, 1):
        word = " ".join(words[:length]).lower().replace("-", " ")
        if len(words) >= length and (role := _WORDS.get(word)):
            return role, words[length:]
    said = words[0].lower()
    raise BadInput(
        f"There is no role {said[:40]!r}{near(said, _WORDS) or '.'}",
        hint=f"Roles: {', '.join(ROLES)}.",
    )


def require_responder(person: Person, doing: str) -> None:
    """Raises `NotAllowed`. ``doing``: ``giving roles``."""
    if not (person.has("responder") or person.has("commander")):
        raise NotAllowed(f"{doing[0].upper()}{doing[1:]} needs the role 'responder'.")
