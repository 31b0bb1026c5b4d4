"""One line of the result."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A figure of Jackline's beside one of a floor or a peer, in the same unit."""

    what: str
    ours: float
    unit: str
    aim: str
    other: float
    other_name: str

    @property
    def ratio(self) -> float:
        """Ours divided by the other."""
        return self.ours / self.other if self.other else float("nan")
