"""Records on a real BIND, changed by signed updates, as its clients see them."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import Any

import dns.flags
import dns.message
import dns.rrset
import pytest
from pydantic import ValidationError

from bot.access.dialer import Link
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.bind import Bind, bind
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
WWW: dict[str, Any] = {"server": "ns1", "zone": "shop.test", "name": "www.shop.test", "type": "A"}
SET, LOOK = "dns_update.set_record", "dns_update.lookup"


def _unsigned(question: bytes) -> bytes:
    """What somebody between us and the server could say."""
    answer = dns.message.make_response(dns.message.make_query("www.shop.test.", "A", flags=0))
    answer.id = int.from_bytes(question[:2], "big")
    answer.flags |= dns.flags.AA
    answer.answer = [dns.rrset.from_text("www.shop.test.", 60, "IN", "A", "203.0.113.9")]
    return answer.to_wire()


def _garbage(_: bytes) -> bytes:
    return b"HTTP/1.1 400 Bad Request"


def _nothing(_: bytes) -> bytes:
    return b""


@pytest.fixture
def server() -> Iterator[Bind]:
    with bind() as running:
        yield running


@pytest.fixture
async def link(server: Bind) -> AsyncIterator[Link]:
    async with direct("dns_update/ns1", server.url, settings=server.settings()) as connection:
        yield connection


@pytest.fixture
def on_dns(registry: Registry, link: Link) -> Doing:
    return Doing(registry, link)


async def test_a_record_is_switched_and_put_back(on_dns: Doing, server: Bind) -> None:
    """Clients see it at once; undo brings back value and TTL."""
    call = {**WWW, "values": ["192.0.2.21", "192.0.2.20"], "ttl": 30}
    preview = await on_dns.preview(SET, **call)
    (change,) = preview.changes
    assert (change.what, change.before) == ("A www.shop.test.", "192.0.2.10 (TTL 60 s)")
    assert change.after == (
        "192.0.2.20, 192.0.2.21 (TTL 30 s); resolvers may keep the old answer for 60 s"
    )
    assert await on_dns.verify(SET, **call) is False
    for _ in range(2):
        await on_dns.apply(SET, **call)
        assert server.answers("www.shop.test") == [("192.0.2.20", 30), ("192.0.2.21", 30)]
    assert await on_dns.verify(SET, **call) is True
    assert (await on_dns.preview(SET, **call)).changes == []
    await on_dns.take_back(preview, SET, **call)
    assert server.answers("www.shop.test") == [("192.0.2.10", 60)]


async def test_a_name_that_was_not_there(on_dns: Doing, server: Bind) -> None:
    """Undo deletes it again."""
    call = {**WWW, "name": "New.shop.test.", "type": "AAAA", "values": ["2001:DB8:0::1"]}
    preview = await on_dns.preview(SET, **call)
    assert preview.changes[0].before == "no record"
    await on_dns.apply(SET, **call)
    assert server.answers("new.shop.test", "AAAA") == [("2001:db8::1", 60)]
    found = await on_dns.apply(LOOK, **{**WWW, "name": "new.shop.test", "type": "AAAA"})
    assert found == {"found": True, "values": ["2001:db8::1"], "ttl": 60}
    await on_dns.take_back(preview, SET, **call)
    assert server.answers("new.shop.test", "AAAA") == []
    found = await on_dns.apply(LOOK, **{**WWW, "name": "new.shop.test"})
    assert found == {"found": False, "values": [], "ttl": None}


async def test_an_alias_with_its_long_ttl(on_dns: Doing, server: Bind) -> None:
    """A CNAME is switched, deleted and put back; only a TTL differs, and that is a change too."""
    call = {**WWW, "name": "alias.shop.test", "type": "CNAME", "values": ["WWW.other.test"]}
    preview = await on_dns.preview(SET, **call)
    assert preview.changes[0].before == "www.shop.test. (TTL 7200 s)"
    await on_dns.apply(SET, **call)
    assert server.answers("alias.shop.test", "CNAME") == [("www.other.test.", 60)]
    shorter = await on_dns.preview(SET, **call, ttl=5)
    assert shorter.changes[0].after.startswith("www.other.test. (TTL 5 s)")
    await on_dns.apply(SET, **{**call, "values": []})
    assert server.answers("alias.shop.test", "CNAME") == []
    await on_dns.take_back(preview, SET, **call)
    assert server.answers("alias.shop.test", "CNAME") == [("www.shop.test.", 7200)]


async def test_somebody_else_was_quicker(
    registry: Registry, server: Bind, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our look and our change the name got another value: that is not overwritten."""
    opened = 0

    def forward() -> AbstractAsyncContextManager[tuple[str, int]]:
        nonlocal opened
        opened += 1
        if opened == 2:
            server.update("www.shop.test", "A", "192.0.2.77")
        return Link.forward(link)

    monkeypatch.setattr(link, "forward", forward)
    doing = Doing(registry, link)
    with pytest.raises(Rejected, match="NXRRSET: the name is no longer as it was just read"):
        await doing.apply(SET, **WWW, values=["192.0.2.20"])
    assert server.answers("www.shop.test") == [("192.0.2.77", 60)]
    await doing.apply(SET, **WWW, values=["192.0.2.20"])
    assert server.answers("www.shop.test") == [("192.0.2.20", 60)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"name": "both.shop.test", "type": "CNAME", "values": ["www.shop.test"]}, "YXDOMAIN"),
        ({"name": "alias.shop.test", "values": ["192.0.2.1"]}, "YXRRSET"),
    ],
)
async def test_an_alias_beside_other_records(
    on_dns: Doing, server: Bind, more: dict[str, Any], said: str
) -> None:
    """BIND would leave such a change out and say that all is well."""
    with pytest.raises(Rejected, match=said) as caught:
        await on_dns.apply(SET, **{**WWW, **more})
    assert "cannot stand beside" in caught.value.hint
    assert server.answers("both.shop.test") == [("192.0.2.10", 60)]
    assert server.answers("alias.shop.test", "CNAME") == [("www.shop.test.", 7200)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"name": "www.other.test"}, "is not inside the zone"),
        ({"name": "evilshop.test"}, "is not inside the zone"),
        ({"name": "shop.test", "type": "CNAME", "values": ["a.test"]}, "cannot be a CNAME"),
        ({"values": ["2001:db8::1"]}, "does not fit a record of type A"),
        ({"type": "AAAA", "values": ["192.0.2.1"]}, "does not fit a record of type AAAA"),
        ({"values": ["--help"]}, "does not fit"),
        ({"values": ["{{ 7 }}"]}, "does not fit"),
        ({"values": ["192.0.2.1 ; x"]}, "does not fit"),
        ({"values": ["192.0.2.1\n192.0.2.2"]}, "does not fit"),
        ({"values": [""]}, "does not fit"),
        ({"values": ["192.0.2.1", "192.0.2.1"]}, "given twice"),
        ({"type": "CNAME", "values": ["a.test", "b.test"]}, "has one value"),
        ({"type": "CNAME", "values": ["a b"]}, "does not fit"),
        ({"type": "CNAME", "values": ["@"]}, "does not fit"),
        ({"type": "CNAME", "values": ["-a.test"]}, "does not fit"),
        ({"type": "CNAME", "values": ["x" * 64]}, "does not fit"),
        ({"type": "CNAME", "values": ["bücher.test"]}, "does not fit"),
        ({"type": "NS", "values": ["a.test"]}, "Input should be"),
        ({"name": "-x.shop.test"}, "should match pattern"),
        ({"name": f"a{'a.' * 122}shop.test"}, "longer than DNS allows"),
        ({"zone": "../shop.test"}, "should match pattern"),
        ({"values": ["192.0.2.1"], "ttl": -1}, "greater than or equal to 0"),
    ],
)
def test_what_is_refused_before_it_is_sent(
    registry: Registry, more: dict[str, Any], said: str
) -> None:
    params = {**WWW, "values": [], **more}
    with pytest.raises(ValidationError) as caught:
        registry.action(SET).Params.model_validate(params)
    assert said in str(caught.value)


async def test_what_the_server_refuses(on_dns: Doing, registry: Registry, server: Bind) -> None:
    """A zone that it has not, a name that the policy keeps from us, a key without rights."""
    elsewhere = {**WWW, "zone": "no.test", "name": "a.no.test"}
    with pytest.raises(Rejected, match="REFUSED") as caught:
        await on_dns.preview(SET, **elsewhere, values=[])
    assert "does not serve the zone" in caught.value.hint
    with pytest.raises(Rejected, match="has no zone www"):  # a name in the zone is no zone
        await on_dns.preview(SET, **{**WWW, "zone": "www.shop.test"}, values=[])
    with pytest.raises(Rejected, match="NOTAUTH"):
        await on_dns.apply(SET, **{**WWW, "zone": "www.shop.test"}, values=[])
    with pytest.raises(Rejected, match="REFUSED"):
        await on_dns.apply(SET, **{**WWW, "name": "locked.shop.test"}, values=[])
    async with direct("dns_update/ns1", server.url, settings=server.settings("reader")) as reader:
        doing = Doing(registry, reader)
        assert (await doing.apply(LOOK, **WWW))["values"] == ["192.0.2.10"]
        with pytest.raises(Rejected, match="REFUSED"):
            await doing.apply(SET, **WWW, values=[])
    assert server.answers("locked.shop.test") == server.answers("www.shop.test")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"key_name": "nobody"}, "refused the key"),
        ({"key_secret": base64.b64encode(b"wrong" * 6).decode()}, "refused the key"),
        ({"key_algorithm": "hmac-sha512"}, "refused the key"),
        ({"key_algorithm": "hmac-md5"}, "there is no key_algorithm 'hmac-md5'"),
        ({"key_secret": "no base64"}, "the key's name or secret is none"),
        ({"key_secret": ""}, "has no setting key_secret"),
    ],
)
async def test_a_wrong_key(
    registry: Registry, server: Bind, wrong: dict[str, str], said: str
) -> None:
    """Found out by the first look already; the secret is never shown."""
    settings = {**server.settings(), **wrong}
    async with direct("dns_update/ns1", server.url, settings=settings) as connection:
        doing = Doing(registry, connection)
        for name, more in ((LOOK, {}), (SET, {"values": []})):
            with pytest.raises(AuthFailed, match=said) as caught:
                await doing.apply(name, **WWW, **more)
            if settings["key_secret"]:
                assert settings["key_secret"] not in str(caught.value)
    assert server.answers("www.shop.test") == [("192.0.2.10", 60)]


async def test_a_clock_that_is_wrong(on_dns: Doing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures hold for minutes: the words say where to look."""
    for module in ("message", "renderer"):
        clock = SimpleNamespace(time=lambda: time.time() - 3600)
        monkeypatch.setattr(f"dns.{module}.time", clock)
    with pytest.raises(AuthFailed, match="clock"):
        await on_dns.apply(LOOK, **WWW)


async def test_a_server_that_cannot_write(on_dns: Doing, server: Bind) -> None:
    """It answers SERVFAIL: nobody knows from that, and reading tells."""
    (server.process.log.parent / "zone.jnl").mkdir()  # where its journal would go
    call = {**WWW, "values": ["192.0.2.20"]}
    with pytest.raises(Unknown, match="SERVFAIL"):
        await on_dns.apply(SET, **call)
    assert await on_dns.verify(SET, **call) is False


@pytest.mark.parametrize(
    ("said", "why"), [(_unsigned, "TSIG"), (_garbage, "malformed"), (_nothing, "EOF")]
)
async def test_an_answer_that_may_be_anybodys(
    registry: Registry, server: Bind, said: Callable[[bytes], bytes], why: str
) -> None:
    """One without a signature is not believed, and no better than none."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        wire = said(question)
        writer.write(len(wire).to_bytes(2, "big") + wire if wire else b"")
        writer.close()

    stranger = await asyncio.start_server(answer, HOST, 0)
    address = f"tcp://{HOST}:{stranger.sockets[0].getsockname()[1]}"
    async with (
        stranger,
        direct("dns_update/ns1", address, settings=server.settings()) as connection,
    ):
        with pytest.raises(Retryable, match=why):
            await Doing(registry, connection).apply(LOOK, **WWW)


async def test_nobody_there_and_no_answer(
    registry: Registry, server: Bind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not sent; a read may be asked again; of a change nobody knows."""
    monkeypatch.setattr("integrations.dns_update.messages._PATIENCE", 0.3)
    settings = server.settings()
    async with direct("dns_update/ns1", f"tcp://{HOST}:{free_port()}", settings=settings) as nobody:
        with pytest.raises(NotSent):
            await Doing(registry, nobody).apply(LOOK, **WWW)
    async with direct("dns_update/ns1", server.url, settings=settings) as connection:
        opened = 0

        def forward() -> AbstractAsyncContextManager[tuple[str, int]]:
            """The server stands still once it has been read."""
            nonlocal opened
            opened += 1
            if opened == 2:
                server.process.freeze()
            return Link.forward(connection)

        monkeypatch.setattr(connection, "forward", forward)
        doing = Doing(registry, connection)
        with pytest.raises(Unknown):
            await doing.apply(SET, **WWW, values=["192.0.2.20"])
        with pytest.raises(Retryable):
            await doing.apply(LOOK, **WWW)
        server.process.thaw()
        monkeypatch.undo()  # it may need longer than that
        assert await doing.verify(SET, **WWW, values=["192.0.2.20"]) in {True, False}
