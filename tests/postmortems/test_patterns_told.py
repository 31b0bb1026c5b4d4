"""Told outages and quiet days by which the nets for sentences were made: what they must go on to tell apart.

Short tellings of our own, over many technologies, a file for each pattern and seven of days that are none: planned,
harmless, denied, supposed, of a customer's own, caught in stages, mended as practised. They are no measure of what
the matcher finds in outages that it has never met: `test_unseen.py` is.
"""

from pathlib import Path

import pytest

from bot.postmortems.marks import clock, ordered
from bot.postmortems.patterns.match import resemble
from bot.postmortems.told import entries_of
from tests.postmortems.outages import outage

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent / "told"


def tellings():
    """Name → pattern, or "" for a quiet day → lines."""
    found = {}
    for path in sorted(FOLDER.glob("*.txt")):
        for block in path.read_text("utf-8").split("== ")[1:]:
            name, _, lines = block.partition("\n")
            wanted = "" if path.stem.startswith("quiet") else path.stem
            found[f"{path.stem}/{name}"] = (wanted, lines)
    return found


TOLD = tellings()


def answered(told):
    rows = ordered(entries_of(told))
    found = resemble(rows, clock(rows))
    return found.matches[0].pattern.ref if found.matches else ""


@pytest.mark.parametrize("name", TOLD)
def test_the_pattern_or_none(name):
    """First of all, or abstention."""
    wanted, lines = TOLD[name]
    assert answered(outage(lines)) == wanted


@pytest.mark.parametrize("name", [name for name, (wanted, _) in TOLD.items() if wanted])
def test_what_is_only_asked_or_said_is_no_outage(name):
    """The same sentences as questions, or as chat: nothing."""
    lines = [line for line in TOLD[name][1].splitlines() if line.strip()]
    asked = "\n".join(f"{line}?" for line in lines)
    said = "\n".join(_as_chat(line) for line in lines)
    assert answered(outage(asked)) == ""
    assert answered(outage(said)) == ""


def _as_chat(line):
    time, _, rest = line.strip().partition(" ")
    return f"{time} message: {rest.partition(': ')[2]}"
