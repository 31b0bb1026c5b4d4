"""Where people sent alerts by hand: what that means for those that come after. Pure.

An incident that was split off, or that alerts were joined to, takes further alerts of the same
groups with the same labels; one that is merged into another takes its alerts there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.alerts.holding import covers
from bot.alerts.rules import Decision
from bot.incidents import Incident

FINGERPRINT = "fingerprint"  # as a label: an alert's identity, to mean a single one


@dataclass(frozen=True)
class Sent:
    """The incident that takes an alert; ``via`` is the merged one that it would have been in."""

    incident: Incident
    because: str
    via: int | None = None


def claim(groups: Sequence[str], match: dict[str, str], at: str) -> dict[str, Any]:
    """What is kept in `Incident.takes`; ``at`` is an ISO time: the latest claim wins."""
    return {"groups": list(groups), "match": match, "at": at}


def meant(
    match: dict[str, str], decision: Decision, name: str, labels: dict[str, str], source: str,
    fingerprint: str,
) -> bool:  # fmt: skip
    """Whether some labels mean an alert: as silences take them, and its fingerprint as well."""
    return covers(match, decision, name, {**labels, FINGERPRINT: fingerprint}, source)


class ByHand:
    """``active`` are the open incidents, ``merged`` those that are part of them, nearest first."""

    def __init__(self, active: Sequence[Incident], merged: Sequence[Incident]) -> None:
        self._whole = {incident.number: incident for incident in active}
        for each in merged:
            self._whole[each.number] = self._whole[each.merged_into or 0]
        self._holders = {each.open_key: each for each in merged if each.open_key}
        self._claims = sorted(
            ((c["at"], each.number, c) for each in (*active, *merged) for c in each.takes),
            key=lambda found: found[:2],
            reverse=True,
        )

    def of(
        self, decision: Decision, name: str, labels: dict[str, str], source: str, fingerprint: str
    ) -> Sent | None:
        """Where an alert goes for what people did; None: as the rules say."""
        for _, number, taken in self._claims:
            if decision.group in taken["groups"] and meant(
                taken["match"], decision, name, labels, source, fingerprint
            ):
                return self._sent(number, f"taken by #{number} by hand")
        holder = self._holders.get(decision.group)
        return self._sent(holder.number, f"of #{holder.number}") if holder else None

    def _sent(self, number: int, because: str) -> Sent:
        whole = self._whole[number]
        if whole.number == number:
            return Sent(whole, because)
        return Sent(whole, f"{because}, which is merged into #{whole.number}", via=number)
