"""What an incident may become: the whole table, and what a refusal says. Pure."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadInput, Conflict
from bot.incidents.rules import (
    ACTIVE,
    SEVERITIES,
    STATUSES,
    TITLE_LIMIT,
    channel_name,
    check_severity,
    check_title,
    check_transition,
    topic,
    worst,
)

ALLOWED = {
    "declared": "investigating mitigating monitoring resolved cancelled",
    "investigating": "mitigating monitoring resolved cancelled",
    "mitigating": "investigating monitoring resolved cancelled",
    "monitoring": "investigating mitigating resolved cancelled",
    "resolved": "investigating closed",
    "closed": "",
    "cancelled": "",
    "merged": "",
}


@pytest.mark.parametrize(("current", "wanted"), list(product(STATUSES, STATUSES)))
def test_the_table_of_transitions(current: str, wanted: str) -> None:
    """Every pair: allowed, or refused in words that say what is allowed instead."""
    allowed = ALLOWED[current].split()
    if wanted in allowed:
        check_transition(current, wanted)
        return
    with pytest.raises(Conflict) as refused:
        check_transition(current, wanted)
    if wanted == current:
        assert str(refused.value) == f"The incident is already {current}."
    else:
        assert f"is {current} cannot become {wanted}" in refused.value.message
        none = "nothing: /incident unmerge" if current == "merged" else "nothing: it has ended"
        assert (", ".join(allowed) or none) in refused.value.hint


@pytest.mark.parametrize("word", ["", "Resolved", "done", "resolved "])
def test_a_word_that_is_no_status(word: str) -> None:
    with pytest.raises(BadInput, match="There is no status") as refused:
        check_transition("declared", word)
    assert all(status in refused.value.hint for status in STATUSES)


@pytest.mark.parametrize("word", ["1", "sev1", "SEV1", "Sev-1", " sev 1 ", "sev.1", "P1", "p-1"])
def test_a_severity_as_people_write_it(word: str) -> None:
    assert check_severity(word) == "sev1"


@pytest.mark.parametrize(
    "word", ["", "0", "5", "sev", "sev5", "sev12", "p5", "p12", "¹", "critical"]
)
def test_a_word_that_is_no_severity(word: str) -> None:
    with pytest.raises(BadInput, match="There is no severity"):
        check_severity(word)


def test_the_worst_of_some() -> None:
    assert worst(["sev3", "sev1", "sev4"]) == "sev1"
    assert worst(list(reversed(SEVERITIES))) == "sev1"


def test_a_title_is_one_line() -> None:
    assert check_title("  Search\n is\t slow\x07 ") == "Search is slow"
    assert len(check_title("x" * TITLE_LIMIT)) == TITLE_LIMIT


@pytest.mark.parametrize("title", ["", " \n ", "\x00\x07", "\u200b", "x" * (TITLE_LIMIT + 1)])
def test_a_title_that_is_none(title: str) -> None:
    with pytest.raises(BadInput, match="title"):
        check_title(title)


@given(number=st.integers(1, 10**9), title=st.text(max_size=300), drill=st.booleans())
def test_any_title_makes_a_channel_name_that_slack_takes(
    number: int, title: str, drill: bool
) -> None:
    name = channel_name(number, title, drill=drill)
    assert 0 < len(name) <= 80
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert name.startswith(f"{'drill' if drill else 'inc'}-{number}")
    assert not name.endswith("-")


def test_channel_name_and_topic() -> None:
    assert channel_name(12, "Café is DOWN!") == "inc-12-cafe-is-down"
    assert channel_name(12, "检索很慢") == "inc-12"
    assert topic("sev1", "declared", "Search is slow") == "SEV1 | declared | Search is slow"
    assert len(topic("sev1", "declared", "x" * 400)) == 250


def test_an_incident_that_is_over_is_not_active() -> None:
    assert set(STATUSES) - set(ACTIVE) == {"resolved", "closed", "cancelled", "merged"}
