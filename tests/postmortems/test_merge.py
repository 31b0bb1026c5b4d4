"""Sections are cut and joined without loss, and a merge never drops what a person wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadInput
from bot.postmortems.draft import draft
from bot.postmortems.editing.merge import merge, merge_text
from bot.postmortems.editing.sections import check_body, joined, split
from bot.postmortems.render import markdown
from tests.postmortems.story import CATALOG, FACTS, blackout


def test_a_draft_is_cut_and_joined_without_loss() -> None:
    """Every section has a key, a title and an origin, and the whole is what it was."""
    text = markdown(draft(FACTS, blackout(), CATALOG, {}))
    document = split(text)
    assert joined(document) == text
    assert [p.title for p in document.parts][:2] == ["Identity", "Summary"]
    assert {p.origin for p in document.parts} == {
        "recorded",
        "derived",
        "proposed",
        "to be written",
    }
    assert len({p.key for p in document.parts}) == len(document.parts)


def test_headings_in_code_are_no_sections() -> None:
    """Two of a name have keys of their own; a fence hides what is in it."""
    document = split("# T\n\n## A\n\n```\n## no\n````\n\n## A\n\n~~~\n```\n## no\n~~~\n## B ##\n")
    assert [(p.key, p.title) for p in document.parts] == [("a", "A"), ("a-2", "A"), ("b", "B")]
    assert split(joined(document)) == document
    assert split("##no\n\n## ").parts[0].title == ""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("fine\n\n## Next", "Line 3 begins another section: '## Next'"),
        ("Title\n---", "begins another section"),
        ("> # Quoted", "begins another section"),
        ("```\nopen", "A code block is open"),
        ("x" * 200_001, "200001 characters"),
    ],
)
def test_what_would_not_stay_in_its_section_is_refused(body: str, said: str) -> None:
    """A heading of two signs, its other form, and a block of code that is not closed."""
    with pytest.raises(BadInput, match=said):
        check_body(body)


def test_what_a_person_writes_is_kept_as_it_is() -> None:
    """Line ends of every system; marks that hide or turn text around go, those of scripts stay."""
    assert (
        check_body("\r\n### Why\r\n- a\t1  \r\n\u202eb\u200cc\n\n") == "### Why\n- a\t1\nb\u200cc"
    )
    assert check_body("") == ""
    assert check_body("```\n## in code\n```") == "```\n## in code\n```"
    assert check_body("a\n\n---") == "a\n\n---"


TABLE = "Intro.\n\n| Row | What |\n|---|---|\n| 1 | a |\n| 2 | b |"


@pytest.mark.parametrize(
    ("mine", "new", "merged", "clashed"),
    [
        (TABLE, f"{TABLE}\n| 3 | c |", f"{TABLE}\n| 3 | c |", False),
        (f"{TABLE}\n\nMine.", TABLE, f"{TABLE}\n\nMine.", False),
        (f"{TABLE}\n\nMine.", f"{TABLE}\n| 3 | c |", f"{TABLE}\n| 3 | c |\n\nMine.", False),
        (TABLE.replace("Intro", "My intro"), f"{TABLE}\n| 3 | c |",
         f"{TABLE.replace('Intro', 'My intro')}\n| 3 | c |", False),
        (TABLE.replace("| 2 | b |", "| 2 | mine |"), TABLE.replace("| 2 | b |", "| 2 | B |"),
         TABLE.replace("| 2 | b |", "| 2 | mine |"), True),
        (f"{TABLE}\n| x | mine |", f"{TABLE}\n| 3 | c |", f"{TABLE}\n| 3 | c |\n| x | mine |", False),
        (f"Above.\n{TABLE}", TABLE.replace("Intro", "Other"), f"Above.\n{TABLE.replace('Intro', 'Other')}", False),
        (f"{TABLE}\nSame.", f"{TABLE}\nSame.", f"{TABLE}\nSame.", False),
    ],
)  # fmt: skip
def test_a_merge_by_lines(mine: str, new: str, merged: str, clashed: bool) -> None:
    """What only one side changed is taken; where both did, the person's stays and it is said."""
    found = merge_text(TABLE, mine, new)
    assert (found.text, found.clashed) == (merged, clashed)


LINES = st.lists(st.sampled_from(["", "a", "b", "c", "| 1 |", "| 2 |"]), max_size=8).map("\n".join)


@given(base=LINES, mine=LINES, new=LINES)
def test_no_line_of_a_person_is_ever_dropped(base: str, mine: str, new: str) -> None:
    """Every line that they added is there, as often; what is new is there, or it is a clash."""
    found = merge_text(base, mine, new)
    lines, ours = found.text.split("\n"), base.split("\n")
    for line in {*mine.split("\n")} - {*ours, ""}:
        assert lines.count(line) >= mine.split("\n").count(line)
    if not found.clashed:
        for line in {*new.split("\n")} - {*ours, ""}:
            assert line in lines


def test_a_merge_of_whole_documents() -> None:
    """New sections come, sections no longer drawn go unless people wrote in them, order is the draft's."""
    base = split("head\n\n## A\n\n*recorded*\n\na\n\n## B\n\nb\n\n## C\n\nc\n")
    mine = split("head\n\n## A\n\n*recorded*\n\na\n\n## B\n\nb and mine\n\n## C\n\nc\n")
    new = split("HEAD\n\n## A\n\n*derived*\n\na2\n\n## D\n\n*to be written*\n\nd\n")
    whole = merge(base, mine, new)
    assert joined(whole.document) == (
        "HEAD\n\n## A\n\n*derived*\n\na2\n\n## B\n\nb and mine\n\n## D\n\n*to be written*\n\nd\n"
    )
    assert whole.clashes == {}
