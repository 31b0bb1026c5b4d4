"""Each kind of check against its real server: well, down, and what is wrong in between."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.alerts.tables import CheckSample
from bot.catalog import Catalog
from bot.registry import load
from bot.store import Store
from tests.alerts.room import Room
from tests.alerts.test_checks import probe
from tests.servers.authority import Authority
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp, http_app
from tests.servers.postgres import PASSWORD, USER, Postgres
from tests.servers.powerdns import PowerDns, powerdns
from tests.servers.process import HOST, free_port
from tests.servers.redis import Node, redis_sentinel

pytestmark = pytest.mark.server
SECRET = "s3 cret&more"


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """What becomes of an answer on each database is in `test_checks`; this is about the asking."""
    return sqlite_store


def catalog_of(check: dict[str, Any], *targets: dict[str, Any], tier: str = "p0") -> Catalog:
    """A service with that check, which fires and ends at once."""
    check = {"id": "shop-check", "every": 60, "fail_after": 1, "recover_after": 1, **check}
    service = {"id": "shop", "title": "Shop", "tier": tier, "checks": [check]}
    return Catalog.model_validate({"services": [service], "targets": targets})


async def said(room: Room) -> str:
    """What the last alert says."""
    return (await room.stored())[-1].annotations["summary"]


async def test_tcp(room: Room, http_server: Start[HttpApp]) -> None:
    """A port that takes connections is well, whatever it would say; one that does not is down."""
    shop = http_server("shop")
    shop.default = Answer(500)
    room.catalog = catalog_of({"kind": "tcp", "url": f"tcp://{HOST}:{shop.port}"})
    assert await probe(room) == []
    shop.down()
    assert await probe(room) == ["firing"]
    assert f"{HOST}:{shop.port} cannot be reached over direct" in await said(room)
    assert (await room.stored())[0].link == ""
    shop.up()
    assert await probe(room) == ["firing", "resolved"]


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
    return made


async def test_a_certificate_that_is_about_to_end(room: Room, authority: Authority) -> None:
    """A warning by itself, days before anything is down; renewed, it ends."""
    port = free_port()
    room.catalog = catalog_of({"kind": "tls", "url": f"https://{HOST}:{port}"})
    with http_app("secure", port, authority.server("shop.invalid", f"IP:{HOST}")):
        assert await probe(room, 2) == ["firing"]
    (alert,) = await room.stored()
    assert (alert.name, alert.labels["severity"]) == ("CertificateEnding", "warning")
    assert alert.annotations["summary"].startswith(f"the certificate of {HOST} ends in 2 days, on ")
    assert [(s.failed, s.error) for s in await room.all(CheckSample)] == [(0, "")] * 2
    with http_app("secure", port, authority.server("shop.invalid", f"IP:{HOST}", days=60)):
        assert await probe(room) == ["firing", "resolved"]
    (incident,) = await room.route()
    assert incident.severity == "sev3"


async def test_how_long_before_is_the_catalogs(room: Room, authority: Authority) -> None:
    with http_app("secure", tls=authority.server("shop.invalid", f"IP:{HOST}")) as secure:
        room.catalog = catalog_of({"kind": "tls", "url": secure.url, "expires_within": "1d"})
        assert await probe(room) == []


@pytest.mark.parametrize("wrong", ["name", "authority", "plain", "down"])
async def test_no_tls_that_can_be_trusted(
    room: Room, authority: Authority, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another's certificate, one that nobody vouches for, no TLS at all, nobody there: all down."""
    if wrong == "authority":
        monkeypatch.delenv("SSL_CERT_FILE")
    names = [] if wrong == "name" else [f"IP:{HOST}"]
    tls = None if wrong == "plain" else authority.server("shop.invalid", *names)
    with http_app("secure", tls=tls) as secure:
        room.catalog = catalog_of({"kind": "tls", "url": f"tcp://{HOST}:{secure.port}"})
        if wrong == "down":
            secure.down()
        assert await probe(room) == ["firing"]
    words = {
        "name": "the certificate is refused: IP address mismatch",
        "authority": "the certificate is refused: unable to get local issuer",
        "plain": "no TLS: ",
        "down": "cannot be reached over direct",
    }
    assert words[wrong] in await said(room)
    assert (await room.stored())[0].labels["severity"] == "critical"


# ── DNS ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def names() -> Iterator[PowerDns]:
    with powerdns() as server:
        yield server


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"name": "www.shop.test"}, ""),
        ({"name": "WWW.shop.test.", "expect": ["192.0.2.10"]}, ""),
        ({"name": "shop.test", "type": "NS", "expect": ["NS1.shop.test"]}, ""),
        ({"name": "www.shop.test", "expect": ["192.0.2.99"]}, "www.shop.test A is 192.0.2.10"),
        ({"name": "www.shop.test", "type": "AAAA"}, "www.shop.test AAAA is nothing"),
        ({"name": "gone.shop.test"}, "gone.shop.test: NXDOMAIN"),
        ({"name": "www.other.test"}, "www.other.test: REFUSED"),
    ],
)
async def test_dns(room: Room, names: PowerDns, asked: dict[str, Any], wrong: str) -> None:
    """All values and no other, however they are spelt; what is there instead is said."""
    room.catalog = catalog_of({"kind": "dns", "url": f"tcp://{HOST}:{names.port}", **asked})
    assert await probe(room) == (["firing"] if wrong else [])
    if wrong:
        assert await said(room) == f"100 % of requests fail ({wrong})"


async def test_a_name_server_that_is_down_or_none(room: Room, http_server: Start[HttpApp]) -> None:
    shop = http_server("shop")
    asked = {"kind": "dns", "url": f"tcp://{HOST}:{shop.port}", "name": "a.test", "timeout": 1}
    room.catalog = catalog_of(asked)
    assert await probe(room) == ["firing"]
    assert "no answer of DNS" in await said(room)
    shop.down()
    await probe(room)
    assert "cannot be reached" in (await room.all(CheckSample))[-1].error


# ── PostgreSQL and Redis ─────────────────────────────────────────────────────────────────────


async def test_postgres(room: Room, postgres_server: Postgres) -> None:
    """By the integration, with the target's login; a login that is refused is no answer."""
    room.checks.registry = load()
    url = f"tcp://{HOST}:{postgres_server.port}"
    target = {"name": "postgres/orders", "url": url}
    check = {"kind": "postgres", "target": "postgres/orders"}
    login = {"user": USER, "password": PASSWORD}
    room.catalog = catalog_of(check, {**target, "settings": login})
    assert await probe(room) == []
    room.catalog = catalog_of(check, {**target, "settings": {**login, "password": "wrong"}})
    assert await probe(room) == ["firing"]
    assert "password authentication failed" in await said(room)
    room.catalog = catalog_of(check, {**target, "settings": login})
    assert await probe(room) == ["firing", "resolved"]
    room.catalog = catalog_of(check, {"name": target["name"], "url": f"tcp://{HOST}:{free_port()}"})
    assert await probe(room) == ["firing", "resolved", "firing"]
    assert "cannot be reached over direct" in await said(room)


@pytest.fixture(scope="module")
def redis() -> Iterator[Node]:
    with redis_sentinel(replicas=0, sentinels=1, quorum=1, password="sesame") as whole:
        yield whole.nodes[0]


async def test_redis(room: Room, redis: Node, http_server: Start[HttpApp]) -> None:
    """PING with the target's password; without it, and at what is no Redis, there is no PONG."""
    target = {"name": "redis/cart", "url": f"tcp://{redis.address}"}
    check = {"kind": "redis", "target": "redis/cart"}
    room.catalog = catalog_of(check, {**target, "settings": {"password": "sesame"}})
    assert await probe(room) == []
    room.catalog = catalog_of(check, {**target, "settings": {"password": "wrong"}})
    await probe(room)
    assert "no PONG: invalid username-password pair" in await said(room)
    room.catalog = catalog_of({"kind": "redis", "url": target["url"]})
    await probe(room)
    shop = http_server("shop")
    room.catalog = catalog_of({"kind": "redis", "url": f"tcp://{HOST}:{shop.port}"})
    await probe(room)
    errors = [sample.error for sample in await room.all(CheckSample)]
    assert errors[2].startswith("no PONG: Authentication required")
    assert errors[3] == "no PONG: InvalidResponse"
    redis.process.freeze()
    try:
        room.catalog = catalog_of({"kind": "redis", "url": target["url"], "timeout": 0.3})
        await probe(room)
    finally:
        redis.process.thaw()
    assert (await room.all(CheckSample))[-1].error


# ── HTTP journeys ────────────────────────────────────────────────────────────────────────────

STEPS = [
    {"path": "/login", "save": {"csrf": '/name="csrf" value="([^"]+)"/'}},
    {"path": "/login", "method": "POST", "body": "user=jack&password=$password&csrf=$csrf"},
    {"path": "/cart", "method": "POST", "body": {"items": ["$csrf", 5, "$$5"]}, "expect_status": 201,
     "save": {"order": "order.id"}},
    {"path": "/orders/$order?of=$csrf", "contains": "order $order is open"},
]  # fmt: skip


@pytest.fixture
def till(http_server: Start[HttpApp], monkeypatch: pytest.MonkeyPatch) -> HttpApp:
    """Where the journey of `STEPS` leads well."""
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    shop = http_server("shop")
    form, cookie = '<input name="csrf" value="a b/c">', {"Set-Cookie": "session=jack"}
    shop.answers["/login"] = [Answer(body=form, headers=cookie), Answer()]
    shop.answers["/cart"] = Answer(201, '{"order": {"id": 17}}')
    shop.answers["/orders/17"] = Answer(body="your order 17 is open")
    return shop


def journey(shop: HttpApp, **fields: Any) -> Catalog:
    target = {"name": "http/shop", "url": shop.url, "headers": {"X-Probe": "jackline"},
              "settings": {"password": "env:SHOP_PASSWORD"}}  # fmt: skip
    return catalog_of({"target": "http/shop", "steps": STEPS, **fields}, target)


async def test_a_journey(room: Room, till: HttpApp) -> None:
    """What one step finds the next ones use, quoted for its place; cookies last one journey."""
    room.catalog = journey(till)
    form = till.answers["/login"]
    assert isinstance(form, list)
    for turn in range(2):
        till.answers["/login"] = list(form)
        assert await probe(room) == []
        first, login, cart, order = till.received[4 * turn :]
        assert "cookie" not in first.headers
        assert {r.headers["cookie"] for r in (login, cart, order)} == {"session=jack"}
        assert login.body == "user=jack&password=s3+cret%26more&csrf=a+b%2Fc"
        assert cart.json() == {"items": ["a b/c", 5, "$5"]}
        assert order.query == "of=a b/c"  # as the server reads it
        assert {r.headers["x-probe"] for r in (first, login, cart, order)} == {"jackline"}


@pytest.mark.parametrize(
    ("path", "answer", "wrong"),
    [
        ("/login", [Answer(body='name="csrf" value="x"'), Answer(403)], "step 2, POST /login: HTTP 403"),
        ("/login", [Answer(body="no form")], "step 1, GET /login: the answer has no csrf"),
        ("/cart", Answer(201, "[]"), "step 3, POST /cart: the answer has no order"),
        ("/cart", Answer(201, "no JSON"), "step 3, POST /cart: the answer has no order"),
        ("/cart", Answer(201, latency=60), "step 3, POST /cart: TimeoutError"),
        ("/login", Answer(latency=60), "step 1, GET /login: TimeoutError"),
        ("/cart", Answer(drop=True), "step 3, POST /cart: "),
        ("/orders/17", Answer(body="cancelled"),
         "step 4, GET /orders/$order?of=$csrf: the answer does not contain 'order $order is open'"),
    ],
)  # fmt: skip
async def test_a_journey_that_fails_names_its_step(
    room: Room, till: HttpApp, path: str, answer: Any, wrong: str
) -> None:
    """And goes no further; no secret and nothing of an answer is in the alert."""
    till.answers[path] = list(answer) if isinstance(answer, list) else answer
    room.catalog = journey(till, timeout=1.5)
    assert await probe(room) == ["firing"]
    summary = await said(room)
    assert summary.startswith(f"100 % of requests fail ({wrong}")
    assert "cret" not in summary
    assert till.received[-1].path == path


async def test_an_answer_that_is_too_slow(room: Room, http_server: Start[HttpApp]) -> None:
    """Right, but late: it counts as failed, and how long it took is kept."""
    shop = http_server("shop")
    shop.default = Answer(latency=0.2)
    room.catalog = catalog_of({"url": shop.url, "max_ms": 100})
    assert await probe(room) == ["firing"]
    assert await said(room) == "100 % of requests fail (slower than 100 ms)"
    (sample,) = await room.all(CheckSample)
    assert sample.worst_ms > 200
