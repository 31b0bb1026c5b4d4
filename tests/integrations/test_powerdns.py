"""Records on a real PowerDNS, as its clients see them."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.powerdns import PowerDns, powerdns
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
WWW: dict[str, Any] = {"server": "ns1", "zone": "shop.test", "name": "www.shop.test", "type": "A"}


@pytest.fixture
def server() -> Iterator[PowerDns]:
    with powerdns() as running:
        yield running


@pytest.fixture
async def on_dns(registry: Registry, server: PowerDns) -> AsyncIterator[Doing]:
    async with direct("powerdns/ns1", server.url, headers=server.headers, timeout=2) as connection:
        yield Doing(registry, connection)


async def test_a_record_is_switched_and_put_back(on_dns: Doing, server: PowerDns) -> None:
    """Clients see it at once; undo brings back value and TTL."""
    call = {**WWW, "values": ["192.0.2.20", "192.0.2.21"], "ttl": 30}
    preview = await on_dns.preview("powerdns.set_record", **call)
    (change,) = preview.changes
    assert (change.what, change.before) == ("A www.shop.test.", "192.0.2.10 (TTL 60 s)")
    assert change.after == (
        "192.0.2.20, 192.0.2.21 (TTL 30 s); resolvers may keep the old answer for 60 s"
    )
    assert await on_dns.verify("powerdns.set_record", **call) is False
    for _ in range(2):
        await on_dns.apply("powerdns.set_record", **call)
        assert server.answers("www.shop.test") == ["192.0.2.20", "192.0.2.21"]
    assert await on_dns.verify("powerdns.set_record", **call) is True
    assert (await on_dns.preview("powerdns.set_record", **call)).changes == []
    await on_dns.take_back(preview, "powerdns.set_record", **call)
    assert (server.answers("www.shop.test"), server.ttl("www.shop.test")) == (["192.0.2.10"], 60)


async def test_a_ttl_of_a_week_comes_back(on_dns: Doing, server: PowerDns) -> None:
    """Whatever the zone has, the way back is one that the action takes."""
    week = 604_800
    server.keep("www.shop.test", "192.0.2.10", week)
    call = {**WWW, "values": ["192.0.2.20"], "ttl": 30}
    preview = await on_dns.preview("powerdns.set_record", **call)
    await on_dns.apply("powerdns.set_record", **call)
    await on_dns.take_back(preview, "powerdns.set_record", **call)
    assert (server.answers("www.shop.test"), server.ttl("www.shop.test")) == (["192.0.2.10"], week)


async def test_another_ttl_alone_is_a_change(on_dns: Doing) -> None:
    """While resolvers are still told to keep the answer for longer, it did not take effect."""
    call = {**WWW, "values": ["192.0.2.10"], "ttl": 30}
    assert await on_dns.verify("powerdns.set_record", **call) is False
    await on_dns.apply("powerdns.set_record", **call)
    assert await on_dns.verify("powerdns.set_record", **call) is True


async def test_a_name_that_was_not_there(on_dns: Doing, server: PowerDns) -> None:
    """Undo deletes it again."""
    call = {**WWW, "name": "New.shop.test.", "type": "CNAME", "values": ["www.shop.test"]}
    preview = await on_dns.preview("powerdns.set_record", **call)
    assert preview.changes[0].before == "no record"
    await on_dns.apply("powerdns.set_record", **call)
    assert server.answers("new.shop.test", "CNAME") == ["www.shop.test."]
    found = await on_dns.apply(
        "powerdns.lookup", **{**WWW, "name": "new.shop.test", "type": "CNAME"}
    )
    assert found == {"found": True, "values": ["www.shop.test."], "ttl": 60}
    await on_dns.take_back(preview, "powerdns.set_record", **call)
    assert server.answers("new.shop.test", "CNAME") == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"name": "www.other.test"}, "is not inside the zone"),
        ({"name": "evilshop.test"}, "is not inside the zone"),
        ({"name": "shop.test", "type": "CNAME", "values": ["a.test"]}, "cannot be a CNAME"),
        ({"values": ["2001:db8::1"]}, "does not fit a record of type A"),
        ({"values": ["--help"]}, "is no address"),
        ({"values": ["{{ 7 }}"]}, "is no address"),
        ({"values": ["192.0.2.1", "192.0.2.1"]}, "given twice"),
        ({"type": "CNAME", "values": ["a.test", "b.test"]}, "has one value"),
        ({"type": "CNAME", "values": ["a b"]}, "is no name"),
        ({"type": "NS", "values": ["a.test"]}, "Input should be"),
        ({"name": "-x.shop.test"}, "should match pattern"),
        ({"zone": "../shop.test"}, "should match pattern"),
        ({"values": ["192.0.2.1"], "ttl": 0}, "greater than or equal to 5"),
    ],
)
def test_what_is_refused_before_it_is_sent(
    registry: Registry, more: dict[str, Any], said: str
) -> None:
    params = {**WWW, "values": [], **more}
    with pytest.raises(ValidationError) as caught:
        registry.action("powerdns.set_record").Params.model_validate(params)
    assert said in str(caught.value)


async def test_what_the_server_refuses(on_dns: Doing, server: PowerDns) -> None:
    """In its own words: an unknown zone, a CNAME beside other records."""
    with pytest.raises(Rejected, match=r"zone|Not Found|Could not find"):
        await on_dns.preview(
            "powerdns.set_record", **{**WWW, "zone": "no.test", "name": "a.no.test"}, values=[]
        )
    with pytest.raises(Rejected, match="CNAME"):
        await on_dns.apply(
            "powerdns.set_record", **{**WWW, "type": "CNAME"}, values=["a.shop.test"]
        )
    assert server.answers("www.shop.test") == ["192.0.2.10"]


async def test_a_wrong_key(registry: Registry, server: PowerDns) -> None:
    headers = {"X-API-Key": "wrong"}
    async with direct("powerdns/ns1", server.url, headers=headers) as connection:
        with pytest.raises(AuthFailed):
            await Doing(registry, connection).apply("powerdns.lookup", **WWW)


async def test_nobody_there_and_no_answer(registry: Registry, server: PowerDns) -> None:
    """Not sent; a read may be asked again; of a change nobody knows."""
    nowhere = f"http://{HOST}:{free_port()}"
    async with direct("powerdns/ns1", nowhere, headers=server.headers) as connection:
        with pytest.raises(NotSent):
            await Doing(registry, connection).apply("powerdns.lookup", **WWW)
    server.process.freeze()
    async with direct("powerdns/ns1", server.url, headers=server.headers, timeout=0.3) as frozen:
        with pytest.raises(Retryable):
            await Doing(registry, frozen).apply("powerdns.lookup", **WWW)
        with pytest.raises(Unknown):
            await Doing(registry, frozen).apply("powerdns.set_record", **WWW, values=[])
