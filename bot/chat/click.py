"""A click as it came."""

from dataclasses import dataclass

from bot.catalog import Person


@dataclass(frozen=True)
class Click:
    """A click by somebody who is known. ``value`` begins with the number of what it is about.

    ``at`` is the incident in whose channel of Slack's the button stands.
    """

    action_id: str
    value: str
    person: Person
    surface: str
    at: int | None

    @property
    def number(self) -> int:
        """What it is about."""
        return int(self.value.partition("|")[0])

    @property
    def rest(self) -> str:
        """What follows the number."""
        return self.value.partition("|")[2]

    @property
    def actor(self) -> str:
        """Who clicked, as the timeline names them."""
        return f"person:{self.person.id}"
