"""What state a postmortem may be in, who may do what to it, and what its end asks for. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalog import Person
from bot.errors import BadInput, Conflict, NotAllowed

DRAFT, REVIEW, FINAL = "draft", "in review", "final"
STATES = (DRAFT, REVIEW, FINAL)
_NEXT: dict[str, tuple[str, ...]] = {DRAFT: (REVIEW,), REVIEW: (DRAFT, FINAL), FINAL: (DRAFT,)}


@dataclass(frozen=True)
class Approval:
    """A reviewer, and which version they approved: 0 is none."""

    person: str
    version: int = 0


@dataclass(frozen=True)
class Standing:
    """All that the end depends on. ``authors`` wrote something, ``notes`` and ``clashes`` are open."""

    state: str
    version: int
    owner: str = ""
    facilitator: str = ""
    reviewers: Sequence[Approval] = ()
    authors: frozenset[str] = frozenset()
    notes: int = 0
    clashes: int = 0


def check_transition(current: str, wanted: str) -> None:
    """Raises `BadInput` for a word that is no state, `Conflict` for a step that is not allowed."""
    if wanted not in STATES:
        raise BadInput(f"There is no state {wanted[:40]!r}.", hint=f"Use {', '.join(STATES)}.")
    if wanted == current:
        raise Conflict(f"The postmortem is {current} already.")
    if wanted not in _NEXT[current]:
        raise Conflict(
            f"A postmortem that is {current} cannot become {wanted}.",
            hint=f"It can become {' or '.join(_NEXT[current])}.",
        )


def missing(standing: Standing) -> list[str]:
    """What a postmortem still needs before it is final, in words; empty when nothing is left."""
    found = [] if standing.owner else ["an owner"]
    found += [] if standing.facilitator else ["a facilitator"]
    if not any(counts(standing, each) for each in standing.reviewers):
        found.append("the approval of a reviewer who wrote nothing of it, for this version")
    if standing.notes:
        found.append(f"{standing.notes} open review note{'s' * (standing.notes > 1)} resolved")
    if standing.clashes:
        found.append(f"{standing.clashes} conflict{'s' * (standing.clashes > 1)} settled")
    return found


def counts(standing: Standing, approval: Approval) -> bool:
    """Whether an approval is one: given for what stands there now, by somebody who wrote none of it."""
    given = 0 < approval.version == standing.version
    return given and approval.person not in standing.authors


def require_move(standing: Standing, wanted: str, person: Person) -> None:
    """Raises `NotAllowed`, and `Conflict` where the table or what is missing says no."""
    may_edit(person)
    check_transition(standing.state, wanted)
    if wanted == REVIEW and not standing.reviewers:
        raise Conflict(
            "A review needs a reviewer.", hint="For example: /incident postmortem review @ben"
        )
    if wanted == FINAL:
        may_end(standing, person)
        if left := missing(standing):
            raise Conflict(f"It is not final yet. Missing: {'; '.join(left)}.")
    if standing.state == FINAL:
        may_end(standing, person)


def may_edit(person: Person) -> None:
    """Responders and commanders. Raises `NotAllowed`."""
    if not (person.has("responder") or person.has("commander")):
        raise NotAllowed("Working on a postmortem needs the role 'responder'.")


def may_end(standing: Standing, person: Person) -> None:
    """Who owns or facilitates it, and commanders; to and from final. Raises `NotAllowed`."""
    if person.id not in (standing.owner, standing.facilitator) and not person.has("commander"):
        raise NotAllowed(
            "Only the owner, the facilitator and commanders make a postmortem final or take that back."
        )


def require_approver(standing: Standing, person: Person) -> None:
    """Raises `NotAllowed` for all but its reviewers, and for who wrote in it; `Conflict` out of review."""
    if person.id not in {each.person for each in standing.reviewers}:
        raise NotAllowed(
            "Only its reviewers approve a postmortem.",
            hint="/incident postmortem review @who names them.",
        )
    if person.id in standing.authors:
        raise NotAllowed("You wrote some of it: somebody else has to approve it.")
    if standing.state != REVIEW:
        raise Conflict(f"The postmortem is {standing.state}, not in review.")


def require_open(state: str) -> None:
    """Raises `Conflict` where nothing may be changed any more."""
    if state == FINAL:
        raise Conflict(
            "The postmortem is final.", hint="/incident postmortem draft opens it again."
        )


def require_final(number: int, state: str) -> None:
    """Raises `Conflict` unless it may be published: whoever takes it out of Jackline asks here."""
    if state != FINAL:
        raise Conflict(
            f"The postmortem of #{number} is not final ({state}): it is not published, and nothing of it "
            "goes to customers.",
            hint="/incident postmortem says what it still needs.",
        )
