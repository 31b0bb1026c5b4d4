"""The first evidence: what can be had is shown, what cannot is said, nothing stops, nothing doubles."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import update
from sqlmodel import select

from bot.access import Dialer
from bot.alerts import EvidenceCollector
from bot.alerts.evidence.book import DELAY
from bot.alerts.evidence.collector import LIMIT
from bot.alerts.evidence.tables import EvidenceItem, EvidenceLook
from bot.alerts.tables import CheckSample
from bot.catalog import Catalog, Check, Service, Target
from bot.chat.cards import Cards
from bot.contract import (
    Connection,
    EvidenceSource,
    Finding,
    Findings,
    Graph,
    Question,
    Series,
)
from bot.delivery import Delivery, Message
from bot.errors import Unavailable
from bot.incidents import Incident
from bot.registry import Registry
from bot.store import now
from bot.timeline import Entry
from tests.alerts.room import Room, an_alert
from tests.servers.cutter import Cut, cutter
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server
SECRET = "xoxb-1234567890-abcdef"
BAD = f"boom \x1b[31m<!channel> `id` 7 password=hunter2 {SECRET} https://evil.example"


class Numbers:
    """An integration of the test's own: asks its target for one number a query, plainly."""

    async def collect(self, question: Question, connection: Connection) -> list[Graph]:
        graphs = []
        for title, path in question.queries.items():
            value = float((await connection.http.get(path)).text)
            points = [(question.since.timestamp(), value), (question.until.timestamp(), value)]
            graphs.append(Graph(title=title, unit="1", series=[Series(label=title, points=points)]))
        return graphs


class Lists:
    """Another: one finding for each line of what its target says, of the kind that it is asked for."""

    async def collect(self, question: Question, connection: Connection) -> list[Findings]:
        lines = (await connection.http.get("/lines")).text.splitlines()
        kind: Any = question.about["kind"]
        at = datetime.now(UTC) - timedelta(minutes=5)
        items = [Finding(text=line, at=at, link=f"https://x.example/{i}", key=f"flag:{line}")
                 for i, line in enumerate(lines)]  # fmt: skip
        return [Findings(kind=kind, title=f"The {kind}", items=items)]


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
            Target(name="n/cut", url=url.replace("127.0.0.1", "127.0.0.77")),
            Target(name="n/silent", url=url.replace("127.0.0.1", "127.0.0.78")),
        ]  # fmt: skip
        room.catalog = Catalog(services=[service], targets=targets)
        self.collector = self.replica()

    def replica(self) -> EvidenceCollector:
        registry = Registry(evidence={"numbers": Numbers(), "lists": Lists()})
        dialer = Dialer(lambda: self.room.catalog)
        return EvidenceCollector(
            self.room.store, self.room.incidents, registry, dialer, self.folder, "https://j.example"
        )

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

    async def collect(self) -> list[Entry]:
        """The rows of the evidence, once everything was collected, once."""
        assert await self.collector.collect_next()
        assert not await self.collector.collect_next()
        return await self.rows()

    async def rows(self) -> list[Entry]:
        return [r for r in await self.room.rows() if r.kind.startswith("evidence_")]

    async def picture(self) -> dict[str, Any]:
        (row,) = [r for r in await self.rows() if "file" in r.data]
        return row.data

    async def missing(self) -> list[str]:
        return [r.text for r in await self.rows() if r.kind == "evidence_missing"]

    async def message(self) -> dict[str, Any]:
        """The one message that is edited in place."""
        async with self.room.store.read() as session:
            query = select(Message).where(Message.kind == "evidence")
            return (await session.execute(query)).scalar_one().payload

    async def shown(self) -> str:
        """The message as it is sent to Slack."""
        async with self.room.store.read() as session:
            query = select(Message).where(Message.kind == "evidence")
            message = (await session.execute(query)).scalar_one()
            cards = Cards(lambda: self.room.catalog, "")
            return str((await cards.render(session, message)).blocks)

    async def uploads(self) -> list[str]:
        return [row.payload["file"] for row in await self.room.all(Delivery) if row.op == "upload"]


def from_numbers(target: str = "n/up", path: str = "/value") -> dict[str, object]:
    return {"integration": "numbers", "target": target, "queries": {"Load": path}}


def from_lists(kind: str = "changes", target: str = "n/up") -> dict[str, object]:
    return {"integration": "lists", "target": target, "about": {"kind": kind},
            "link": "https://logs.example/?from=$since&to=$until&x=$x"}  # fmt: skip


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
    monkeypatch.setattr("bot.alerts.evidence.collector.LIMIT", 1.5)
    async with cutter("127.0.0.77", target.port) as line, silent("127.0.0.78", target.port):
        line.cut, line.always = Cut(answered=3), True
        began = time.monotonic()
        collecting = asyncio.create_task(desk.collector.collect_next())
        while not any(r.data.get("found") for r in await desk.rows()):
            await asyncio.sleep(0.02)
            assert time.monotonic() - began < 1.4, "what answered waits for what hangs"
        await collecting
    assert time.monotonic() - began < 5
    cut, hangs = sorted(await desk.missing())
    assert "numbers (n/cut)" in cut
    assert "numbers (n/silent): no answer within 1.5 s" in hangs
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
        assert LIMIT <= time.monotonic() - began < 5
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
            for _ in range(4):
                try:
                    await asyncio.sleep(1)
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
    assert time.monotonic() - began < 2
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


# ── lists ────────────────────────────────────────────────────────────────────────────────────


async def test_changes_are_one_list_and_lines_on_the_graphs(
    room: Room, tmp_path: Path, target: HttpApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a source found and what was reported to Jackline: newest first, each once, drawn."""
    marked: list[tuple[datetime, str]] = []
    monkeypatch.setattr(
        "bot.timeline.charts.draw", lambda _, marks: marked.extend(marks) or b"\x89PNG"
    )
    target.answers["/lines"] = Answer(body="checkout-v2 on\ncheckout-v2 on")
    desk = Desk(room, tmp_path, target.url, from_lists())
    shop = {"change": "deploy", "repository": "acme/shop", "environment": "production"}
    await room.intake.accept([
        deployed("Older", minutes=100, sha="a" * 40, **shop),
        deployed("Newer", minutes=2, sha="b" * 40, **shop),
        deployed("Elsewhere", minutes=3, sha="c" * 40, **shop | {"service": "blog"}),
    ])  # fmt: skip
    await desk.incident()
    await desk.collect()
    (part,) = (await desk.message())["parts"]
    said = [line["text"] for line in part["lines"]]
    assert said == ["Newer: success (bbbbbbb), by ana", "checkout-v2 on",
                    "Older: success (aaaaaaa), by ana"]  # fmt: skip
    assert part["title"] == "What changed in the last 2 hours"
    assert [label for _, label in marked] == ["declared", "deploy", "flag"]


async def test_what_strangers_wrote_is_inert_and_without_secrets(
    room: Room, tmp_path: Path, target: HttpApp
) -> None:
    """In the row, the message, the card and the file: no secret, no mention, no control character."""
    target.answers["/lines"] = Answer(body="\n".join(f"{BAD} {c * 9}" for c in "abcdefgh"))
    desk = Desk(room, tmp_path, target.url, from_lists("logs"))
    await desk.incident()
    rows = await desk.collect()
    (file,) = [f for f in await desk.uploads() if f.endswith(".txt")]
    whole = (tmp_path / file).read_text()
    assert whole.count("boom") == 8
    everything = f"{[(r.text, r.data) for r in rows]} {await desk.message()} {whole}"
    for secret in ("hunter2", SECRET, "\x1b"):
        assert secret not in everything
    shown = await desk.shown()
    assert "<!channel>" not in shown
    assert "`boom [31m&lt;!channel&gt; 'id' 7 password=[redacted]" in shown
    assert "https://logs.example/?from=1" in shown
    (row,) = [r for r in rows if r.data.get("attached")]
    assert row.data["attached"] == [file]
    assert row.data["more"] == 3


async def test_progress_is_one_message(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """While a slow source is asked, people see what is there and what is still looked for."""
    target.answers["/lines"] = Answer(body="flag a on")
    target.answers["/value"] = Answer(body="1", latency=1.8)
    desk = Desk(room, tmp_path, target.url, from_numbers(), from_lists())
    await desk.incident()
    collecting = asyncio.create_task(desk.collector.collect_next())
    seen = []
    while not collecting.done():
        await asyncio.sleep(0.05)
        if any(m.kind == "evidence" for m in await room.all(Message)):
            seen.append(await desk.shown())
    assert "Still looking at" in seen[0]
    assert any("flag a on" in s and "numbers (n/up) …" in s for s in seen)
    assert "Still looking" not in await desk.shown()


# ── restarts and replicas ────────────────────────────────────────────────────────────────────


async def stopped_in_the_middle(desk: Desk, target: HttpApp) -> None:
    """What a SIGKILL leaves: one place has answered, the graphs have not; the lease runs on."""
    target.answers["/value"] = Answer(body="1", latency=3)
    target.answers["/lines"] = Answer(body="flag a on")
    collecting = asyncio.create_task(desk.collector.collect_next())
    while not any(r.data.get("found") for r in await desk.rows()):
        await asyncio.sleep(0.02)
    collecting.cancel()
    await asyncio.gather(collecting, return_exceptions=True)
    target.answers["/value"] = Answer(body="1")


async def lease_over(desk: Desk, tries: int = 1) -> None:
    async with desk.room.store.write() as session:
        past = now() - timedelta(seconds=1)
        await session.execute(update(EvidenceLook).values(lease_until=past, tries=tries))


async def test_a_restart_in_the_middle_goes_on(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """What was told is not told again; what waits is asked again, once the lease is over."""
    desk = Desk(room, tmp_path, target.url, from_numbers(), from_lists())
    await desk.incident()
    await stopped_in_the_middle(desk, target)
    asked = sum(r.path == "/lines" for r in target.received)
    again = desk.replica()
    assert not await again.collect_next()
    await lease_over(desk)
    assert await again.collect_next()
    rows = await desk.rows()
    assert [r.data["title"] for r in rows] == [
        "The changes", "Shop: failing requests, Shop: slowest answer, Load",
    ]  # fmt: skip
    assert sum(r.path == "/lines" for r in target.received) == asked
    said = await desk.message()
    assert (len(said["parts"]), said["waiting"], said["missing"]) == (1, [], [])
    assert len(await desk.uploads()) == 1


async def test_a_source_that_brings_us_down_is_given_up(
    room: Room, tmp_path: Path, target: HttpApp
) -> None:
    """After three starts nobody asks any more, and what is missing is said."""
    desk = Desk(room, tmp_path, target.url, from_numbers(), from_lists())
    await desk.incident()
    await stopped_in_the_middle(desk, target)
    await lease_over(desk, tries=3)
    asked = len(target.received)
    assert await desk.replica().collect_next()
    assert len(target.received) == asked
    missing = await desk.missing()
    assert any("numbers (n/up): Jackline was stopped 3 times" in m for m in missing), missing
    assert (await desk.message())["waiting"] == []
    items: list[EvidenceItem] = await items_of(room)
    assert not [i for i in items if i.state == "waiting"]


async def test_a_source_taken_out_of_the_catalog_meanwhile(
    room: Room, tmp_path: Path, target: HttpApp
) -> None:
    desk = Desk(room, tmp_path, target.url, from_numbers(), from_lists())
    await desk.incident()
    await stopped_in_the_middle(desk, target)
    await lease_over(desk)
    Desk(room, tmp_path, target.url)  # the catalog without evidence
    assert await desk.replica().collect_next()
    (why,) = await desk.missing()
    assert "numbers (n/up): Jackline was stopped before it answered" in why


async def test_an_incident_that_ended_while_jackline_was_stopped(
    room: Room, tmp_path: Path, target: HttpApp
) -> None:
    """Its message does not go on looking for ever."""
    desk = Desk(room, tmp_path, target.url, from_numbers(), from_lists())
    await desk.incident()
    await stopped_in_the_middle(desk, target)
    await room.become("resolved")
    await lease_over(desk)
    assert await desk.replica().collect_next()
    assert (await desk.message())["waiting"] == []


async def test_two_replicas_tell_it_once(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """Both look at the same moment: one claims it."""
    target.answers["/lines"] = Answer(body="flag a on")
    desk = Desk(room, tmp_path, target.url, from_numbers(), from_lists())
    await desk.incident()
    both = [desk.collector, desk.replica()]
    assert sorted(await asyncio.gather(*(each.collect_next() for each in both))) == [False, True]
    assert len(await desk.rows()) == 2
    assert len(target.received) == 2


async def test_several_incidents_do_not_wait_for_each_other(
    room: Room, tmp_path: Path, target: HttpApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a storm one that hangs does not hold up the next."""
    monkeypatch.setattr("bot.alerts.evidence.collector.LIMIT", 0.5)
    target.answers["/value"] = Answer(latency=2)
    desk = Desk(room, tmp_path, target.url, from_numbers())
    await desk.incident()
    blog = Service(id="blog", title="Blog", tier="p2")
    room.catalog = room.catalog.model_copy(update={"services": [*room.catalog.services, blog]})
    await room.route(*(an_alert(f"Other{n}", service="blog", host=f"h{n}") for n in range(1)))
    async with room.store.write() as session:
        await session.execute(update(Incident).values(declared_at=now() - timedelta(seconds=9)))
    began = time.monotonic()
    assert await desk.collector.collect_next()
    assert time.monotonic() - began < 3
    assert all(i.evidence_at for i in await room.all(Incident))


async def test_the_database_away_in_the_middle(
    room: Room, tmp_path: Path, target: HttpApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is half told: the next turn goes on where this one ended."""
    target.answers["/lines"] = Answer(body="flag a on")
    desk = Desk(room, tmp_path, target.url, from_lists())
    await desk.incident()

    async def away(*_: object) -> None:
        raise Unavailable("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(desk.collector.book, "note", away)
        with pytest.raises(Unavailable):
            await desk.collector.collect_next()
    assert await desk.rows() == []
    await lease_over(desk)
    await desk.collect()
    assert [bool(r.data.get("found")) for r in await desk.rows()] == [True, False]


async def items_of(room: Room) -> list[EvidenceItem]:
    async with room.store.read() as session:
        return list((await session.execute(select(EvidenceItem))).scalars())


def deployed(what: str, *, minutes: int, **labels: str) -> Any:
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    alert = an_alert(what, "resolved", **{"actor": "ana", **labels})
    return replace(alert, annotations={"summary": f"{what}: success"}, starts_at=at, ends_at=at)
