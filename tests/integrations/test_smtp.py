"""Mail through a real relay: TLS by its own name, its login, its refusals, and no answer."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from bot.contract import Notice, Receipt
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from integrations.smtp.notifier import Mail
from tests.access.test_tls import Authority, authority
from tests.integrations.direct import direct
from tests.integrations.notices import HOSTILE, NOTICE
from tests.servers.mail import PASSWORD, USER, Mailbox, mailbox
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
__all__ = ["authority"]
TO = "oncall@example.com"
CLEAR = {"from": "jackline@ops.example.com", "tls": "off"}


async def send(url: str, notice: Notice = NOTICE, to: str = TO, **settings: str) -> Receipt:
    async with direct("smtp/relay", url, settings=CLEAR | settings) as connection:
        return await Mail().notify(notice, to, connection)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as relay:
        yield relay


async def test_a_notice_becomes_one_mail(box: Mailbox) -> None:
    """With what mail programs thread it by; the relay's yes is taken, not delivered."""
    receipt = await send(box.url)
    (mail,) = box.mails
    assert box.envelopes == [("jackline@ops.example.com", [TO])]
    assert mail["Subject"] == NOTICE.subject
    assert mail["Message-ID"] == "<jackline-12-7.mail@ops.example.com>"
    assert mail["References"] == "<jackline-12@ops.example.com>"
    assert mail["Date"].datetime == NOTICE.at
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().rstrip().splitlines() == NOTICE.text.splitlines()
    assert receipt.confirmed is None
    assert "kept as 1" in receipt.detail
    async with direct("smtp/relay", box.url) as connection:
        assert await Mail().confirm(receipt, connection) is None
        assert await Mail().find(NOTICE, TO, connection) is None


async def test_words_of_others_stay_words(box: Mailbox) -> None:
    """A line's end in a title begins no header, and a dot alone ends no mail."""
    await send(box.url, HOSTILE)
    (mail,) = box.mails
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("#12 SEV1 declared: a Bcc: all@example.com QUIT")
    assert "two & three" in mail.get_content()


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
async def test_tls_by_the_relays_own_name(authority: Authority, implicit: bool) -> None:
    """Though the driver talks to a forward's address; then, and only then, the login is sent."""
    ours = authority.certificate.read_text()
    more = {"tls": "verify" if implicit else "starttls", "tls_ca": ours}
    login = {} if implicit else {"username": USER, "password": PASSWORD}
    with mailbox(authority.server("mail.test"), implicit=implicit) as relay:
        await send(relay.url, tls_name="mail.test", **more, **login)
        assert len(relay.mails) == 1
        with pytest.raises(NotSent, match=r"(?i)certificate|hostname"):
            await send(relay.url, tls_name="other.test", **more, **login)
        with pytest.raises(NotSent, match=r"(?i)certificate"):
            await send(relay.url, tls_name="mail.test", tls=more["tls"], **login)
        if not implicit:
            wrong = {"username": USER, "password": "wr0ng-one"}
            with pytest.raises(AuthFailed) as refused:
                await send(relay.url, tls_name="mail.test", **more, **wrong)
            assert "wr0ng-one" not in str(refused.value)
            with pytest.raises(AuthFailed, match="username"):
                await send(relay.url, tls_name="mail.test", **more)
        assert len(relay.mails) == 1


async def test_nothing_goes_in_clear_by_accident(box: Mailbox) -> None:
    """No STARTTLS offered, or a password without TLS: refused before anything is sent."""
    with pytest.raises(Rejected, match="no mail goes in clear"):
        await send(box.url, tls="starttls")
    with pytest.raises(Rejected, match="without TLS"):
        await send(box.url, username=USER, password=PASSWORD)
    with pytest.raises(Rejected, match="It is `starttls`"):
        await send(box.url, tls="maybe")
    with pytest.raises(AuthFailed, match="tls_ca"):
        await send(box.url, tls="starttls", tls_ca="no certificate")
    assert box.mails == []


@pytest.mark.parametrize(
    "to", ["", "oncall", "a@b@c", "a@b.c,d@e.f", "-a@example.com", "a b@example.com", "a@e\r\nRCPT"]
)
async def test_what_is_no_address(box: Mailbox, to: str) -> None:
    with pytest.raises(Rejected, match="`to` must be one mail address"):
        await send(box.url, to=to)
    with pytest.raises(Rejected, match="`from` must be one mail address"):
        await send(box.url, **{"from": to})
    assert box.mails == []


@pytest.mark.parametrize(
    ("when", "answer", "kind"),
    [
        ("RCPT", "550 5.1.1 no such user", Rejected),
        ("RCPT", "451 4.7.1 come back later", Retryable),
        ("DATA", "552 5.3.4 too large", Rejected),
        ("DATA", "452 4.3.1 no space", Retryable),
        ("RCPT", "530 5.7.0 authentication required", AuthFailed),
    ],
)
async def test_a_relays_no(box: Mailbox, when: str, answer: str, kind: type[TargetError]) -> None:
    box.refuse[when] = answer
    with pytest.raises(kind, match=answer[4:]):
        await send(box.url)


async def test_a_lost_answer_and_nobody_there(box: Mailbox, monkeypatch: Any) -> None:
    """After the mail was handed over nobody knows; before, nothing was sent."""
    box.cut = True
    with pytest.raises(Unknown, match="did not say whether"):
        await send(box.url)
    with pytest.raises(NotSent):
        await send(f"tcp://{HOST}:{free_port()}")
    monkeypatch.setattr("integrations.smtp.notifier._SECONDS", 0.3)
    with socket.create_server((HOST, 0)) as silent, pytest.raises(NotSent, match="no session"):
        await send(f"tcp://{HOST}:{silent.getsockname()[1]}")
