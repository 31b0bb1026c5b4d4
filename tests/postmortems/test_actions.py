"""Action items: read from the table that people write, taken up once, whatever else is in it."""

import pytest
from sqlmodel import select

from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents import Task
from bot.postmortems.editing.actions import Item, check_item, items_of, with_number, with_row
from bot.postmortems.editing.followups import (
    FollowUps,
    actions_of,
    open_actions,
    pick_of,
    types_missing,
)
from bot.postmortems.editing.tables import ActionItem
from tests.postmortems.room import ANA, BEN, VERA, Room

TABLE = r"""Proposed by nobody.

| Action | Type | Owner role | Due | Done when (measurable) | From finding |
|---|---|---|---|---|---|
| Alert 30 days before a *certificate* ends | detect | Ana Souza | 2027-01-31 | the alert fired in a test | [\#2](#row-2) |
| Say a \| b | Prevent | platform team | 2027-02-01 | done | |
| Half | | | soon | | |
|  | detect | x | 2027-02-01 | y | |

| Other | Table |
|---|---|
| Action | none |
"""  # fmt: skip


def test_rows_are_read() -> None:
    """By the titles of their columns, without their Markdown; empty rows and other tables are none."""
    first, second, third = items_of(TABLE)
    assert first == Item(4, "Alert 30 days before a certificate ends", "detect", "Ana Souza",
                         "2027-01-31", "the alert fired in a test", "#2")  # fmt: skip
    assert (second.text, second.kind, second.task) == ("Say a | b", "Prevent", 0)
    assert check_item(second).isoformat() == "2027-02-01"
    with pytest.raises(BadInput, match=r"type is ''.*no owner; no done criterion; due is 'soon'"):
        check_item(third)
    assert types_missing([first, second]) == ["mitigate", "recover"]
    assert items_of("") == items_of("no table") == []


def test_a_row_gets_its_number_and_a_table_another_row() -> None:
    """Nothing else of the section changes; hostile cells stay in their cell."""
    body = with_number(with_number(TABLE, 5, 12), 4, 3)
    assert [item.task for item in items_of(body)] == [3, 12, 0]
    assert [i.text for i in items_of(body)] == [i.text for i in items_of(TABLE)]
    assert len(body.split("\n")) == len(TABLE.split("\n"))
    cells = Item(0, "a | b <script>", "prevent", "x`", "2027-01-01", "[z](javascript:1)")
    more, line = with_row(TABLE, cells)
    assert more.split("\n")[line].count(" | ") == 5
    assert [i.text for i in items_of(more)][-1] == "a | b <script>"
    fresh, line = with_row("Words.", cells)
    assert items_of(fresh)[0].line == line
    assert items_of(with_row(fresh, cells)[0])[1].done_when == "[z](javascript:1)"


async def taken(room: Room, *picked: str, by=ANA) -> list[ActionItem]:
    async with room.store.write() as session:
        incident = await room.papers.incidents.get(session, 1)
        return await FollowUps(room.papers).take_up(session, incident, picked, by)


async def add(room: Room, item: Item, by=ANA) -> ActionItem:
    async with room.store.write() as session:
        incident = await room.papers.incidents.get(session, 1)
        return await FollowUps(room.papers).add(session, incident, item, by)


async def tasks(room: Room) -> list[Task]:
    async with room.store.read() as session:
        return list((await session.execute(select(Task))).scalars())


async def test_rows_become_follow_ups_once(room: Room) -> None:
    """With owner and day; the row says which; who takes them up has written nothing by that."""
    await room.save("action-items", TABLE, BEN)
    picks = [pick_of(item) for item in items_of(TABLE)]
    with pytest.raises(BadInput, match="'Half' is not whole"):
        await taken(room, *picks)
    assert await tasks(room) == []
    await taken(room, *picks[:2])
    assert await taken(room, *picks[:2]) == []
    first, second = await tasks(room)
    assert (first.owner, first.after, first.due_at.isoformat()) == (
        "ana",
        True,
        "2027-01-31T12:00:00+00:00",
    )
    assert (second.owner, second.text) == ("", "Say a | b (owner: platform team)")
    body = await room.body("action-items")
    assert [item.task for item in items_of(body)] == [1, 2, 0]
    assert (await room.versions())[0].by == "jackline"
    await room.do("restore", 2)  # the numbers are gone: the same rows are the same follow-ups
    again = await taken(room, *picks[:2])
    assert [a.task for a in again] == [1, 2]
    assert len(await tasks(room)) == 2
    async with room.store.read() as session:
        assert [(a.task, a.kind, a.ticket) for a in await actions_of(session, 1)] == [
            (1, "detect", ""), (2, "prevent", ""),
        ]  # fmt: skip
    async with room.store.write() as session:
        incident = await room.papers.incidents.get(session, 1)
        await FollowUps(room.papers).tasks.put(session, incident, 1, "done", ANA)
        assert [a.task for a in await open_actions(session)] == [2]


async def test_one_is_added_by_a_form(room: Room) -> None:
    """It stands in the table as a person's words, and is a follow-up at once."""
    item = Item(0, "Rehearse it", "recover", "ben", "2027-03-01", "rehearsed twice", "row 2")
    made = await add(room, item)
    assert (made.task, made.owner) == (1, "ben")
    *proposed, row = items_of(await room.body("action-items"))
    assert [p.task for p in proposed] == [0, 0, 0]
    assert (row.text, row.task) == ("Rehearse it", 1)
    assert {v.by for v in await room.versions()} == {"jackline", "person:ana"}
    with pytest.raises(BadInput, match="already"):
        await add(room, item)
    with pytest.raises(BadInput, match="not whole"):
        await add(room, Item(0, "x"))


async def test_who_may_not(room: Room) -> None:
    with pytest.raises(NotAllowed):
        await taken(room, "x", by=VERA)
    with pytest.raises(NotAllowed):
        await add(room, Item(0, "x"), by=VERA)
    await room.save("action-items", "None needed.")
    with pytest.raises(NotFound, match="no action items"):
        await taken(room, "x")
    async with room.store.write() as session:
        (await room.papers.paper(session, 1)).state = "final"
    with pytest.raises(Conflict, match="is final"):
        await taken(room, "x")
