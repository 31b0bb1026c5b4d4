"""The first evidence: what can be had is shown, what cannot is said, nothing stops, nothing doubles."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.access import Dialer
from bot.alerts import EvidenceCollector
from bot.alerts.evidence.book import DELAY
from bot.alerts.evidence.collector import LIMIT
from bot.alerts.tables import CheckSample
from bot.contract import (
    Connection,
    EvidenceSource,
    Graph,
    Question,
)
from bot.delivery import Message
from bot.incidents import Incident
from bot.registry import Registry
from bot.store import now
from tests.alerts.desk import Desk, Lists, Numbers, from_lists, from_numbers
from tests.alerts.room import Room, an_alert
from tests.servers.cutter import Cut, cutter
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server


def test_the_tests_own_sources_keep_the_contract() -> None:
    assert isinstance(Numbers(), EvidenceSource)
    assert isinstance(Lists(), EvidenceSource)


async def test_checks_and_sources_make_one_picture(
    room: Room, tmp_path: Path, target: HttpApp
) -> None:
    """A PNG on disk, named in the row and the message, with every graph's title; nothing missing."""
    desk = Desk(room, tmp_path, target.url, from_numbers())
    await desk.incident()
    await desk.collect()
    data = await desk.picture()
    assert data["title"] == "Shop: failing requests, Shop: slowest answer, Load"
    assert data["sources"] == ["built-in checks", "numbers (n/up)"]
    assert (tmp_path / str(data["file"])).read_bytes().startswith(b"\x89PNG")
    said = await desk.message()
    assert (said["file"], said["missing"], said["waiting"]) == (data["file"], [], [])
    assert await desk.uploads() == [data["file"]]


async def test_what_nobody_measures_is_said(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """Checks see latency and errors; that there is no graph of traffic does not mean none."""
    desk = Desk(room, tmp_path, target.url)
    await desk.incident()
    await desk.collect()
    said = await desk.message()
    assert said["unmeasured"] == ["Shop: no source measures traffic and saturation"]
    assert "no source measures traffic and saturation" in await desk.shown()


BROKEN = {
    "refused": (from_numbers("n/off"), "the line broke: ConnectError"),
    "no credential": (from_numbers("n/locked"), "NO_SUCH_TOKEN"),
    "an answer it cannot read": (from_numbers(path="/words"), "it broke: ValueError"),
    "no such integration": (from_numbers() | {"integration": "nobody"}, "'nobody'"),
    "no such target": (from_numbers("n/gone"), "'n/gone'"),
}


async def test_each_source_fails_on_its_own(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """Five broken sources: each said in one line with its reason, and the good ones shown."""
    target.answers["/words"] = Answer(body="not a number")
    sources = [source for source, _ in BROKEN.values()]
    desk = Desk(room, tmp_path, target.url, *sources, from_numbers())
    await desk.incident()
    await desk.collect()
    missing = await desk.missing()
    for source, words in BROKEN.values():
        name = f"{source['integration']} ({source['target']})"
        assert any(name in said and words in said for said in missing), (words, missing)
    assert len(missing) == len(BROKEN)
    assert str((await desk.picture())["title"]).endswith("Load")
    assert len((await desk.message())["missing"]) == len(BROKEN)


async def test_a_line_that_hangs_or_is_cut_costs_only_itself(
    room: Room, tmp_path: Path, target: HttpApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One takes everything and answers nothing, one breaks: the others are there, and in time."""
    target.answers["/lines"] = Answer(body="flag a on")
    desk = Desk(
        room, tmp_path, target.url, from_numbers("n/silent"), from_numbers("n/cut"), from_lists()
    )
    await desk.incident()
    monkeypatch.setattr("bot.alerts.evidence.collector.LIMIT", 4.0)
    async with cutter("127.0.0.77", target.port) as line, silent("127.0.0.78", target.port):
        line.cut, line.always = Cut(answered=3), True
        began = time.monotonic()
        collecting = asyncio.create_task(desk.collector.collect_next())
        while not any(r.data.get("found") for r in await desk.rows()):
            await asyncio.sleep(0.02)
            assert not collecting.done(), "what answered waits for what hangs"
        await collecting
    assert time.monotonic() - began < 30
    cut, hangs = sorted(await desk.missing())
    assert "numbers (n/cut)" in cut
    assert "numbers (n/silent): no answer within 4 s" in hangs
    assert (await desk.picture())["title"] == "Shop: failing requests, Shop: slowest answer"


@asynccontextmanager
async def silent(address: str, port: int) -> AsyncIterator[None]:
    """Takes connections and everything that is sent, and says nothing."""
    opened: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: opened.append(writer), address, port)
    try:
        yield
    finally:
        for writer in opened:
            writer.close()
        server.close()
        await server.wait_closed()


async def test_it_takes_no_longer_than_it_says(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """One that hangs holds up the picture to the limit and no longer; a busy machine has room here."""
    desk = Desk(room, tmp_path, target.url, from_numbers(), from_numbers("n/silent"))
    await desk.incident()
    async with silent("127.0.0.78", target.port):
        began = time.monotonic()
        await desk.collector.collect_next()
        assert LIMIT <= time.monotonic() - began < 15
    (why,) = await desk.missing()
    assert f"no answer within {LIMIT:g} s" in why
    assert DELAY.total_seconds() + LIMIT <= 3.5, "no second is left for the picture"
    assert (await desk.picture())["file"]


async def test_a_source_that_never_ends_is_left_behind(
    room: Room, tmp_path: Path, target: HttpApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even one that does not let itself be cancelled."""
    monkeypatch.setattr("bot.alerts.evidence.collector.LIMIT", 0.2)

    class Stubborn:
        async def collect(self, question: Question, connection: Connection) -> list[Graph]:
            del question, connection
            for _ in range(2):
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    continue
            return []

    desk = Desk(room, tmp_path, target.url, from_numbers())
    registry = Registry(evidence={"numbers": Stubborn()})
    dialer = Dialer(lambda: room.catalog)
    collector = EvidenceCollector(room.store, room.incidents, registry, dialer, tmp_path)
    await desk.incident()
    began = time.monotonic()
    assert await collector.collect_next()
    assert time.monotonic() - began < 20
    (why,) = await desk.missing()
    assert "no answer within 0.2 s" in why
    for task in list(collector._left):  # so that the test ends clean
        task.cancel()
    await asyncio.gather(*collector._left, return_exceptions=True)


async def test_a_figure_that_is_no_number(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """NaN leaves a gap in the picture, nothing more."""
    desk = Desk(room, tmp_path, target.url, from_numbers())
    target.default = Answer(body="nan")
    await desk.incident()
    await desk.collect()
    assert (await desk.picture())["file"]


async def test_a_folder_that_cannot_be_written(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """The disk is full or read-only: said in the row, and tried no more."""
    (tmp_path / "file").write_text("in the way")
    target.answers["/lines"] = Answer(body="\n".join("abcdefghijkl"))
    desk = Desk(room, tmp_path / "file", target.url, from_lists())
    await desk.incident()
    await desk.collect()
    assert (await desk.picture())["file"] == ""
    assert "could not be drawn" in str((await desk.message())["unmeasured"])
    assert len((await desk.message())["parts"][0]["lines"]) == 10


async def test_no_evidence_is_a_row_too(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """Looked, and nothing was there: nobody waits for it, and the channel is not bothered."""
    desk = Desk(room, tmp_path, target.url)
    await room.route(an_alert("Odd", service="unknown"))
    assert not await desk.collector.collect_next()  # too young: a few samples more
    async with room.store.write() as session:
        await session.execute(update(Incident).values(declared_at=now() - timedelta(seconds=9)))
    await desk.collect()
    assert (await desk.picture())["title"] == "No evidence could be had"
    assert [m for m in await room.all(Message) if m.kind == "evidence"] == []


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
    await desk.collect()
    errors, latency = ([(s.label, len(s.points)) for s in graph.series] for graph in drawn)
    assert errors == [("errors over direct", 1), ("errors over oob", 1)]
    assert latency == [("latency over direct", 1), ("latency over oob", 1)]
