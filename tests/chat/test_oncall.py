"""`/incident oncall` over each database: who is on call, who stands in, and how it is taken back."""

import json
from pathlib import Path

import pytest
from sqlmodel import select

from bot.contract import Duty
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.paging.tables import OncallOverride
from bot.store import now
from bot.timeline import rows_of
from tests.catalog.test_oncall import at
from tests.chat.room import ChatRoom, words

SCHEDULES = [
    {"id": "shop", "title": "Shop <first>", "timezone": "Europe/Berlin",
     "layers": [{"people": ["ana", "ben"], "since": "2026-01-05", "every": "1w"}]},
    {"id": "nobody", "layers": [{"people": ["ana"], "since": "2020-01-01", "until": "2020-01-02"}]},
]  # fmt: skip


@pytest.fixture
def oncall(room: ChatRoom) -> ChatRoom:
    path = room.library.folder / "catalog" / "oncall.yaml"
    Path(path).write_text(json.dumps({"schedules": SCHEDULES}))
    room.library.reload()
    return room


async def rows(room: ChatRoom) -> list[tuple[str, str]]:
    async with room.store.read() as session:
        return [(row.kind, row.actor) for row in await rows_of(session, 0)]


async def test_who_is_on_call(oncall: ChatRoom) -> None:
    """A line for each schedule, gaps marked, names of people inert."""
    said = words((await oncall.type_("/incident oncall")).blocks)
    assert "📟 *Shop &lt;first&gt;*: " in said
    assert "⚠️ *nobody*: nobody" in said
    assert "nobody is on call from" in said
    one = words((await oncall.type_("/incident oncall shop")).blocks)
    assert one.count("from ") >= 4
    with pytest.raises(NotFound, match="did you mean 'shop'"):
        await oncall.type_("/incident oncall shopp")


async def test_somebody_stands_in_and_it_is_taken_back(oncall: ChatRoom) -> None:
    """Typed twice is once; who did what is on record; undone once."""
    asked = "/incident oncall override shop cleo for 4h"
    reply = await oncall.type_(asked, key="k1")
    again = await oncall.type_(asked, key="k1")
    assert reply.text == again.text
    assert "Override 1: Cleo is on call for Shop <first> from" in reply.text
    assert "*: Cleo until " in words((await oncall.type_("/incident oncall")).blocks)
    await oncall.type_("/incident oncall override shop dora for 1h", "ben")
    assert "*: Dora until " in words((await oncall.type_("/incident oncall")).blocks)
    assert "taken back" in (await oncall.type_("/incident oncall undo 2")).text
    assert "*: Cleo until " in words((await oncall.type_("/incident oncall")).blocks)
    with pytest.raises(Conflict, match="over already"):
        await oncall.type_("/incident oncall undo 2")
    assert await rows(oncall) == [
        ("oncall_overridden", "person:ana"), ("oncall_overridden", "person:ben"),
        ("oncall_override_undone", "person:ana"),
    ]  # fmt: skip


async def test_until_is_by_the_schedules_clock(oncall: ChatRoom) -> None:
    year = now().year + 1
    await oncall.type_(
        f"/incident oncall override shop cleo from {year}-01-02 9:00 until {year}-01-03 18:00"
    )
    async with oncall.store.read() as session:
        (row,) = (await session.execute(select(OncallOverride))).scalars()
    assert (row.since, row.until) == (at(f"{year}-01-02T08:00"), at(f"{year}-01-03T17:00"))


@pytest.mark.parametrize(
    ("said", "kind", "says"),
    [
        ("override shop", BadInput, "Say which schedule"),
        ("override shop cleo", BadInput, "until when"),
        ("override shop cleo until teatime", BadInput, "cannot read 'teatime' as a time"),
        ("override shop cleo until 2020-01-01 9:00", BadInput, "has passed"),
        ("override shop cleo for ever", BadInput, "must be a duration"),
        ("override shop clea for 1h", NotFound, "did you mean 'cleo'"),
        ("override ship cleo for 1h", NotFound, "did you mean 'shop'"),
        ("undo", NotFound, "no schedule 'undo'"),
        ("undo 7", NotFound, "no override 7"),
        ("undo x", BadInput, "which override"),
        ("undo 99999999999999", BadInput, "which override"),
    ],
)
async def test_what_is_refused(
    oncall: ChatRoom, said: str, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        await oncall.type_(f"/incident oncall {said}")
    assert await rows(oncall) == []


async def test_not_everybody_may(oncall: ChatRoom) -> None:
    with pytest.raises(NotAllowed):
        await oncall.type_("/incident oncall override shop eli for 1h", "eli")


async def test_who_left_the_catalog_stands_in_no_more(oncall: ChatRoom) -> None:
    async with oncall.store.write() as session:
        session.add(OncallOverride(schedule="shop", person="gone", since=now(),
                                   until=at("2036-01-01T00:00"), by="ana", origin="o"))  # fmt: skip
    assert "gone" not in words((await oncall.type_("/incident oncall")).blocks)


async def test_who_is_on_call_elsewhere(oncall: ChatRoom) -> None:
    """Asked after the answer, as it takes a while; nothing more is said where there is nothing."""
    reply = await oncall.type_("/incident oncall")
    assert reply.later is not None
    assert await reply.later() is None
    oncall.duties = [("pd", [Duty(schedule="<core>", person="Tim", until=at("2026-03-01T00:00"))])]
    told = await reply.later()
    assert told is not None
    assert "*&lt;core&gt;* (pd): Tim until 2026-03-01 00:00 UTC" in words(told[1])
    assert (await oncall.type_("/incident oncall shop")).later is None
