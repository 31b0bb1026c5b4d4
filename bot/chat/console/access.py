"""The page of the ways in: which are proven, what stands on what, what still runs, drills."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.access import PathProof
from bot.access.bag_drills import bag_standing
from bot.access.drills import standings
from bot.access.graph import PARTS, VITAL, graph_of, named, shown
from bot.access.picture import picture
from bot.access.proof import age_words
from bot.catalog import Person
from bot.chat.console.desk import Desk
from bot.errors import BadInput
from bot.runbooks.whatif import WhatIf, ways
from bot.store import now

_LONGEST = 1000  # of what is asked for
_TICKED_OTHERWISE = (
    "path",
    "target",
    "credential",
    "jackline",
)  # they fall with what they stand on
_STANDING = {
    "proven": ("✓", "proven"), "failing": ("✗", "failing"), "stale": ("⌛", "too old"),
    "never": ("▫", "never proven"),
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """What is known of one path to one target, in a sign, a word and a line."""

    standing: str
    sign: str
    word: str
    more: str


async def access(desk: Desk, request: Request, person: Person) -> Response:
    """The picture, and an answer for ``?down=``."""
    down = _down(request)
    library, catalog = desk.runs.library, desk.catalog()
    async with desk.store.read() as session:
        drills = await standings(session, catalog, now())
        bag = await bag_standing(session)
    columns, rows = matrix(await desk.proofs())

    def drawn() -> str:
        question = WhatIf(library.runbooks, catalog, library.registry)
        failed = named(question.graph, down) if down else []
        answers = [question.down(each, failed) for each in library.runbooks.values()]
        own = question.own(failed)
        return desk.draw(
            "access.html",
            me=person,
            down=down,
            columns=columns,
            rows=rows,
            kinds=_kinds(question, failed),
            answers=[(answer, list(ways(answer))) for answer in answers] if down else [],
            bag=bag.words(now()) if bag else "",
            drills=[(each.cells(), each.wrong) for each in drills],
            own=[(PARTS[part], part in VITAL, shown(chain)) for part, chain in own.items()],
        )

    return HTMLResponse(await asyncio.to_thread(drawn))


async def access_picture(desk: Desk, request: Request, person: Person) -> Response:
    """The picture alone, as SVG."""
    del person
    down, catalog = _down(request), desk.catalog()

    def drawn() -> str:
        failed = named(graph_of(catalog), down) if down else []
        return picture(catalog, failed)

    return Response(await asyncio.to_thread(drawn), media_type="image/svg+xml")


def matrix(found: Sequence[PathProof]) -> tuple[list[str], list[tuple[str, list[Cell | None]]]]:
    """The paths, and for each target what is known of each of them; None: no way of its own."""
    paths = list(dict.fromkeys(proof.path for proof in found))
    targets: dict[str, dict[str, Cell]] = {}
    for proof in found:
        targets.setdefault(proof.target, {})[proof.path] = _cell(proof)
    return paths, [(name, [cells.get(p) for p in paths]) for name, cells in targets.items()]


def _cell(proof: PathProof) -> Cell:
    sign, word = _STANDING[proof.standing]
    age = "" if proof.age is None else f"{age_words(proof.age)} ago"
    if proof.standing == "proven":
        more = f"{age}, in {proof.ms or 0:.0f} ms"
    elif proof.standing == "failing":
        more = proof.error + (f"; last proven {age}" if age else "; never proven")
    else:
        more = f"proven {age}" if age else proof.error
    return Cell(proof.standing, sign, word, more)


def _kinds(question: WhatIf, failed: list[str]) -> list[tuple[str, list[tuple[str, bool]]]]:
    """What can be ticked as down, by kind; whether it is."""
    kinds: dict[str, list[tuple[str, bool]]] = {}
    for node in question.graph.needs:
        kind = node.partition(":")[0]
        if kind in _TICKED_OTHERWISE:
            continue
        kinds.setdefault(kind if ":" in node else "outside", []).append((node, node in failed))
    return sorted(kinds.items(), key=lambda item: (item[0] == "service", item[0]))


def _down(request: Request) -> str:
    """``?down=a,b`` and ``?down=a&down=b`` alike."""
    down = ",".join(filter(None, (d.strip() for d in request.query_params.getlist("down"))))
    if len(down) > _LONGEST:
        raise BadInput("That is too much at once.")
    return down
