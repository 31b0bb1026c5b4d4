"""Whatever blocks are built, what is sent fits Slack: by the stub's rules and by Slack's own types."""

import importlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import limits
from bot.chat.blocks import actions, button, context, fields, header, section
from bot.chat.fit import fit_message, fit_view, words
from bot.chat.slack.views import declare_view
from tests.chat.test_slackstub_limits import BAD_BLOCKS, BAD_VIEWS, MODAL
from tests.slackstub import schemas
from tests.slackstub.blocks import check_message, check_view

Json = dict[str, Any]

# by our name: the name in slackblocks' table, which its makers generate from Slack's reference
SAME = {
    "TEXT": "SECTION_TEXT_MAX_LENGTH", "FIELD": "SECTION_FIELDS_ITEM_MAX_LENGTH",
    "FIELDS": "SECTION_FIELDS_MAX_ITEMS", "HEADER": "HEADER_TEXT_MAX_LENGTH",
    "ACTIONS": "ACTIONS_ELEMENTS_MAX_ITEMS", "CONTEXT": "CONTEXT_ELEMENTS_MAX_ITEMS",
    "BUTTON": "BUTTON_TEXT_MAX_LENGTH", "VALUE": "BUTTON_VALUE_MAX_LENGTH",
    "URL": "BUTTON_URL_MAX_LENGTH", "OPTION": "OPTION_TEXT_MAX_LENGTH",
    "OPTION_VALUE": "OPTION_VALUE_MAX_LENGTH", "OPTIONS": "SELECT_OPTIONS_MAX_ITEMS",
    "CHOICES": "CHECKBOXES_OPTIONS_MAX_ITEMS", "OVERFLOW": "OVERFLOW_OPTIONS_MAX_ITEMS",
    "ID": "ACTION_ID_MAX_LENGTH", "LABEL": "INPUT_LABEL_MAX_LENGTH",
    "TYPED": "PLAIN_TEXT_INPUT_MAX_LENGTH_MAX", "PLACEHOLDER": "SELECT_PLACEHOLDER_MAX_LENGTH",
    "CONFIRM_TITLE": "CONFIRMATION_TITLE_MAX_LENGTH",
    "CONFIRM_TEXT": "CONFIRMATION_TEXT_MAX_LENGTH",
    "CONFIRM_BUTTON": "CONFIRMATION_CONFIRM_MAX_LENGTH", "MARKDOWN": "MARKDOWN_TOTAL_TEXT_MAX_LENGTH",
    "ROWS": "TABLE_ROWS_MAX_ITEMS", "COLUMNS": "TABLE_COLUMNS_MAX_ITEMS",
    "TITLE": "VIEW_TITLE_MAX_LENGTH", "METADATA": "VIEW_PRIVATE_METADATA_MAX_LENGTH",
    "VIEW_BLOCKS": "VIEW_BLOCKS_MAX_ITEMS", "MESSAGE_BLOCKS": "MESSAGE_BLOCKS_MAX_ITEMS",
}  # fmt: skip
NOT_THEIRS = {"MESSAGE", "POSTED", "UPDATED"}


def accepted(blocks: list[Json]) -> None:
    """Slack takes these blocks as a message."""
    check_message(blocks, [])
    assert not schemas.faults("message", blocks)
    assert len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) <= limits.MESSAGE


def test_the_limits_are_those_that_others_know() -> None:
    """Each figure stands in another library's table too; a new one of ours has to be named here."""
    theirs = vars(importlib.import_module("slackblocks._limits"))
    ours = {name: value for name, value in vars(limits).items() if isinstance(value, int)}
    assert ours.keys() - NOT_THEIRS == SAME.keys()
    assert {name: theirs.get(SAME[name]) for name in SAME} == {name: ours[name] for name in SAME}


@pytest.mark.parametrize("name", BAD_BLOCKS)
def test_what_slack_refuses_is_made_to_fit(name: str) -> None:
    """Every message that the stub refuses for a limit is sent all the same, and the log hears of it."""
    fitted, notes = fit_message(BAD_BLOCKS[name])
    accepted(fitted)
    assert notes


@pytest.mark.parametrize("name", BAD_VIEWS)
def test_a_view_is_made_to_fit(name: str) -> None:
    fitted, _ = fit_view({**MODAL, **BAD_VIEWS[name], "callback_id": "declare"})
    check_view(fitted)
    assert not schemas.faults("modal", fitted)


def test_what_fits_is_left_alone() -> None:
    ask = actions(button("Resolve", "incident_resolve", "1", style="danger", confirm="Sure?"))
    fine = [header("SEV1"), fields("*a*\nb", "c"), section("x" * 3000), ask, context("y")]
    assert fit_message(fine) == (fine, [])
    assert fit_view(declare_view()) == (declare_view(), [])


def test_buttons_stay_to_the_last() -> None:
    """Of far too much, what people can press and what it is about is still there."""
    ask = actions(button("Approve", "run_approve", "7|abc"))
    much = [header("Plan"), *(section(f"{n} " + "word " * 500) for n in range(80)), ask]
    fitted, notes = fit_message(much)
    accepted(fitted)
    assert fitted[0] == header("Plan")
    assert ask in fitted
    assert "the console shows all of it" in str(fitted[-1])
    assert notes


def test_a_value_is_never_shortened() -> None:
    """A button whose value does not fit would do something else: it goes, and is named."""
    fine = button("B", "b", "1")
    fitted, notes = fit_message([actions(button("A", "a", "9" * 2001), fine)])
    assert fitted == [actions(fine)]
    assert "button left out" in str(notes)


def test_an_unusable_block_leaves_its_words() -> None:
    strange = {"type": "hologram", "text": {"type": "mrkdwn", "text": "still *read*"}}
    assert fit_message([strange])[0] == [section("still *read*")]
    markdown = {"type": "markdown", "text": "in a view"}
    home, _ = fit_view({"type": "home", "blocks": [markdown]})
    assert home["blocks"] == [section("in a view")]


def test_half_an_escaped_sign_is_never_the_end() -> None:
    fitted, _ = fit_message([section("x") | {"text": {"type": "mrkdwn", "text": "&amp;" * 900}}])
    assert fitted[0]["text"]["text"].removesuffix("…").endswith(("&amp;", ";"))


def test_all_words_of_blocks() -> None:
    shown = [header("H"), fields("a", "b"), actions(button("B", "b", "1")), context("c")]
    assert words(shown) == "H\na\nb\nc"


_TEXT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["w " * 20, "w " * 200, "w " * 2000, "w " * 7000, "&amp;" * 700]),
    st.none(),
    st.integers(),
)
_OBJECT = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["mrkdwn", "plain_text", "wrong"]), "text": _TEXT},
        optional={"emoji": st.booleans()},
    ),
    _TEXT,
)
_OPTION = st.fixed_dictionaries({"text": _OBJECT, "value": _TEXT})
_ELEMENT = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("button"), "text": _OBJECT, "action_id": st.sampled_from(["a", "b", "x" * 256]),
         "value": st.sampled_from(["1", "", "9" * 2001])},
        optional={"style": st.sampled_from(["primary", "gold"]), "confirm": st.fixed_dictionaries(
            {"title": _OBJECT, "text": _OBJECT}, optional={"confirm": _OBJECT, "deny": _OBJECT}
        )},
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["static_select", "overflow", "radio_buttons", "checkboxes"]),
         "action_id": st.text(min_size=1, max_size=5),
         "options": st.lists(_OPTION, max_size=3).map(lambda some: some * 40)},
        optional={"placeholder": _OBJECT},
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["plain_text_input", "lever"]), "action_id": st.just("typed")},
        optional={"max_length": st.integers(1, 9000), "initial_value": st.sampled_from(["typed", "t" * 3001])},
    ),
    _OBJECT,
)  # fmt: skip
_BLOCK = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("section")},
        optional={"text": _OBJECT, "fields": st.lists(_OBJECT, max_size=3).map(lambda some: some * 4), "accessory": _ELEMENT,
                  "block_id": st.sampled_from(["a", "b", "x" * 256])},
    ),
    st.fixed_dictionaries({"type": st.sampled_from(["header", "markdown"]), "text": _OBJECT}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["actions", "context"]),
         "elements": st.one_of(st.lists(_ELEMENT, max_size=3).map(lambda some: some * 9), _TEXT)}
    ),
    st.fixed_dictionaries({"type": st.just("input"), "label": _OBJECT, "element": _ELEMENT}),
    st.fixed_dictionaries({"type": st.sampled_from(["divider", "nothing known"])}),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(_BLOCK, min_size=1, max_size=4), st.sampled_from([1, 3, 30]))
def test_no_message_is_ever_refused(blocks: list[Json], times: int) -> None:
    """Of anything that looks like blocks: what remains is accepted, and fitting it again changes nothing."""
    fitted, _ = fit_message(blocks * times)
    if fitted:
        accepted(fitted)
    assert fit_message(fitted)[0] == fitted


@settings(max_examples=40, deadline=None)
@given(st.lists(_BLOCK, min_size=1, max_size=4), st.sampled_from([1, 3, 60]), _OBJECT)
def test_no_view_is_ever_refused(blocks: list[Json], times: int, title: Any) -> None:
    for kind in ("modal", "home"):
        head = {"title": title or "x", "submit": title} if kind == "modal" else {}
        fitted, _ = fit_view({"type": kind, "blocks": blocks * times, **head})
        check_view(fitted)
        assert not schemas.faults(kind, fitted)  # type: ignore[arg-type]  # one of its kinds
