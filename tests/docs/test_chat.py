"""docs/chat.md: what people can do in chat, each with the test that does it."""

import pytest

from tests.docs.chat import Item, items, listened, opened, page
from tests.docs.reading import ROOT, source
from tests.docs.wishes import TRAPS, WISHES, Wish


def test_the_page_is_what_is_found() -> None:
    """`make docs` writes it anew."""
    assert (ROOT / "docs" / "chat.md").read_text("utf-8") == page()


@pytest.mark.parametrize("item", items(), ids=lambda item: f"{item.kind}: {item.name}")
def test_everything_is_done_by_a_test(item: Item) -> None:
    """In Slack over both ways; and in the console."""
    if item.slack:
        assert item.in_slack is not None, "no test does it in Slack"
        assert item.in_slack.ways == {"socket", "http"}
    if item.console:
        assert item.in_console is not None, "no test does it in the console"


def test_every_form_that_opens_in_slack_is_listened_to() -> None:
    """A form that nobody listens to is lost with what was written in it."""
    assert set(listened()) == opened()


@pytest.mark.parametrize("wish", [*WISHES, *TRAPS], ids=lambda wish: wish.asked)
def test_what_was_asked_for_has_its_test(wish: Wish) -> None:
    """It exists, under that name."""
    file, _, name = wish.test.partition("::")
    assert name in {test.name for test in source(ROOT / "tests" / file).tests}
