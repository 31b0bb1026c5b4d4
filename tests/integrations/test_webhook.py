"""Notices at a receiver that checks the signature as the README says."""

import hashlib
import hmac
import time

import pytest

from bot.contract import Notice, Receipt
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from integrations.webhook.notifier import Webhook
from tests.integrations.direct import direct
from tests.integrations.notices import HOSTILE, NOTICE
from tests.servers.http_app import Answer, HttpApp
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
TO = "/hooks/jackline"


async def send(url: str, notice: Notice = NOTICE, to: str = TO, **settings: str) -> Receipt:
    async with direct("webhook/pager", url, timeout=2, settings=settings) as connection:
        return await Webhook().notify(notice, to, connection)


async def test_a_signed_notice(vendor: HttpApp) -> None:
    """The receiver can tell that it is ours, how old it is, and that it is no repeat."""
    receipt = await send(vendor.url, HOSTILE, secret="pager-key")
    (request,) = vendor.to(TO)
    assert request.method == "POST"
    assert Notice.model_validate(request.json()) == HOSTILE
    assert request.headers["idempotency-key"] == NOTICE.id
    at, _, signed = request.headers["x-jackline-signature"].partition(",v1=")
    seconds = at.removeprefix("t=")
    expected = hmac.new(b"pager-key", f"{seconds}.{request.body}".encode(), hashlib.sha256)
    assert hmac.compare_digest(signed, expected.hexdigest())
    assert abs(time.time() - int(seconds)) < 10
    assert receipt.confirmed is True
    async with direct("webhook/pager", vendor.url) as connection:
        assert await Webhook().confirm(receipt, connection) is True
        assert await Webhook().find(NOTICE, TO, connection) is None


async def test_without_a_secret_it_is_not_signed(vendor: HttpApp) -> None:
    await send(vendor.url)
    assert "x-jackline-signature" not in vendor.to(TO)[0].headers


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(400, "no"), Rejected),
        (Answer(302, headers={"Location": "/elsewhere"}), Rejected),
        (Answer(401), AuthFailed),
        (Answer(403), AuthFailed),
        (Answer(429, headers={"Retry-After": "7"}), Retryable),
        (Answer(503), Retryable),
        (Answer(500), Unknown),
        (Answer(drop=True), Unknown),
        (Answer(latency=60), Unknown),
    ],
)
async def test_what_an_answer_means(
    vendor: HttpApp, answer: Answer, kind: type[TargetError]
) -> None:
    """And it is asked once: no redirect is followed, nothing is repeated here."""
    vendor.answers[TO] = answer
    with pytest.raises(kind) as raised:
        await send(vendor.url)
    assert len(vendor.received) == 1
    if answer.status == 429:
        assert isinstance(raised.value, Retryable)
        assert raised.value.retry_after == 7


@pytest.mark.parametrize(
    "to", ["", "x", "//evil.test/x", "http://evil.test/", "/a/../b", "/a b", "/?x"]
)
async def test_what_is_no_path(vendor: HttpApp, to: str) -> None:
    """Least of all another host."""
    with pytest.raises(Rejected, match="must be a path"):
        await send(vendor.url, to=to)
    assert vendor.received == []


async def test_nobody_there() -> None:
    with pytest.raises(NotSent):
        await send(f"http://{HOST}:{free_port()}")
