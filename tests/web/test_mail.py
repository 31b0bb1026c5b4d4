"""The SMTP listener, by real clients: what it takes, what it refuses, and what it never does."""

import asyncio
import json
import smtplib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from structlog.testing import capture_logs

from bot.errors import BadSetting
from bot.web import mail as listener
from bot.web.mail import MailListener
from tests.servers.authority import Authority
from tests.servers.process import HOST, free_port
from tests.web.conftest import Open, Web

SECRET = "0123456789abcdef0123456789abcdef"
TO = f"email+{SECRET}@jackline.example.com"


class Door:
    """Where mail is taken, and what has become of it."""

    def __init__(self, web: Web, port: int, mail: MailListener) -> None:
        self.web, self.port, self.mail = web, port, mail

    def message(self, subject: str = "[FIRING:1] DiskFull", text: str = "Look.") -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = "grafana@example.com", TO
        message["Date"] = "Mon, 23 Nov 2026 21:19:58 +0000"
        message["Subject"] = subject
        message.set_content(text)
        return message

    def send(self, message: EmailMessage, *to: str, **tls: Any) -> dict[str, Any]:
        """As Python's own client does it; whom it refused."""
        with smtplib.SMTP(HOST, self.port, timeout=10) as client:
            if tls:
                client.starttls(**tls)
            return client.send_message(message, "bounces@example.com", to or [TO])

    def talk(self, *lines: bytes) -> list[str]:
        """What is answered, by one who says everything at once."""
        with socket.create_connection((HOST, self.port), timeout=10) as raw:
            raw.sendall(b"".join(line + b"\r\n" for line in lines))
            raw.shutdown(socket.SHUT_WR)
            said = b""
            while chunk := raw.recv(65536):
                said += chunk
        return said.decode().splitlines()

    async def stored(self) -> int:
        return int((await self.web.api("/alerts/count")).json()["stored"])


OpenDoor = Callable[..., Any]


@pytest.fixture
def open_door(open_alone: Open) -> OpenDoor:
    @asynccontextmanager
    async def opened(**settings: str) -> AsyncIterator[Door]:
        port = free_port()
        given = {
            "MAIL__LISTEN": f"{HOST}:{port}",
            "WEBHOOKS__EMAIL__SECRETS": json.dumps(["older-secret", SECRET]),
        } | settings
        async with open_alone(**given) as web:
            mail = MailListener(web.jackline.settings.mail, web.jackline.reception)
            running = asyncio.create_task(mail.run())
            try:
                yield Door(web, port, mail)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                mail.close()

    return opened


@pytest.fixture
async def door(open_door: OpenDoor) -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


async def test_a_mail_is_an_alert(door: Door) -> None:
    """Stored when it was answered; with either secret; sent again it is stored once."""
    for to in (TO, TO, "EMAIL+older-secret@any.test"):
        assert await asyncio.to_thread(door.send, door.message(), to) == {}
        assert await door.stored() == 1
    over = door.message("[RESOLVED] DiskFull")
    await aiosmtplib.send(over, hostname=HOST, port=door.port, recipients=[TO], sender="a@b.test")
    counted = (await door.web.api("/alerts/count")).json()
    assert counted == {"stored": 2, "firing": 0, "by_source": {"email": 2}}
    assert await door.web.metric("jackline_alerts_accepted_total", source="email") == 4


@pytest.mark.slow
async def test_nobody_else_has_an_address(door: Door) -> None:
    """No relay, no guessing: all answers are the same, and after three there are no more."""
    said = set()
    for to in (
        "postmaster@jackline.example.com", "email@jackline.example.com", "email+@x.test",
        "email+wrong@x.test", f"nosuch+{SECRET}@x.test", "someone@elsewhere.test",
        f"alertmanager+{SECRET}@x.test", f"api+{SECRET}@x.test", f"sns+{SECRET}@x.test",
        f"email+{SECRET}%elsewhere.test@x.test",
    ):  # fmt: skip
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await asyncio.to_thread(door.send, door.message(), to)
        said |= set(refused.value.recipients.values())
    assert said == {(550, b"5.1.1 Nobody here has this address.")}
    start = time.monotonic()
    lines = [b"EHLO x", b"MAIL FROM:<a@b.test>"] + [b"RCPT TO:<email+no@x.test>"] * 3
    with socket.create_connection((HOST, door.port)) as raw:
        await asyncio.to_thread(raw.sendall, b"".join(line + b"\r\n" for line in lines))
        raw.settimeout(30)
        while await asyncio.to_thread(raw.recv, 65536):
            pass
    assert time.monotonic() - start < 20
    assert await door.stored() == 0
    assert (
        await door.web.metric(
            "jackline_requests_refused_total", source="email", reason="unauthenticated"
        )
        == 7
    )


async def test_no_secret_stands_in_the_log(
    door: Door, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither Jackline's own nor the library's."""
    caplog.set_level("DEBUG")
    with capture_logs() as logs:
        await asyncio.to_thread(door.send, door.message())
        await asyncio.to_thread(door.talk, b"EHLO x", b"WRONG " + SECRET.encode(), b"QUIT")
    assert SECRET not in repr(logs) + caplog.text + repr(capfd.readouterr())


async def test_one_recipient_at_a_time(door: Door) -> None:
    """A mail has one answer; the sender's server sends it again to the others, as for any 452."""
    to = [TO, f"email+{SECRET}@two.test"]
    refused = await asyncio.to_thread(door.send, door.message(), *to)
    assert [code for code, _ in refused.values()] == [452]
    assert await door.stored() == 1


async def test_what_cannot_be_stored_is_not_acknowledged(door: Door, tmp_path: Path) -> None:
    """451, so that the sender's server keeps it: no database, and no room for the spool."""
    store = door.web.jackline.store
    await store.close()
    (tmp_path / "own" / "j.db").unlink()
    (tmp_path / "own" / "j.db").mkdir()
    spool = tmp_path / "data" / "spool"
    spool.parent.mkdir(exist_ok=True)
    spool.write_text("in the way")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        await asyncio.to_thread(door.send, door.message())
    assert refused.value.smtp_code == 451


async def test_what_is_wrong_is_said(door: Door) -> None:
    """5xx with the field, in plain ASCII on one line."""
    nothing = EmailMessage()
    nothing["From"] = "a@b.test"
    with pytest.raises(smtplib.SMTPDataError) as refused:
        await asyncio.to_thread(door.send, nothing)
    assert refused.value.smtp_code == 554
    assert b"5.6.0 Field Subject: it is missing" in refused.value.smtp_error
    assert await door.web.metric(
        "jackline_requests_refused_total", source="email", reason="malformed"
    ) == 1  # fmt: skip


async def test_a_bug_loses_no_mail(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> int:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(door.web.jackline.reception, "take", broken)
        with capture_logs() as logs, pytest.raises(smtplib.SMTPDataError) as refused:
            await asyncio.to_thread(door.send, door.message())
    assert refused.value.smtp_code == 451
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["mail_crashed"]
    assert await asyncio.to_thread(door.send, door.message()) == {}


async def test_a_mail_that_is_too_large(door: Door) -> None:
    """Refused before it comes where it says so, at its end where not, and cut off in between."""
    lines = "x" * 70 + "\n"
    large = door.message(text=lines * 20_000)
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        await asyncio.to_thread(door.send, large)
    assert refused.value.smtp_code == 552
    start = [b"EHLO x", b"MAIL FROM:<>", b"RCPT TO:<" + TO.encode() + b">", b"DATA", b"Subject: x",
             b""]  # fmt: skip
    said = await asyncio.to_thread(door.talk, *start, *[b"x" * 70] * 20_000, b".")
    assert said[-1].startswith("552 ")
    said = await asyncio.to_thread(door.talk, *start, b"x" * 300_000, b".")
    assert said[-1].startswith("500 Line too long")
    with pytest.raises(OSError, match=r"reset|Broken pipe|closed"):
        await asyncio.to_thread(door.talk, *start, b"x" * (listener.BYTES + 20_000_000))
    assert await door.stored() == 0

    def many() -> None:
        with smtplib.SMTP(HOST, door.port, timeout=10) as client:
            for _ in range(6):
                client.send_message(door.message(text=lines * 12_500), "a@b.test", [TO])

    await asyncio.to_thread(many)  # more than that in one connection, each small enough
    assert await door.stored() == 1


async def test_only_so_many_at_once(door: Door) -> None:
    """One more is told to come again; the place of one who has left is free."""
    held = [socket.create_connection((HOST, door.port)) for _ in range(listener.CONNECTIONS)]
    try:
        while len(door.mail.open) < listener.CONNECTIONS:
            await asyncio.sleep(0.01)
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            await asyncio.to_thread(door.send, door.message())
        assert refused.value.smtp_code == 421
        held.pop().close()
        while len(door.mail.open) == listener.CONNECTIONS:
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(door.send, door.message()) == {}
    finally:
        for each in held:
            each.close()


async def test_who_stays_too_long_is_sent_away(
    open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However busily; who says nothing sooner."""
    for limit in ("LIFE", "IDLE"):
        with monkeypatch.context() as patch:
            patch.setattr(listener, limit, 0.2)
            async with open_door() as door:
                with socket.create_connection((HOST, door.port), timeout=5) as raw:
                    said = b""
                    while chunk := await asyncio.to_thread(raw.recv, 4096):
                        said += chunk
            assert said.startswith(b"220 ")


async def test_at_the_end_each_is_told(open_door: OpenDoor) -> None:
    """Nobody is waited for, and what was not yet taken is sent again."""
    async with open_door() as door:
        raw = socket.create_connection((HOST, door.port), timeout=5)
        while not door.mail.open:
            await asyncio.sleep(0.01)
    with raw:
        said = b""
        while chunk := await asyncio.to_thread(raw.recv, 4096):
            said += chunk
    assert said.endswith(b"421 4.3.2 Shutting down. Come again.\r\n")


async def test_starttls(open_door: OpenDoor, tmp_path: Path) -> None:
    """With a certificate nothing is taken in the clear; a renewed one serves from then on."""
    authority = Authority(tmp_path)
    authority.server("jackline.example.com", f"IP:{HOST}")
    files = {"MAIL__CERTIFICATE": str(tmp_path / "jackline.example.com.pem"),
             "MAIL__KEY": str(tmp_path / "jackline.example.com.key")}  # fmt: skip
    async with open_door(**files) as door:
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            await asyncio.to_thread(door.send, door.message())
        assert refused.value.smtp_code == 530
        trust = ssl.create_default_context(cafile=authority.certificate)
        assert await asyncio.to_thread(door.send, door.message(), context=trust) == {}
        await aiosmtplib.send(
            door.message("x"), hostname=HOST, port=door.port, recipients=[TO], start_tls=True,
            tls_context=trust,
        )  # fmt: skip
        assert await door.stored() == 2
        (tmp_path / "jackline.example.com.key").write_text("half a ")
        assert await asyncio.to_thread(door.send, door.message("y"), context=trust) == {}
        other = tmp_path / "other"
        other.mkdir()
        renewed = Authority(other)
        renewed.server("jackline.example.com", f"IP:{HOST}")
        for kind in ("pem", "key"):
            made = other / f"jackline.example.com.{kind}"
            made.replace(tmp_path / f"jackline.example.com.{kind}")
        trust = ssl.create_default_context(cafile=renewed.certificate)
        assert await asyncio.to_thread(door.send, door.message("z"), context=trust) == {}


async def test_a_certificate_that_cannot_be_used(open_door: OpenDoor, tmp_path: Path) -> None:
    """Said at the start, with both settings; so is an address that cannot be had."""
    (tmp_path / "c.pem").write_text("no certificate")
    file = str(tmp_path / "c.pem")
    for given in ({"MAIL__CERTIFICATE": file}, {"MAIL__KEY": file}):
        with pytest.raises(BadSetting, match="JACKLINE_MAIL__KEY must be PEM files"):
            async with open_door(**given):
                pass
    cannot = pytest.raises(BadSetting, match="JACKLINE_MAIL__LISTEN: cannot listen on")
    with socket.create_server((HOST, 0)) as taken, cannot:
        async with open_door(MAIL__LISTEN=f"{HOST}:{taken.getsockname()[1]}"):
            pass


@pytest.mark.parametrize(
    "lines",
    [
        [b"\xff\xfe\x00"], [b""], [b"HELO"], [b"DATA"], [b"RCPT TO:<x>"], [b"AUTH PLAIN AAAA"],
        [b"EHLO x", b"MAIL FROM:"], [b"EHLO x", b"MAIL FROM:<a@b> SIZE=-1"],
        [b"EHLO x", b"MAIL FROM:<a@b>", b"RCPT TO:<" + b"a" * 400 + b"@x>"],
        [b"EHLO x", b"MAIL FROM:<a@b>", b"RCPT TO:<\xc3\xa4+\xff@x>"],
        [b"EHLO x", b"VRFY email", b"EXPN email", b"ETRN x", b"STARTTLS", b"X" * 5000],
        [b"EHLO x", b"MAIL FROM:<((((((((((((>", b'RCPT TO:<"\\>'],
    ],
)  # fmt: skip
async def test_any_nonsense_is_answered(door: Door, lines: list[bytes]) -> None:
    """With a code that is one, and the next client is served."""
    said = await asyncio.to_thread(door.talk, *lines, b"QUIT")
    assert all(line[:3].isdigit() and line[:3] >= "200" for line in said)
    assert "Traceback" not in " ".join(said)
    assert await asyncio.to_thread(door.send, door.message()) == {}
