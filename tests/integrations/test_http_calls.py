"""What all integrations that speak HTTP share: what a failed call means, and what its error says."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from bot.contract.http import Api, retry_after
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from tests.integrations.direct import direct
from tests.servers.http_app import Answer, HttpApp
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
TOKEN = "s3cr3t-t0ken"
API = Api(
    "The shop",
    hint="Look at the token.",
    hints={409: "Plan again."},
    words=lambda body: body["why"],
    busy={420, 429},
    pause=2.0,
)


async def call(url: str, method: str, **more: Any) -> Any:
    login = {"Authorization": f"Bearer {TOKEN}"}
    async with direct("http/shop", url, timeout=1.5, headers=login) as connection:
        return await API.json(connection, method, "/orders", **more)


@pytest.mark.parametrize(
    ("answer", "read", "change"),
    [
        (Answer(400), Rejected, Rejected),
        (Answer(302, headers={"Location": "/elsewhere"}), Rejected, Rejected),
        (Answer(401), AuthFailed, AuthFailed),
        (Answer(403), AuthFailed, AuthFailed),
        (Answer(404), Rejected, Rejected),
        (Answer(420), Retryable, Retryable),
        (Answer(429), Retryable, Retryable),
        (Answer(500), Retryable, Unknown),
        (Answer(503), Retryable, Unknown),
        (Answer(body="<html>"), Retryable, Unknown),
        (Answer(body="[" * 100_000), Retryable, Unknown),
        (Answer(drop=True), Retryable, Unknown),
        (Answer(latency=60), Retryable, Unknown),
    ],
)
async def test_what_an_answer_means(
    shop: HttpApp, answer: Answer, read: type[TargetError], change: type[TargetError]
) -> None:
    """For a GET, for a change, and for a POST that may be repeated; each is sent once."""
    shop.default = answer
    for method, more, kind in (("GET", {}, read), ("POST", {}, change), ("POST", {"once": False}, read)):  # fmt: skip
        shop.received.clear()
        with pytest.raises(kind, match=r"^The shop") as raised:
            await call(shop.url, method, **more)
        assert type(raised.value) is kind
        assert len(shop.received) == 1
        assert shop.received[0].headers["authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in str(raised.value)


async def test_an_answer_without_end(shop: HttpApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not taken into memory: a look may be asked again, of a change nobody knows."""
    monkeypatch.setattr("bot.access.ways._LARGEST", 100_000)
    shop.default = Answer(body=f'["{"x" * 99_996}"]')
    assert len(await call(shop.url, "GET")) == 1
    shop.default = Answer(body=f'["{"x" * 99_997}"]')
    for method, kind in (("GET", Retryable), ("POST", Unknown)):
        with pytest.raises(kind, match="AnswerTooLarge"):
            await call(shop.url, method)


async def test_what_was_asked_for_may_be_lacking(shop: HttpApp) -> None:
    shop.default = Answer(404, '{"why": "no orders"}')
    assert await call(shop.url, "GET", lacking=True) is None
    with pytest.raises(Rejected, match=r"^The shop answered 404: no orders$"):
        await call(shop.url, "GET")
    shop.default = Answer(body="[1]")
    assert await call(shop.url, "GET", lacking=True) == [1]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (409, '{"why": "moved\\n on"}', "The shop answered 409: moved on Plan again."),
        (403, '{"why": "closed"}', "The shop answered 403: closed Look at the token."),
        (400, '{"other": 1}', 'The shop answered 400: {"other": 1}'),
        (400, "[]", "The shop answered 400: []"),
        (400, "[" * 100_000, f"The shop answered 400: {'[' * 200}"),
        (400, "  plain\r\n words ", "The shop answered 400: plain words"),
        (400, "", "The shop answered 400"),
        (400, "x" * 5000, f"The shop answered 400: {'x' * 200}"),
        (400, '{"why": "' + "x" * 5000 + '"}', f"The shop answered 400: {'x' * 400}"),
    ],
)
async def test_the_words_of_a_refusal(shop: HttpApp, status: int, body: str, said: str) -> None:
    """The API's own, in one line, cut; the body where it is not as the API writes it; our hints."""
    shop.default = Answer(status, body)
    with pytest.raises(TargetError) as raised:
        await call(shop.url, "POST")
    assert str(raised.value) == said


async def test_nobody_there() -> None:
    """Nothing left: whatever it was, another path may be tried."""
    for method in ("GET", "POST"):
        with pytest.raises(NotSent, match=r"^The shop was not reached: .+\.$"):
            await call(f"http://{HOST}:{free_port()}", method)


async def test_how_long_a_busy_server_asks_us_to_wait(shop: HttpApp) -> None:
    """By its own word, else by what is known of the API."""
    for headers, seconds in (({"Retry-After": "7"}, 7), ({}, 2), ({"Retry-After": "soon"}, 2)):
        shop.default = Answer(429, headers=headers)
        with pytest.raises(Retryable) as raised:
            await call(shop.url, "POST")
        assert raised.value.retry_after == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        (" 12 ", 12),
        ("9" * 500, 86_400),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        *((text, None) for text in ("", "-1", "1.5", "²", "٣", "soon", "Fri, 31 Dec", "9" * 9 + " Dec 1")),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
        ("Fri, 31 Dec 1999 23:59:59 +9999999999", None),
    ],
)  # fmt: skip
def test_retry_after(text: str, seconds: float | None) -> None:
    """Whatever a server writes there is a number of seconds within a day, or nothing."""
    assert retry_after({"retry-after": text}) == seconds


def test_retry_after_a_time() -> None:
    at = datetime.now(UTC) + timedelta(seconds=90)
    assert retry_after({"retry-after": format_datetime(at, usegmt=True)}) == pytest.approx(
        90, abs=5
    )
