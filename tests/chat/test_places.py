"""Which workspace is meant: by a request, a channel, a person. Ids mean nothing without theirs."""

from types import SimpleNamespace
from typing import Any

import pytest

from bot.catalog import Person
from bot.chat.places import address, channel_link
from bot.chat.reminder_card import mention
from bot.chat.slack.installations import Tokens
from bot.chat.slack.workspaces import Workspaces
from bot.errors import AuthFailed, Unavailable


def among(own: dict[str, str], *others: str, several: bool = True) -> Workspaces:
    """Our own workspace with what auth.test says of it, and others by their keys."""

    async def me() -> dict[str, str]:
        return own

    missing = SimpleNamespace(not_installed=lambda: None)
    surface: Any = SimpleNamespace(
        me=me, keys={own["key"]}, places={own["team"], own["enterprise"]} - {""},
        standing=SimpleNamespace(of=lambda key, name: missing),
    )  # fmt: skip
    made = Workspaces(surface, several=several)
    made._others = {key: SimpleNamespace(key=key) for key in others}  # type: ignore[misc]
    return made


ALONE = {"team": "T1", "enterprise": "", "key": "T1"}
IN_GRID = {"team": "T1", "enterprise": "E1", "key": "T1"}
WHOLE = {"team": "T1", "enterprise": "E1", "key": "E1"}


@pytest.mark.parametrize(
    ("own", "others", "asked", "found"),
    [
        (ALONE, [], ("T1", ""), ""),
        (ALONE, [], ("T2", ""), None),
        (ALONE, ["T2"], ("T2", ""), "T2"),
        (ALONE, ["E2"], ("T5", "E2"), "E2:T5"),
        (ALONE, ["E2"], ("", "E2"), "E2"),
        (ALONE, ["E2", "T5"], ("T5", "E2"), "T5"),
        (IN_GRID, [], ("T1", "E1"), ""),
        (IN_GRID, [], ("", "E1"), ""),
        (IN_GRID, [], ("T2", "E1"), None),
        (IN_GRID, ["T2"], ("T2", "E1"), "T2"),
        (IN_GRID, ["E1"], ("T3", "E1"), "E1:T3"),
        (WHOLE, [], ("T7", "E1"), ""),
        (WHOLE, ["T2"], ("T2", "E9"), "T2"),
    ],
)
async def test_whose_a_request_is(
    own: dict[str, str], others: list[str], asked: tuple[str, str], found: str | None
) -> None:
    assert await among(own, *others).find_team(*asked) == found


async def test_a_jackline_of_one_workspace_takes_all_that_arrives() -> None:
    """As ever: nobody can install it elsewhere, so what comes is for it."""
    assert await among(ALONE, several=False).find_team("T9", "E9") == ""


def test_who_speaks_there() -> None:
    made = among(IN_GRID, "T2", "E1")
    assert made.at("") is made.own
    assert made.at("T1") is made.own
    assert made.at("T2").key == "T2"
    assert made.at("E1:T3").key == "E1"
    with pytest.raises(AuthFailed, match="not installed in workspace T4"):
        made.at("T4")


def test_the_way_to_a_channel() -> None:
    """The same id in another workspace is another channel."""
    own, other = {"channel": "C1", "name": "inc-1"}, {
        "channel": "C1", "name": "inc-2", "workspace": "T2",
    }  # fmt: skip
    assert channel_link(own, "") == "<#C1|inc-1>"
    assert channel_link(own, "T2") == "#inc-1 in another workspace"
    assert channel_link(other, "T2") == "<#C1|inc-2>"
    assert channel_link(other, "") == "<https://app.slack.com/client/T2/C1|#inc-2>"
    assert address("", "C1", "1.2") == "https://slack.com/archives/C1/p12"
    there = "https://slack.com/app_redirect?team=T2&channel=C1&message_ts=1.2"
    assert address("T2", "C1", "1.2") == there
    assert address("E1:T2", "C1", "1.2") == there


def test_who_is_mentioned() -> None:
    """By the id that they have there; without one by name."""
    ana = Person(id="ana", name="Ana", slack=["T1:U1", "T2:U2", "E1:W3"])
    assert mention(ana, "Ana", "") == "<@U1>"
    assert mention(ana, "Ana", "T2") == "<@U2>"
    assert mention(ana, "Ana", "E1:T5") == "<@W3>"
    assert mention(ana, "Ana", "T9") == "Ana"
    assert mention(None, "Ana", "T2") == "Ana"


def test_a_seal_is_for_one_workspace_and_one_key() -> None:
    seal = Tokens(b"k" * 32).sealed("xoxb-hush", "T2")
    assert "hush" not in seal
    assert Tokens(b"k" * 32).opened(seal, "T2") == "xoxb-hush"
    for tokens, key, given in (
        (Tokens(b"k" * 32), "T3", seal), (Tokens(b"x" * 32), "T2", seal),
        (Tokens(b"k" * 32), "T2", ""),
    ):  # fmt: skip
        with pytest.raises(Unavailable, match="cannot be opened") as caught:
            tokens.opened(given, key)
        assert "hush" not in str(caught.value)
