"""What a person's roles let them do with a run. Pure."""

from bot.catalog import Person
from bot.errors import NotAllowed


def whom(who: str) -> str:
    """A role or a group, in words."""
    return f"somebody of {who}" if who.startswith("@") else f"the role {who!r}"


def has_role(person: Person) -> bool:
    """Whether the person may do more than look on."""
    return bool({"responder", "commander", "approver", "admin"} & set(person.roles))


def must_respond(person: Person) -> None:
    """Everyone of the catalog is a responder unless it says otherwise."""
    if not has_role(person):
        raise NotAllowed("You have no role in the catalog, so you can only look on.")
