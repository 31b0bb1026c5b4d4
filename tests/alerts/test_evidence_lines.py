"""Log lines of strangers: grouped by what they say, harmless, without credentials."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.evidence.lines import grouped, pattern, plain
from bot.contract import Finding

START = datetime(2026, 11, 26, 10, tzinfo=UTC)

SAME = [
    ("timeout after 30 s", "timeout after 5 s"),
    ("order 8f14e45f-ceea-467f-a0e6-b2d5c8a7e001 failed", "order 8f14e45f-ceea-467f-a0e6-b2d5c8a7e0ff failed"),
    ("2026-11-26T10:00:01.123Z ERROR no route", "2026-11-26 10:05:59,9 ERROR no route"),
    ("connect 10.0.0.1:5432 refused", "connect 10.0.3.77:5433 refused"),
    ("commit 3f2a1b9c0 is bad", "commit a0b1c2d3 is bad"),
    ('user "ana" has no cart', 'user "ben smith" has no cart'),
    ("worker-7 died at 0x7ffe01", "worker-12 died at 0x7ffe99"),
    ("took 1.5 of 2,000 ms", "took 12.25 of 9 ms"),
    ("shard1/db2 is away", "shard9/db77 is away"),
]  # fmt: skip
DIFFERENT = [
    ("timeout after 30 s", "timeout before 30 s"),
    ("connection refused", "connection reset"),
    ("no route to db", "no route to cache"),
]


@pytest.mark.parametrize(("one", "two"), SAME)
def test_what_differs_each_time_does_not_count(one: str, two: str) -> None:
    assert pattern(one) == pattern(two)


@pytest.mark.parametrize(("one", "two"), DIFFERENT)
def test_what_is_said_does(one: str, two: str) -> None:
    assert pattern(one) != pattern(two)


def test_groups_by_how_often_with_the_latest_as_example() -> None:
    lines = [
        Finding(text=f"timeout after {n} s", at=START + timedelta(seconds=n)) for n in range(5)
    ]
    lines += [Finding(text="no route"), Finding(text=" \t ")]
    first, second = grouped(reversed(lines))
    assert (first.count, first.example, first.latest) == (
        5, "timeout after 4 s", START + timedelta(seconds=4),
    )  # fmt: skip
    assert (second.count, second.example, second.latest) == (1, "no route", None)


def test_the_message_of_a_line_that_is_json() -> None:
    """The rest of it (times, ids, the whole request) hides what was said."""
    lines = [
        Finding(text='{"ts": 1, "level": "error", "msg": "cannot pay", "error": "timeout", "id": 7}'),
        Finding(text='{"ts": 2, "msg": "cannot pay", "error": "timeout"}'),
        Finding(text='{"msg": {"deep": 1}}'), Finding(text="{not json"), Finding(text="[1]"),
    ]  # fmt: skip
    groups = [(g.count, g.example) for g in grouped(lines)]
    assert groups[0] == (2, "cannot pay: timeout")
    assert sorted(groups[1:]) == [(1, "[1]"), (1, '{"msg": {"deep": 1}}'), (1, "{not json")]


SECRETS = [
    ("login failed, password=hunter2 for ana", "hunter2"),
    ('{"db_password": "hunter 2", "user": "ana"}', "hunter 2"),
    ("POST /pay?api_key=abcdef123&x=1 500", "abcdef123"),
    ("Authorization: Basic YW5hOmh1bnRlcjI=", "YW5hOmh1bnRlcjI="),
    ("authorization=Bearer abc.def-ghi", "abc.def-ghi"),
    ("Cookie: session=s3cr3t; other=1", "s3cr3t"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI"),
    ("key AKIAIOSFODNN7EXAMPLE was refused", "AKIAIOSFODNN7EXAMPLE"),
    ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def expired", "eyJzdWIiOiIxIn0"),
    ("token ghp_0123456789abcdefghijABCDEFGHIJ012345 is bad", "ghp_0123456789"),
    ("dial postgres://shop:hunter2@db/shop: refused", "hunter2"),
    ("-----BEGIN RSA PRIVATE KEY----- MIIEow", "MIIEow"),
    ("X-Auth-Token: 0123456789", "0123456789"),
    ("slack says xoxb-123456-abcdef", "xoxb-123456"),
    ('password="hunter 2 and the line was cut', "hunter"),
    ("MY_SECRET_TOKEN_2='a b", "a b"),
]


@pytest.mark.parametrize(("line", "secret"), SECRETS)
def test_credentials_are_cut_out(line: str, secret: str) -> None:
    shown = plain(line)
    assert secret not in shown
    assert "[redacted]" in shown
    assert plain(shown) == shown, "cut again, nothing more is cut"


@pytest.mark.parametrize(
    "line", ["token bucket is empty", "the password was wrong", "cookies: none", "secretary: 5"]
)
def test_words_about_credentials_may_stay(line: str) -> None:
    """Cutting too much is better than too little, but a line must still say something."""
    assert plain(line).split(":")[0] == line.split(":", maxsplit=1)[0]


def test_a_secret_is_not_saved_by_the_cut() -> None:
    """It is cut out before the line is shortened, so that no half of it is left."""
    assert "hunter" not in plain("x" * 285 + " password=hunter2hunter2")


@given(st.text(max_size=400))
def test_any_text_becomes_one_printable_line(text: str) -> None:
    """No control character, no bidi mark, no line end, and never over the limit."""
    shown = plain(text)
    assert shown.isprintable()
    assert len(shown) <= 300
    pattern(text)


@pytest.mark.parametrize("text", ["a" * 100_000, "<n>" * 9_000, '"' * 50_000, "password" * 9_000, "0" * 90_000,
                                  "1." * 40_000, "{" * 50_000, "a-" * 40_000 + "="])  # fmt: skip
def test_a_huge_line_costs_little(text: str) -> None:
    """Only its beginning is looked at; no pattern runs away on it, on a thousand lines neither."""
    began = datetime.now(UTC)
    grouped([Finding(text=text)] * 1000 + [Finding(text=f"{text[n:]} x") for n in range(20)])
    assert datetime.now(UTC) - began < timedelta(seconds=2)
