"""A command as it came, the answer to it, and the form in which one is typed."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Person
from bot.chat.blocks import Block, section
from bot.errors import BadInput, NotAllowed

_AT_ONCE = 12  # lines of the help in one block


@dataclass(frozen=True)
class Form:
    """One line of the help: how a command is typed and what it does.

    ``synonyms`` are other words for its verb. ``verbatim``: what follows the verb stays as it was
    typed, quotes and all; else it is split into words as a shell would. ``anybody``: people without
    a role may type it too; all other commands need one.
    """

    usage: str
    what: str
    synonyms: tuple[str, ...] = ()
    verbatim: bool = False
    anybody: bool = False

    @property
    def verb(self) -> str:
        """``declare`` of ``/incident declare TITLE``."""
        return self.usage.split()[1]


@dataclass(frozen=True)
class Command:
    """One command as it came. ``key`` identifies it, so that a repeat changes nothing.

    ``incident_id`` is the incident of the channel or page where it was typed, if any. ``verb`` is
    the first word of ``text`` once it is understood, whatever synonym it was. ``workspace`` is where
    it was typed in Slack, elsewhere None.
    """

    name: str
    text: str
    person: Person | None
    key: str
    surface: str
    incident_id: int | None = None
    verb: str = ""
    workspace: str | None = None


Told = tuple[str, list[Block]]
# Raises nothing that is a person's to know. None: it was said in the incident's channel.
Later = Callable[[], Awaitable[Told | None]]


@dataclass(frozen=True)
class Draft:
    """An update that a surface with forms has its author finish."""

    audience: str
    text: str


@dataclass(frozen=True)
class Reply:
    """An answer for the one who asked.

    ``later`` is the answer proper, where that takes long: the surface awaits it after the commit.
    ``draft`` is shown in a form besides, where there are forms.
    """

    text: str
    blocks: list[Block] = field(default_factory=list)
    incident_id: int | None = None
    later: Later | None = None
    draft: Draft | None = None


Handler = Callable[[AsyncSession, Command, list[str]], Awaitable[Reply]]


def person_of(command: Command) -> Person:
    """The known person who typed. Raises `NotAllowed`: deny by default."""
    if command.person is None:
        raise NotAllowed(
            "I do not know you, so I may not do that for you.",
            hint="Ask the platform team to add you to the catalog's people.",
        )
    return command.person


def actor_of(command: Command) -> str:
    """The person who typed, as the timeline names them."""
    return f"person:{person_of(command).id}"


def usage(forms: Iterable[Form], verb: str) -> str:
    """The hint that shows how the verb is typed."""
    return "Usage: " + next(form.usage for form in forms if form.verb == verb)


def only(words: list[str], allowed: tuple[str, ...], hint: str) -> str:
    """The one word that may stand there, or nothing. Raises `BadInput`."""
    if len(words) > 1 or (words and words[0] not in allowed):
        raise BadInput(f"I did not understand {' '.join(words)!r}.", hint=hint)
    return words[0] if words else ""


def helped(forms: Iterable[Form]) -> Reply:
    """The list of what can be typed."""
    shown = list(forms)
    lines = [f"`{form.usage}` {form.what}" for form in shown]
    groups = [lines[at : at + _AT_ONCE] for at in range(0, len(lines), _AT_ONCE)]
    text = "\n".join(f"{form.usage}: {form.what}" for form in shown)
    return Reply(text, [section("\n".join(group)) for group in groups])
