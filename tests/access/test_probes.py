"""Access paths proven on real targets: end to end, with the real credential, by reading only."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import select

from bot.access import Dialer, Prober, credentials
from bot.access.outside import sign_of_life
from bot.access.tables import PackedBag, PathState
from bot.alerts import AccessAlerts, Intake
from bot.alerts.arrivals import unpack_all
from bot.alerts.tables import StoredAlert
from bot.catalog import Catalog
from bot.registry import load
from bot.store import Store, now
from bot.web.metrics import Metrics
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp
from tests.servers.process import HOST, free_port
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.server
DAY = timedelta(days=1)
CHECK = {"action": "http.check", "with": {"target": "shop", "path": "/health"}}


@pytest.fixture
def shop(http_server: Start[HttpApp]) -> HttpApp:
    return http_server("shop")


def prober(
    store: Store, *targets: dict[str, Any], paths: tuple[dict[str, Any], ...] = ()
) -> Prober:
    catalog = Catalog.model_validate({"targets": targets, "paths": [{"name": "direct"}, *paths]})
    return Prober(store, Dialer(lambda: catalog), load(), timedelta(minutes=10), 7 * DAY)


def target(url: str, **more: Any) -> dict[str, Any]:
    return {"name": "http/shop", "url": url, **more}


DEAD = {"name": "dead", "kind": "pinned", "connect_to": {HOST: "127.0.0.9"}}


async def test_each_path_is_proven_by_itself(store: Store, shop: HttpApp) -> None:
    """The one that works is proven with its time; the other says what happened on it."""
    both = target(shop.url, via=["direct", "dead"], probe=CHECK)
    good, bad = await prober(store, both, paths=(DEAD,)).probe_all()
    assert (good.path, good.standing, good.depth) == ("direct", "proven", "action")
    assert good.ms is not None
    assert good.age is not None
    assert (bad.path, bad.standing, bad.age) == ("dead", "failing", None)
    assert "cannot be reached over dead" in bad.error
    assert shop.count("/health") == 1


async def test_a_sick_target_is_reached_all_the_same(store: Store, shop: HttpApp) -> None:
    """The probe proves the path, not the health of what is behind it."""
    shop.default = Answer(status=500)
    (proof,) = await prober(store, target(shop.url, probe=CHECK)).probe_all()
    assert proof.standing == "proven"


async def test_a_refusal_of_our_own_proves_nothing(store: Store, sshd_server: Sshd) -> None:
    """The probe asks for a command that the target's entry does not allow: nothing was sent."""
    entry = {
        "name": "ssh/db1", "url": sshd_server.url, "settings": sshd_server.settings,
        "probe": {"action": "ssh.read", "with": {"host": "db1", "command": "no-such"}},
    }  # fmt: skip
    (proof,) = await prober(store, entry).probe_all()
    assert proof.standing == "failing"
    assert "The host allows no command 'no-such'" in proof.error


async def test_a_wrong_setting_of_a_database_proves_nothing(store: Store, shop: HttpApp) -> None:
    """Something listens there, and no action would ever get as far as to ask it."""
    entry = {
        "name": "postgres/db1", "url": f"tcp://{HOST}:{shop.port}", "settings": {"tls": "verfy"},
        "probe": {"action": "postgres.status", "with": {"server": "db1"}},
    }  # fmt: skip
    (proof,) = await prober(store, entry).probe_all()
    assert proof.standing == "failing"
    assert "tls is 'verfy'" in proof.error


async def test_without_a_probe_only_the_port_is_proven(store: Store, shop: HttpApp) -> None:
    """And that is said, not hidden."""
    (proof,) = await prober(store, target(shop.url)).probe_all()
    assert (proof.standing, proof.depth) == ("proven", "port")
    assert shop.received == []


async def test_a_host_is_logged_in_to(store: Store, sshd_server: Sshd) -> None:
    """With the key that a run would use; a wrong one is found before the incident."""
    entry = {"name": "ssh/db1", "url": sshd_server.url, "settings": sshd_server.settings}
    (proof,) = await prober(store, entry).probe_all()
    assert (proof.standing, proof.depth) == ("proven", "login")
    wrong = {**sshd_server.settings, "host_key": sshd_server.settings["host_key"][:-8] + "AAAAAAAA"}
    (proof,) = await prober(store, {**entry, "settings": wrong}).probe_all()
    assert proof.standing == "failing"


async def test_a_missing_credential_is_found(store: Store, shop: HttpApp) -> None:
    entry = target(shop.url, headers={"Authorization": "Bearer env:NOT_SET_ANYWHERE"}, probe=CHECK)
    (proof,) = await prober(store, entry).probe_all()
    assert (proof.standing, shop.received) == ("failing", [])
    assert "env:NOT_SET_ANYWHERE is not set" in proof.error


async def test_a_proof_grows_old(store: Store, shop: HttpApp) -> None:
    """After so many days it is no longer counted on, though nothing failed."""
    looks = prober(store, target(shop.url, probe=CHECK))
    await looks.probe_all()
    async with store.write() as session:
        await session.execute(update(PathState).values(proven_at=now() - 8 * DAY))
    (proof,) = await looks.status()
    assert (proof.standing, proof.words) == ("stale", "was proven 8 days ago")


async def test_one_of_several_processes_probes(store: Store, shop: HttpApp) -> None:
    """The database decides whose turn it is; the next one comes after its time."""
    entry = target(shop.url, probe=CHECK)
    await asyncio.gather(*(prober(store, entry).run_due() for _ in range(4)))
    assert shop.count("/health") == 1
    await prober(store, entry).run_due()
    assert shop.count("/health") == 1
    async with store.write() as session:
        await session.execute(update(PathState).values(due_at=now() - DAY))
    await prober(store, entry).run_due()
    assert shop.count("/health") == 2


async def test_what_leaves_the_catalog_is_forgotten(store: Store, shop: HttpApp) -> None:
    await prober(store, target(shop.url)).probe_all()
    assert await prober(store).probe_all() == []


async def test_a_sign_of_life_reaches_who_waits_for_it(shop: HttpApp) -> None:
    """Whoever is outside hears it; one that does not is a line in the log, not an end."""
    said = ""

    async def standing() -> str:
        return said

    assert await sign_of_life(f"{shop.url}/ping", standing) is True
    assert shop.count("/ping") == 1
    shop.default = Answer(status=404)
    assert await sign_of_life(f"{shop.url}/ping", standing) is False
    assert await sign_of_life(f"http://{HOST}:{free_port()}/", standing) is False
    said = "nothing is routed"
    assert await sign_of_life(f"{shop.url}/quiet", standing) is False
    assert shop.count("/quiet") == 0


@pytest.fixture
async def intake(store: Store) -> AsyncIterator[Intake]:
    taken = Intake(store)
    task = asyncio.create_task(taken.run())
    yield taken
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def stored(store: Store) -> list[tuple[str, str, str]]:
    await unpack_all(store)
    async with store.read() as session:
        rows = (await session.execute(select(StoredAlert).order_by("id"))).scalars()
        return [(r.name, r.status, r.annotations["summary"]) for r in rows]


async def test_a_failing_path_is_an_alert_and_its_end(store: Store, intake: Intake) -> None:
    """Once, after two minutes; resolved when it works again."""
    port = free_port()
    looks = prober(store, target(f"http://{HOST}:{port}"))
    alerts = AccessAlerts(
        store, intake, looks.dialer.catalog, holds=7 * DAY, longest_outage=3 * DAY
    )
    await looks.probe_all()
    await alerts.report()
    assert await stored(store) == []
    async with store.write() as session:
        await session.execute(update(PathState).values(bad_since=now() - timedelta(minutes=3)))
    for _ in range(2):
        await alerts.report()
    ((name, status, summary),) = await stored(store)
    assert (name, status) == ("AccessPathFailing", "firing")
    assert summary.startswith("The access path direct to http/shop failed: ")
    server = await asyncio.start_server(lambda _r, w: w.close(), HOST, port)
    async with server:
        await looks.probe_all()
        await alerts.report()
    assert [row[1] for row in await stored(store)] == ["firing", "resolved"]


async def test_a_path_that_leaves_the_catalog_is_no_alert_any_more(
    store: Store, intake: Intake
) -> None:
    """What it was about is gone: the alert ends, and says so."""
    looks = prober(store, target(f"http://{HOST}:{free_port()}"))
    await looks.probe_all()
    async with store.write() as session:
        await session.execute(update(PathState).values(bad_since=now() - timedelta(minutes=3)))
    catalog = looks.dialer.catalog()
    alerts = AccessAlerts(store, intake, lambda: catalog, holds=7 * DAY, longest_outage=3 * DAY)
    await alerts.report()
    catalog = Catalog()
    for _ in range(2):
        await alerts.report()
    assert [(n, s) for n, s, _ in await stored(store)] == [
        ("AccessPathFailing", "firing"),
        ("AccessPathFailing", "resolved"),
    ]
    ended = (await stored(store))[-1][2]
    assert ended == "The access path direct to http/shop is not in the catalog any more"


async def test_a_credential_that_ends_within_the_longest_outage(
    store: Store, intake: Intake
) -> None:
    """Said once for each end; one that lasts, or says nothing of its end, is no alert."""
    entries = [
        {"name": "old", "ref": "env:A", "expires": (now() - DAY).isoformat()},
        {
            "name": "soon",
            "ref": "env:B",
            "expires": (now() + 2 * DAY).isoformat(),
            "emergency": True,
        },
        {"name": "fine", "ref": "env:C", "expires": (now() + 30 * DAY).isoformat()},
        {"name": "open", "ref": "env:D"},
    ]
    catalog = Catalog.model_validate(json.loads(json.dumps({"credentials": entries})))
    alerts = AccessAlerts(store, intake, lambda: catalog, holds=7 * DAY, longest_outage=3 * DAY)
    for _ in range(2):
        await alerts.report()
    assert [(n, s[:29]) for n, _, s in await stored(store)] == [
        ("CredentialExpiring", "The credential old has expire"),
        ("CredentialExpiring", "The credential soon expires s"),
    ]
    found = {c.name: c.standing for c in credentials(catalog, now(), 3 * DAY)}
    entries[1]["expires"] = (now() + 90 * DAY).isoformat()
    catalog = Catalog.model_validate(json.loads(json.dumps({"credentials": entries})))
    for _ in range(2):
        await alerts.report()
    assert [(s, t) for _, s, t in (await stored(store))[2:]] == [
        ("resolved", "The credential soon was renewed")
    ]
    assert found == {"old": "expired", "soon": "expiring", "fine": "fine", "open": "fine"}


async def test_an_old_go_bag(store: Store, intake: Intake) -> None:
    """The newest counts: it fires once, and a new one ends that. Without any, nothing is said."""
    catalog = Catalog()
    alerts = AccessAlerts(store, intake, lambda: catalog, holds=7 * DAY, longest_outage=3 * DAY)
    await alerts.report()
    assert await stored(store) == []

    async def packed(name: str, days: int) -> None:
        async with store.write() as session:
            session.add(PackedBag(id=name, packed_at=now() - days * DAY, recipients=2,
                                  digest="d", signer="s", drilled_at=now(), score=1.0))  # fmt: skip
        for _ in range(2):
            await alerts.report()

    await packed("first", 31)
    ((name, status, summary),) = await stored(store)
    assert (name, status) == ("GoBagOld", "firing")
    assert "pack another one" in summary
    assert "jackline_bag_age_seconds 2.67" in (await Metrics(store).render()).decode()
    await packed("second", 1)
    assert [row[1] for row in await stored(store)] == ["firing", "resolved"]


async def test_a_go_bag_that_nobody_drills(store: Store, intake: Intake) -> None:
    """Newer bags do not put it off; a drill ends it; one that proved nothing is wanted again."""
    alerts = AccessAlerts(store, intake, Catalog, holds=7 * DAY, longest_outage=3 * DAY)
    async with store.write() as session:
        for name, days in (("first", 31), ("second", 1)):
            session.add(PackedBag(id=name, packed_at=now() - days * DAY, recipients=2,
                                  digest="d", signer="s"))  # fmt: skip

    async def after(days: float, score: float) -> list[str]:
        drilled = {"drilled_at": now() - days * DAY, "drilled_by": "ana", "score": score}
        async with store.write() as session:
            await session.execute(update(PackedBag).where(PackedBag.id == "second").values(drilled))
        for _ in range(2):
            await alerts.report()
        return [row[1] for row in await stored(store)]

    for _ in range(2):
        await alerts.report()
    ((name, status, summary),) = await stored(store)
    assert (name, status) == ("GoBagNotDrilled", "firing")
    assert "none was drilled yet" in summary
    assert await after(29, 0.5) == ["firing", "resolved"]
    assert await after(31, 0.5) == ["firing", "resolved", "firing"]
    assert "drilled 31 days ago by ana: 50%" in (await stored(store))[-1][2]
    assert await after(1, 1.0) == ["firing", "resolved"] * 2
    assert await after(0, 0.0) == [*["firing", "resolved"] * 2, "firing"]
