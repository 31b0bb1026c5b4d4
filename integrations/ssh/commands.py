"""The allow-list: what may be run, with which arguments, and what repeating it means."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from bot.contract import Frozen
from bot.errors import Rejected

_PLACE = re.compile(r"^\{([a-z][a-z0-9_]*)\}$")
_INSIDE = re.compile(r"\{[a-z][a-z0-9_]*\}")
_NAME = r"^[a-z0-9][a-z0-9_.-]{0,62}$"

Word = Annotated[str, Field(max_length=500)]


class Command(Frozen):
    """One command. A placeholder such as ``{service}`` is a whole word of ``argv``."""

    argv: list[Word] = Field(min_length=1)
    args: dict[str, str] = Field(default={}, description="argument → the pattern it must match")
    effect: Literal["read", "idempotent", "once"] = "once"
    verify: list[Word] = Field(default=[], description="exits 0 if the command took effect")
    undo: str = Field(default="", description="the command that takes it back, same arguments")
    timeout: float = Field(default=30.0, gt=0, le=3600)

    @model_validator(mode="after")
    def _known_places(self) -> "Command":
        for word in (*self.argv, *self.verify):
            place = _PLACE.match(word)
            if place and place[1] not in self.args:
                raise ValueError(f"{word} has no pattern in args")
            if not place and _INSIDE.search(word):
                raise ValueError(f"{word!r}: a placeholder must be a whole word")
        return self

    def words(self, given: Mapping[str, str], argv: list[str]) -> list[str]:
        """The command line's words, with each placeholder replaced by its checked value."""
        places = [_PLACE.match(word) for word in argv]
        return [
            given[place[1]] if place else word for word, place in zip(argv, places, strict=True)
        ]


_LIST = TypeAdapter(dict[Annotated[str, Field(pattern=_NAME)], Command])


def allowed(settings: Mapping[str, str], name: str, given: Mapping[str, str]) -> Command:
    """The command of that name, its arguments checked. Raises `Rejected` in words."""
    try:
        commands = _LIST.validate_json(settings.get("commands", "{}"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Rejected(
            f"The host's list of commands is wrong at {where}: {first['msg']}."
        ) from None
    if name not in commands:
        known = ", ".join(sorted(commands)) or "none"
        raise Rejected(f"The host allows no command {name!r}.", hint=f"It allows {known}.")
    command = commands[name]
    _check(name, command, given)
    return command


def _check(name: str, command: Command, given: Mapping[str, str]) -> None:
    if set(given) != set(command.args):
        raise Rejected(
            f"{name} takes {', '.join(command.args) or 'no arguments'}, "
            f"and was given {', '.join(given) or 'none'}."
        )
    for key, value in given.items():
        if value.startswith("-") or not value.isprintable():
            raise Rejected(f"{name}: {key} {json.dumps(value)[:80]} is refused.")
        if not re.fullmatch(command.args[key], value):
            raise Rejected(f"{name}: {key} {value[:80]!r} does not match {command.args[key]}.")
