"""Evidence that is a list: what changed, what was logged; what strangers wrote there is inert."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bot.delivery import Message
from tests.alerts.desk import BAD, SECRET, Desk, from_lists, from_numbers
from tests.alerts.room import Room, an_alert
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server


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


def deployed(what: str, *, minutes: int, **labels: str) -> Any:
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    alert = an_alert(what, "resolved", **{"actor": "ana", **labels})
    return replace(alert, annotations={"summary": f"{what}: success"}, starts_at=at, ends_at=at)
