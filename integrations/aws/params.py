"""What the verbs share: which account, and weights that are told as numbers by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bot.contract import Change, Frozen, Preview
from bot.errors import Rejected

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")]


class AccountParams(Frozen):
    """Which account and region."""

    account: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,57}$")] = Field(
        description="The account: `main` is the targets `aws/main.ecs`, `aws/main.rds`, "
        "`aws/main.route53` and `aws/main.elb` of the catalog."
    )


@dataclass(frozen=True)
class Weights:
    """Who gets which part, now and as wanted."""

    of: str
    before: Mapping[str, int]
    after: Mapping[str, int]

    def __post_init__(self) -> None:
        """A name that is not there would get nothing; one left out would keep its part."""
        if strange := sorted(set(self.after) - set(self.before)):
            known = ", ".join(self.before) or "none"
            raise Rejected(f"{self.of} has no {', '.join(strange)}.", hint=f"It has: {known}.")
        if missing := sorted(set(self.before) - set(self.after)):
            raise Rejected(f"The plan leaves out {', '.join(missing)} of {self.of}.")

    @property
    def gaining(self) -> list[str]:
        """Those that would get a larger part."""
        return [name for name in self.after if self._lost(name) < 0]

    def preview(self, target: str, healthy_after: int | None = None) -> Preview:
        """A line for each part that changes, also where its own number stays."""
        shown = {name: self._shown(name) for name in self.after}
        changes = [
            Change(
                target=target,
                what=f"weight of {name} in {self.of}",
                before=before,
                after=after,
                share=round(max(self._lost(name), 0), 4) or None,
            )
            for name, (before, after) in shown.items()
            if before != after
        ]
        return Preview(
            changes=changes, state={"weights": dict(self.before)}, healthy_after=healthy_after
        )

    def _shown(self, name: str) -> tuple[str, str]:
        sides = (self.before, self.after)
        before, after = (f"{side[name]} ({part(name, side):.1%})" for side in sides)
        return before, after

    def _lost(self, name: str) -> float:
        return part(name, self.before) - part(name, self.after)


def part(name: str, weights: Mapping[str, int]) -> float:
    """The share of one among all; 0 where nobody has any."""
    return weights[name] / (sum(weights.values()) or 1)
