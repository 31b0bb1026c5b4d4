"""The first evidence: what can be had is shown, what cannot is said, nothing stops."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.access import Dialer
from bot.alerts import EvidenceCollector
from bot.alerts.tables import CheckSample
from bot.catalog import Catalog, Check, Service, Target
from bot.contract import Connection, EvidenceSource, Graph, Series
from bot.incidents import Incident
from bot.registry import Registry
from bot.store import now
from tests.alerts.room import Room, an_alert
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server


class Numbers:
    """An integration of the test's own: asks its target for one number a query, plainly."""

    async def collect(
        self,
        service: str,
        queries: Mapping[str, str],
        since: datetime,
        until: datetime,
        connection: Connection,
    ) -> list[Graph]:
        graphs = []
        for title, path in queries.items():
            value = float((await connection.http.get(path)).text)
            points = [(since.timestamp(), value), (until.timestamp(), value)]
            graphs.append(Graph(title=title, unit="1", series=[Series(label=title, points=points)]))
        return graphs


@pytest.fixture
def target(http_server: Start[HttpApp]) -> HttpApp:
    app = http_server("numbers")
    app.default = Answer(body="42")
    return app


class Desk:
    """The room with its evidence collector, and a service with these sources of evidence."""

    def __init__(self, room: Room, folder: Path, url: str, *evidence: dict[str, object]) -> None:
        self.room = room
        self.folder = folder
        check = Check(id="shop-home", url=url)
        service = Service.model_validate({
            "id": "shop", "title": "Shop", "tier": "p0", "checks": [check], "evidence": evidence,
        })  # fmt: skip
        targets = [
            Target(name="n/up", url=url), Target(name="n/off", url="http://127.0.0.1:9"),
            Target(name="n/locked", url=url, headers={"Authorization": "Bearer env:NO_SUCH_TOKEN"}),
        ]  # fmt: skip
        room.catalog = Catalog(services=[service], targets=targets)
        registry = Registry(evidence={"numbers": Numbers()})
        dialer = Dialer(lambda: room.catalog)
        self.collector = EvidenceCollector(room.store, room.incidents, registry, dialer, folder)

    async def incident(self) -> None:
        """An incident that is old enough to look at, with a sample of its check."""
        await self.room.route(an_alert())
        async with self.room.store.write() as session:
            before = now() - timedelta(seconds=30)
            await session.execute(update(Incident).values(declared_at=before))
            sample = CheckSample(
                check_id="shop-home", at=before, requests=4, failed=1, worst_ms=9, error="x"
            )
            session.add(sample)

    async def attached(self) -> dict[str, object]:
        """The row, once everything was collected, once."""
        assert await self.collector.collect_next()
        assert not await self.collector.collect_next()
        (row,) = [r for r in await self.room.rows() if r.kind == "evidence_attached"]
        return row.data


def from_numbers(target: str = "n/up", path: str = "/value") -> dict[str, object]:
    return {"integration": "numbers", "target": target, "queries": {"Load": path}}


def test_the_tests_own_source_keeps_the_contract() -> None:
    assert isinstance(Numbers(), EvidenceSource)


async def test_checks_and_sources_make_one_picture(
    room: Room, tmp_path: Path, target: HttpApp
) -> None:
    """A PNG on disk, named in the row, with every graph's title; nothing missing."""
    desk = Desk(room, tmp_path, target.url, from_numbers())
    await desk.incident()
    data = await desk.attached()
    assert data["title"] == "Shop: failing requests, Shop: slowest answer, Load"
    assert data["missing"] == []
    assert (tmp_path / str(data["file"])).read_bytes().startswith(b"\x89PNG")


BROKEN = {
    "refused": (from_numbers("n/off"), "numbers broke: ConnectError"),
    "no credential": (from_numbers("n/locked"), "NO_SUCH_TOKEN"),
    "an answer it cannot read": (from_numbers(path="/words"), "numbers broke: ValueError"),
    "no such integration": (from_numbers() | {"integration": "nobody"}, "'nobody'"),
    "no such target": (from_numbers("n/gone"), "'n/gone'"),
}


async def test_each_source_fails_on_its_own(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """Five broken sources: each said with its reason, and the good ones shown."""
    target.answers["/words"] = Answer(body="not a number")
    sources = [source for source, _ in BROKEN.values()]
    desk = Desk(room, tmp_path, target.url, *sources, from_numbers())
    await desk.incident()
    data = await desk.attached()
    missing = data["missing"]
    assert isinstance(missing, list)
    assert [words in said for (_, words), said in zip(BROKEN.values(), missing, strict=True)] == [
        True
    ] * len(BROKEN), missing
    assert str(data["title"]).endswith("Load")


async def test_a_source_that_hangs_is_left_out(
    room: Room, tmp_path: Path, target: HttpApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.alerts.evidence.LIMIT", 0.2)
    target.answers["/slow"] = Answer(latency=1)
    desk = Desk(room, tmp_path, target.url, from_numbers(path="/slow"))
    await desk.incident()
    data = await desk.attached()
    assert data["missing"] == ["numbers took too long."]
    assert data["file"]


async def test_a_figure_that_is_no_number(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """NaN leaves a gap in the picture, nothing more."""
    desk = Desk(room, tmp_path, target.url, from_numbers())
    target.default = Answer(body="nan")
    await desk.incident()
    assert (await desk.attached())["file"]


async def test_a_folder_that_cannot_be_written(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """The disk is full or read-only: said in the row, and tried no more."""
    (tmp_path / "file").write_text("in the way")
    desk = Desk(room, tmp_path / "file", target.url)
    await desk.incident()
    data = await desk.attached()
    assert data["file"] == ""
    assert "could not be drawn" in str(data["missing"])


async def test_no_evidence_is_a_row_too(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """Looked, and nothing was there: nobody waits for it."""
    desk = Desk(room, tmp_path, target.url)
    await room.route(an_alert("Odd", service="unknown"))
    assert not await desk.collector.collect_next()  # too young: a few samples more
    async with room.store.write() as session:
        await session.execute(update(Incident).values(declared_at=now() - timedelta(seconds=9)))
    assert (await desk.attached())["title"] == "No evidence could be had"


async def test_a_line_for_each_path_of_a_check(
    room: Room, tmp_path: Path, target: HttpApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen from two sides is not drawn as one line that jumps between them."""
    drawn: list[Graph] = []
    monkeypatch.setattr("bot.timeline.charts.draw", lambda graphs, _: drawn.extend(graphs) or b"")
    desk = Desk(room, tmp_path, target.url)
    await desk.incident()
    async with room.store.write() as session:
        at = now() - timedelta(seconds=20)
        session.add(
            CheckSample(check_id="shop-home", path="oob", at=at, requests=1, failed=0, worst_ms=7)
        )
    await desk.attached()
    errors, latency = ([(s.label, len(s.points)) for s in graph.series] for graph in drawn)
    assert errors == [("errors over direct", 1), ("errors over oob", 1)]
    assert latency == [("latency over direct", 1), ("latency over oob", 1)]
