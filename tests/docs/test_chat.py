"""docs/chat.md: what people can do in chat, each with the test that does it."""

import pytest

from tests.docs.chat import Item, _button, _command, items, listened, opened, page
from tests.docs.reading import FOLDERS, ROOT, source
from tests.docs.wishes import TRAPS, WISHES, Wish


@pytest.mark.slow
def test_the_page_is_what_is_found() -> None:
    """`make docs` writes it anew."""
    assert (ROOT / "docs" / "chat.md").read_text("utf-8") == page()


def test_everything_is_done_by_a_test() -> None:
    """In Slack over both ways; and in the console, commands and buttons in a browser."""
    both, wrong = {"socket", "http"}, []
    for item in items():
        slack, console = item.in_slack, item.in_console
        if item.slack and (slack is None or slack.ways != both):
            wrong.append(f"{item.kind} {item.name}: not in Slack over both ways, but {slack}")
        needed = FOLDERS if item.kind == "route" else ("browser",)
        if item.console and (console is None or console.folder not in needed):
            wrong.append(f"{item.kind} {item.name}: not in the console, but {console}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("item", [_command("incident", "dance"), _button("run_dance")])
def test_what_nobody_does_has_no_test(item: Item) -> None:
    """Not even by a test that mentions all of its kind."""
    assert (item.in_slack, item.in_console) == (None, None)


def test_every_form_that_opens_in_slack_is_listened_to() -> None:
    """A form that nobody listens to is lost with what was written in it."""
    assert set(listened()) == opened()


@pytest.mark.parametrize("wish", [*WISHES, *TRAPS], ids=lambda wish: wish.asked)
def test_what_was_asked_for_has_its_test(wish: Wish) -> None:
    """It exists, under that name."""
    file, _, name = wish.test.partition("::")
    assert name in {test.name for test in source(ROOT / "tests" / file).tests}
