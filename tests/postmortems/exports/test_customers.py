"""What customers get: a section that people wrote and approved, word for word, with nothing internal."""

from pathlib import Path

import pytest

from bot.catalog import Catalog
from bot.errors import Conflict
from bot.postmortems.draft import draft
from bot.postmortems.exports.flow import Exports
from bot.postmortems.render import markdown
from tests.postmortems.exports.hostile import CANARY, MAIL, paper
from tests.postmortems.story import CATALOG, FACTS, Story

TARGETS = Catalog.model_validate(
    {**CATALOG.model_dump(mode="json"), "targets": [{"name": "envoy/edge", "url": "http://edge-7.example.net:9901"}]}
)  # fmt: skip
GOOD = """
## For customers

Card payments failed. *No* data was lost. [#3](#row-3)

### When

From 12:00 to 12:41 UTC on 7 January 2026.

### What we do about it

1. We restart in **smaller** steps.

## Not for them

secret plans
"""


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    return Exports(lambda: TARGETS, tmp_path)


def written(exports: Exports, text: str, state: str = "final", form: str = "md") -> str:
    made = paper(state).__class__(
        12, state, f"---\nimpact_start: '2026-01-07 12:00:00'\n---\n# INC-12 db\n{text}", [], TARGETS,
        frozenset({CANARY}), paper().cast,
    )  # fmt: skip
    return exports._made(made, form, customers=True).decode("utf-8", "replace")


def test_the_section_leaves_as_it_was_approved(exports: Exports) -> None:
    """Without row numbers, and without anything around it; in each form."""
    assert written(exports, GOOD) == (
        "# Incident report, 2026-01-07\n\nCard payments failed. *No* data was lost.\n\n## When\n\n"
        "From 12:00 to 12:41 UTC on 7 January 2026.\n\n## What we do about it\n\n"
        "1. We restart in **smaller** steps.\n"
    )
    page = written(exports, GOOD, form="html")
    assert "<title>Incident report, 2026-01-07</title>" in page
    assert "INC-12" not in page
    assert written(exports, GOOD, form="pdf").startswith("%PDF")


@pytest.mark.parametrize("state", ["draft", "in review"])
def test_nothing_leaves_before_it_is_final(exports: Exports, state: str) -> None:
    with pytest.raises(Conflict, match=f"not final .{state}."):
        written(exports, GOOD, state)


@pytest.mark.parametrize(
    ("internal", "why"),
    [
        ("The edge db-3.prod.internal failed.", "name or address of a machine"),
        ("10.1.2.3 was down.", "name or address of a machine"),
        ("We drained envoy/edge.", "name of a target"),
        ("See edge-7.example.net.", "name of a target"),
        ("Ana Souza mended it.", "a name, an address"),
        (f"Write to {MAIL}.", "a name, an address"),
        (f"The key was {CANARY.replace('<', '&lt;')}", "a name, an address"),
        ("The reason: to be written.", "still to be written"),
    ],
)
def test_what_is_internal_is_refused_and_named(exports: Exports, internal: str, why: str) -> None:
    """Not mended: people approved other words. The refusal itself gives nothing away."""
    with pytest.raises(Conflict) as refused:
        written(exports, GOOD.replace("Card payments failed.", internal))
    assert why in str(refused.value)
    assert "section “For customers”" in str(refused.value)
    assert MAIL not in str(refused.value)
    assert CANARY not in str(refused.value)


def test_without_the_section_there_is_no_version(exports: Exports) -> None:
    with pytest.raises(Conflict, match="has no section"):
        written(exports, "## Summary\n\nAll.")


def test_the_draft_proposes_it_from_what_customers_were_told() -> None:
    """And it cannot leave as it was proposed."""
    story = Story()
    story.alert(1, "x")
    story.add(5, "customers_informed", "For customers, on public (investigating): Cards fail", actor="person:ana")  # fmt: skip
    text = markdown(draft(FACTS, story.rows, CATALOG, {}))
    section = text.split("## For customers\n")[1]
    assert "12:05 UTC: Cards fail [\\#2](#row-2)" in section
    assert "To be written" in section
