"""What people type in Slack reaches us as they typed it, but for whom they mention."""

import pytest

from bot.chat.slack.plain import plain


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("declare a &amp; b &lt;x&gt;", "declare a & b <x>"),
        ("link <https://a.test/?x=1&amp;y=2> The call", "link https://a.test/?x=1&y=2 The call"),
        ("link <https://a.test|a.test>", "link https://a.test"),
        ("note mail <mailto:ops@a.test|ops@a.test>", "note mail ops@a.test"),
        ("role ops <@U012|ben>", "role ops <@U012|ben>"),
        ("note &amp;lt;", "note &lt;"),
        ("note &lt;https://a.test&gt;", "note <https://a.test>"),
    ],
)
def test_as_it_was_typed(sent: str, typed: str) -> None:
    assert plain(sent) == typed
