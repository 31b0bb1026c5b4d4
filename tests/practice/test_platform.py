"""The practice platform does for real what an incident story needs of it."""

import asyncio
import gc
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from bot.practice import platform as platform_module
from bot.practice.ledger import payment_ids
from bot.practice.platform import Platform, StartFailed
from bot.practice.probe import probe
from tests.servers.process import wait_for

pytestmark = pytest.mark.server

ROOT = Path(__file__).resolve().parents[2]
TO_STANDBY = (
    "jackline.weight.payments.payments_primary=0&jackline.weight.payments.payments_standby=100"
)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Platform]:
    async with Platform(tmp_path) as platform:
        yield platform


async def test_starts_within_seconds_and_primary_serves(tmp_path: Path) -> None:
    """A demo must not keep its audience waiting; payments start at the primary."""
    began = time.monotonic()
    async with Platform(tmp_path) as platform:
        took = time.monotonic() - began
        seen = await probe(platform.edge_url)
    print(f"start {took:.2f} s")
    assert took < 15, "target is 4 s; the rest is for a busy machine"
    assert (seen.ok, seen.failed) == (20, 0)
    assert set(seen.served_by) == {"payments-primary"}


async def test_payments_fail_without_primary_until_weights_move(running: Platform) -> None:
    """Nothing fails over by itself: the edge answers 503 until its runtime says standby."""
    await running.kill_primary()
    async with httpx.AsyncClient(base_url=running.edge_url, trust_env=False) as client:
        answer = await client.get("/payments")
    assert answer.status_code in {502, 503}
    assert "x-shed" not in answer.headers
    assert (await probe(running.edge_url)).ok == 0

    await modify(running, TO_STANDBY)

    seen = await probe(running.edge_url)
    assert seen.served_by == {"payments-standby": 20}


async def test_edge_reports_the_dead_primary(running: Platform) -> None:
    """An integration can read from the admin port which cluster is well."""
    await running.kill_primary()
    async with httpx.AsyncClient(base_url=running.envoy_admin_url, trust_env=False) as admin:
        for _ in range(300):
            status = (await admin.get("/clusters?format=json")).json()["cluster_statuses"]
            health = {c["name"]: c["host_statuses"][0]["health_status"] for c in status}
            if health["payments_primary"].get("failed_active_health_check"):
                break
            await asyncio.sleep(0.1)
        runtime = (await admin.get("/runtime?format=json")).json()["entries"]
    assert health["payments_primary"]["failed_active_health_check"]
    assert "failed_active_health_check" not in health["payments_standby"]
    assert runtime["jackline.weight.payments.payments_primary"]["final_value"] == "100"
    assert runtime["shed.social"]["final_value"] == "0"


async def test_shedding_social_saves_payments_at_peak(running: Platform) -> None:
    """The standby alone drowns at peak; without social's fan-in it carries the payments."""
    await running.set_load("peak")
    await modify(running, TO_STANDBY)
    await asyncio.sleep(3)
    drowning = await payments_during(running, 3)

    await modify(running, "shed.social=100")
    for _ in range(10):  # first what had queued up is worked off
        saved = await payments_during(running, 3)
        if saved["rate"] < 0.02 and saved["p95_ms"] < drowning["p95_ms"]:
            break

    print(f"error rate {drowning['rate']:.2f} -> {saved['rate']:.2f}, {drowning} {saved}")
    assert drowning["rate"] > 0.1
    assert saved["rate"] < 0.02
    assert saved["p95_ms"] < drowning["p95_ms"]
    assert (await probe(running.edge_url, "/social")).ok == 0
    assert (await probe(running.edge_url, "/pricing")).failed == 0


async def test_shedding_a_share_spares_the_rest(running: Platform) -> None:
    """`shed.<service>` is a percentage of that service only."""
    await modify(running, "shed.pricing=50")
    half = await probe(running.edge_url, "/pricing", count=100)
    assert 25 <= half.failed <= 75
    assert (await probe(running.edge_url, "/social")).failed == 0


async def test_no_acknowledged_payment_is_lost(running: Platform) -> None:
    """What a user was told is paid is in the ledger after a SIGKILL in mid-traffic."""
    await running.set_load("peak")
    await asyncio.sleep(2)
    await running.kill_primary()
    await running.set_load("normal")
    await modify(running, TO_STANDBY)
    await asyncio.sleep(2)
    async with httpx.AsyncClient(trust_env=False) as client:
        told = set((await client.get(f"{running.load_url}/acknowledged")).json())
        an_early_one = min(told)
        kept = await client.get(
            f"{running.service_urls['payments-standby']}/payments/{an_early_one}"
        )
    assert len(told) > 20
    assert told <= payment_ids(running.ledger)
    assert kept.is_success


async def test_primary_comes_back_at_its_old_address(running: Platform) -> None:
    """A practice can end with the way back: started again, the primary serves again."""
    await running.kill_primary()
    assert running.pids["payments-primary"] is None
    await running.start("payments-primary")
    for _ in range(300):
        seen = await probe(running.edge_url, count=5)
        if seen.ok == 5:
            break
        await asyncio.sleep(0.1)
    assert seen.served_by == {"payments-primary": 5}


async def test_load_is_recorded_for_pictures_and_prometheus(running: Platform) -> None:
    """Both readings of the same answers: seconds without gaps, and counters."""
    await asyncio.sleep(2.5)
    async with httpx.AsyncClient(base_url=running.load_url, trust_env=False) as client:
        series = (await client.get("/series?seconds=300")).json()
        metrics = (await client.get("/metrics")).text
    times = [point["t"] for point in series["payments"]]
    assert times == list(range(times[0], times[-1] + 1))
    assert series["payments"][-1]["requests"] > 0
    assert series["payments"][-1]["p95_ms"] > 40
    assert 'practice_requests_total{outcome="ok",service="payments"}' in metrics
    assert 'practice_request_seconds_bucket{le="0.1",service="social"}' in metrics


async def test_nothing_is_left_after_stop(tmp_path: Path) -> None:
    """Every child is gone once the platform is."""
    async with Platform(tmp_path) as platform:
        pids = [pid for pid in platform.pids.values() if pid is not None]
        assert len(pids) == 6
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


async def test_nothing_is_left_when_start_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that dies at its start takes the others with it, and its log says why."""
    command = [sys.executable, "-c", "raise SystemExit('no edge today')"]
    monkeypatch.setattr(platform_module, "_envoy_command", lambda _config: command)
    platform = Platform(tmp_path)
    with pytest.raises(StartFailed, match="no edge today"):
        async with platform:
            pass
    assert set(platform.pids.values()) == {None}
    # A request that is cut off while it connects leaves its socket to the collector: httpx's doing.
    await asyncio.sleep(0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], dict]]:
    """The platform in a process of its own, with the addresses that it printed."""
    command = [sys.executable, "-m", "bot.practice.platform", "--dir", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        try:
            yield parent, json.loads(parent.stdout.readline())
        finally:
            parent.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_orphan_however_the_parent_ends(process, number: signal.Signals) -> None:
    """Even a parent that could not say goodbye leaves nobody behind."""
    parent, addresses = process
    children = [psutil.Process(pid) for pid in addresses["pids"].values()]
    os.kill(parent.pid, number)
    parent.wait(30)
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
    assert parent.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 0)


@pytest.mark.parametrize("started", [1, 3, 5])
def test_no_orphan_of_an_interrupted_start(tmp_path: Path, started: int) -> None:
    """Ctrl-C in the middle of starting ends those that had started."""
    command = [sys.executable, "-m", "bot.practice.platform", "--dir", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as parent:
        itself = psutil.Process(parent.pid)
        wait_for(lambda: len(itself.children()) >= started, timeout=60, what="so many to start")
        children = itself.children(recursive=True)
        parent.send_signal(signal.SIGINT)
        parent.wait(30)
    assert not psutil.wait_procs(children, timeout=20)[1]
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(p.info)]


def test_switchboard_over_http(process) -> None:
    """Another process can kill, start and load; an unknown name is a 404."""
    _, addresses = process
    with httpx.Client(base_url=addresses["control_url"], trust_env=False, timeout=10) as client:
        assert client.post("/kill/payments-primary").is_success
        assert client.get("/addresses").json()["pids"]["payments-primary"] is None
        assert httpx.get(f"{addresses['edge_url']}/payments", trust_env=False).status_code == 503
        assert client.post("/start/payments-primary").is_success
        assert client.post("/load/peak").is_success
        assert client.post("/kill/nobody").status_code == 404
        assert client.post("/load/nowhere").status_code == 404
    rate = httpx.get(f"{addresses['load_url']}/rate", trust_env=False).json()
    assert rate["rate"] == "peak"


async def modify(platform: Platform, query: str) -> None:
    """Change Envoy's runtime as Jackline's integration does."""
    async with httpx.AsyncClient(base_url=platform.envoy_admin_url, trust_env=False) as admin:
        (await admin.post(f"/runtime_modify?{query}")).raise_for_status()


async def payments_during(platform: Platform, seconds: int) -> dict[str, float]:
    """The error rate and the middle p95 of payments over the next full seconds."""
    await asyncio.sleep(seconds + 1)
    async with httpx.AsyncClient(base_url=platform.load_url, trust_env=False) as client:
        points = (await client.get(f"/series?seconds={seconds}")).json()["payments"]
    requests = sum(point["requests"] for point in points)
    errors = sum(point["errors"] for point in points)
    return {
        "rate": errors / requests,
        "p95_ms": statistics.median(p["p95_ms"] or 0 for p in points),
    }
