"""The head of a postmortem as it stands: state, owner, who reviews it, what people wrote. Pure."""

import re
from collections.abc import Callable
from dataclasses import replace

import yaml

from bot.postmortems.editing.sections import Document, Part, joined
from bot.postmortems.editing.states import DRAFT, Standing
from bot.postmortems.escape import text
from bot.postmortems.front import cut, read

_NOBODY = "no person has written anything here yet"


def compose(document: Document, standing: Standing, name: Callable[[str], str]) -> str:
    """The whole Markdown; ``name``: what people call a person."""
    head, rest = cut(document.head)
    front = read(head)
    if not front:  # a team's own template may have none
        return joined(document)
    written = [part.title for part in document.parts if part.by_person]
    front |= {"document_status": standing.state, "version": standing.version}
    front |= {role: name(who) for role, who in _named(standing)}
    front["reviewers"] = [name(each.person) for each in standing.reviewers]
    provenance = front.get("provenance")
    given = provenance if isinstance(provenance, dict) else {}
    front["provenance"] = given | {"written_by_people": written or "nothing yet"}
    dumped = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=10_000)
    whole = Document(f"---\n{dumped}---\n{rest}", document.parts)
    identity = document.part("identity")
    if identity is not None and not identity.by_person:
        whole = whole.with_part(_identified(identity, standing, name, written))
    return joined(whole)


def _named(standing: Standing) -> list[tuple[str, str]]:
    """Those that somebody has named; the draft's own proposal stands until then."""
    roles = (("owner", standing.owner), ("facilitator", standing.facilitator))
    return [(role, who) for role, who in roles if who]


def _identified(
    part: Part, standing: Standing, name: Callable[[str], str], written: list[str]
) -> Part:
    """The same for readers, in the table at the top."""
    people = [*([standing.facilitator] if standing.facilitator else []),
              *(each.person for each in standing.reviewers)]  # fmt: skip
    body = part.body
    if standing.state != DRAFT:
        body = re.sub(r"(?m)^(\| Document \| )draft", lambda m: f"{m[1]}{standing.state}", body)
    if standing.owner:
        body = _row(body, "Owner", name(standing.owner))
    if people:
        body = _row(body, "Facilitator, reviewers", ", ".join(map(name, dict.fromkeys(people))))
    if written:
        body = body.replace(_NOBODY, f"people wrote in: {text(', '.join(written))}")
    return replace(part, body=body)


def _row(body: str, what: str, value: str) -> str:
    return re.sub(rf"(?m)^\| {what} \| .*$", lambda _: f"| {what} | {text(value)} |", body)


def title_of(markdown: str) -> str:
    """As the front matter has it: without names and secrets."""
    return str(read(cut(markdown)[0]).get("title", ""))
