"""Notices on a real ngircd, as people in the channel see them."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from bot.contract import Notice, Receipt
from bot.errors import AuthFailed, NotSent, Rejected, Unknown
from integrations.irc.lines import ROOM, parsed, said
from integrations.irc.notifier import Irc
from tests.access.test_tls import Authority, authority
from tests.integrations.direct import direct
from tests.integrations.notices import HOSTILE, NOTICE
from tests.servers.ngircd import CHANNEL, PASSWORD, Ngircd, ngircd
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
__all__ = ["authority"]


async def send(url: str, notice: Notice = NOTICE, to: str = CHANNEL, **settings: str) -> Receipt:
    async with direct("irc/oob", url, settings={"tls": "off"} | settings) as connection:
        return await Irc().notify(notice, to, connection)


@pytest.fixture(scope="module")
def shared() -> Iterator[Ngircd]:
    with ngircd() as server:
        yield server


async def test_people_in_the_channel_read_it(shared: Ngircd) -> None:
    """Line by line, once; the receipt says to how many it went."""
    with shared.person() as ana:
        receipt = await send(shared.url)
        assert ana.wait_for(3) == [NOTICE.subject, *NOTICE.text.splitlines()]
    assert receipt.confirmed is True
    assert "1 in #incidents" in receipt.detail
    async with direct("irc/oob", shared.url) as connection:
        assert await Irc().confirm(receipt, connection) is True
        with pytest.raises(Unknown):
            await Irc().find(NOTICE, CHANNEL, connection)


async def test_nobody_is_there(shared: Ngircd) -> None:
    """An empty channel hears nothing; a nick that is not there is a no."""
    assert (await send(shared.url, to="#empty")).confirmed is False
    with pytest.raises(Rejected, match="No such nick"):
        await send(shared.url, to="nobody")
    with shared.person("bea", channel="") as bea:
        assert (await send(shared.url, to="bea")).confirmed is True
        assert len(bea.wait_for(3)) == 3


async def test_words_of_others_stay_words(shared: Ngircd) -> None:
    """A line's end in a title ends no line of ours and begins no command."""
    with shared.person() as ana, shared.person("eve", channel="#other") as eve:
        await send(shared.url, HOSTILE)
        lines = ana.wait_for(4)
        assert lines[0] == "#12 SEV1 declared: a Bcc: all@example.com QUIT :"
        assert "PRIVMSG #other :x" in lines
        assert eve.said == []


async def test_a_taken_nick_and_a_key(shared: Ngircd) -> None:
    """Somebody has our nick; the channel has a key, and without it nothing is said."""
    with shared.person("jackline", channel="#locked", key="sesame") as holder:
        await send(shared.url, to="#locked", channel_key="sesame")
        assert len(holder.wait_for(3)) == 3
        assert any(line.startswith(":jackline_!") for line in holder.raw)
        with pytest.raises(Rejected, match="#locked"):
            await send(shared.url, to="#locked")
        assert len(holder.said) == 3


async def test_tls_and_password(authority: Authority) -> None:
    authority.server("irc.test")
    files = {
        "certificate": authority.folder / "irc.test.pem",
        "key": authority.folder / "irc.test.key",
    }
    ours = {
        "tls": "verify", "tls_ca": authority.certificate.read_text(), "tls_name": "irc.test",
        "password": PASSWORD,
    }  # fmt: skip
    with ngircd(password=PASSWORD, **files) as server:
        assert (await send(server.url, **ours)).confirmed is False
        with pytest.raises(AuthFailed) as refused:
            await send(server.url, **ours | {"password": "wr0ng-one"})
        assert "wr0ng-one" not in str(refused.value)
        with pytest.raises(NotSent, match=r"(?i)certificate|hostname"):
            await send(server.url, **ours | {"tls_name": "other.test"})


@pytest.mark.parametrize("to", ["", "#", "#a b", "#a,#b", "#a\r\nQUIT", "-x", "9x", ":x", "#" * 60])
async def test_what_is_no_channel(to: str) -> None:
    """Refused before anything is opened."""
    with pytest.raises(Rejected, match="a #channel or a nick"):
        await send("tcp://127.0.0.1:9", to=to)


async def test_settings_that_irc_cannot_carry() -> None:
    for name, value in (("nick", "a b"), ("channel_key", "x\r\nQUIT"), ("password", ":x")):
        with pytest.raises(Rejected):
            await send("tcp://127.0.0.1:9", **{name: value})
    with pytest.raises(Rejected, match="without TLS"):
        await send("tcp://127.0.0.1:9", password=PASSWORD)
    with pytest.raises(AuthFailed, match="tls_ca"):
        await send("tcp://127.0.0.1:9", tls="verify", tls_ca="none")


async def test_no_answer_and_nobody_there(shared: Ngircd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is said it is not sent; after, nobody knows."""
    monkeypatch.setattr("integrations.irc.notifier._SECONDS", 0.4)
    with pytest.raises(NotSent):
        await send(f"tcp://{HOST}:{free_port()}")
    with (
        socket.create_server((HOST, 0)) as silent,
        pytest.raises(NotSent, match="did not let us in"),
    ):
        await send(f"tcp://{HOST}:{silent.getsockname()[1]}")

    def freeze(notice: Notice) -> list[str]:
        shared.process.freeze()
        return said(notice)

    monkeypatch.setattr("integrations.irc.notifier._SECONDS", 2)
    monkeypatch.setattr("integrations.irc.notifier.said", freeze)
    try:
        with pytest.raises(Unknown, match="did not say whether"):
            await send(shared.url)
    finally:
        shared.process.thaw()


async def test_a_server_that_hangs_takes_no_longer_over_tls(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for to take leave: other paths are to be tried in the same notice's time."""
    monkeypatch.setattr("integrations.irc.notifier._SECONDS", 0.4)
    begun, over = asyncio.Event(), asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
        begun.set()
        await over.wait()
        writer.transport.abort()

    server = await asyncio.start_server(hang, HOST, 0, ssl=authority.server("irc.test"))
    try:
        port = server.sockets[0].getsockname()[1]
        trust = {"tls_ca": authority.certificate.read_text(), "tls_name": "irc.test"}
        async with asyncio.timeout(5):
            with pytest.raises(NotSent, match="did not let us in"):
                await send(f"tcp://{HOST}:{port}", tls="verify", **trust)
        assert begun.is_set()
    finally:
        over.set()
        server.close()


def test_lines_fit() -> None:
    """Cut by bytes between letters, and to six lines with a word about the rest."""
    long = NOTICE.model_copy(update={"subject": "ü" * 250, "text": "\n".join("x" * 9)})
    lines = said(long)
    assert all(len(line.encode()) <= ROOM for line in lines)
    assert "".join(lines[:2]) == "ü" * 250
    assert (len(lines), lines[-1]) == (6, "… and 6 more lines")


def test_a_servers_line() -> None:
    line = parsed(b":irc.test 433 * jackline :Nickname already in use\r\n")
    assert (line.source, line.command, line.words[1]) == ("irc.test", "433", "jackline")
    assert line.text == "Nickname already in use"
    assert parsed(b"\r\n").command == ""


def test_a_link_is_the_last_line() -> None:
    long = NOTICE.model_copy(update={"text": "a\n" * 50, "link": "https://x.org/ack?token=1"})
    assert said(long)[-1] == "Acknowledge: https://x.org/ack?token=1"
