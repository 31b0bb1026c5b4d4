"""A postmortem of ten thousand rows that people wrote, none of them folded, in each form to take away."""

import tempfile
import time
from datetime import timedelta
from pathlib import Path
from random import Random

from bot.postmortems.cast import Cast
from bot.postmortems.draft import draft
from bot.postmortems.exports.flow import FORMS, Exports, Paper
from bot.postmortems.render import markdown
from bot.timeline import Entry
from tests.bench.table import Row
from tests.postmortems.story import CATALOG, FACTS, NOON

ROWS = 10_000
_AIM = {"pdf": "10 s", "docx": "10 s"}
_WORDS = ("edge", "restart", "timeout", "replica", "dns", "route", "cache", "leader", "lag")


def exports() -> list[Row]:
    """Seconds for each form, beside drawing the draft."""
    chance = Random(3)
    rows = [_row(seq, chance) for seq in range(1, ROWS + 1)]
    began = time.perf_counter()
    written = markdown(draft(FACTS, rows, CATALOG, {}))
    floor = time.perf_counter() - began
    secrets = frozenset(f"secret-value-{n}-$x_y" for n in range(40))
    paper = Paper(FACTS.id, "draft", written, rows, CATALOG, secrets, Cast(rows, CATALOG))
    found = []
    with tempfile.TemporaryDirectory() as name:
        whole = Exports(lambda: CATALOG, Path(name))
        for form in FORMS:
            began = time.perf_counter()
            whole._made(paper, form, customers=False)
            took = time.perf_counter() - began
            aim = _AIM.get(form, "5 s")
            found.append(
                Row(f"{form} of {ROWS:,} rows", took, "s", aim, floor, "drawing the draft")
            )
    return found


def _row(seq: int, chance: Random) -> Entry:
    said = f"{' '.join(chance.choices(_WORDS, k=9))} db-{chance.randrange(5000)} [see #{seq}]"
    return Entry(
        incident_id=FACTS.id, seq=seq, at=NOON + timedelta(seconds=seq), kind="note_added",
        actor="person:bo" if seq % 2 else "person:ana", text=said, data={},
        link=f"https://h.example/{seq}?q=a" if seq % 3 else "", previous="", hash="a" * 64,
    )  # fmt: skip
