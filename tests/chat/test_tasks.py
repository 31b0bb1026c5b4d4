"""Tasks and follow-ups: typed in one line, ended and taken back by buttons, in the way of closing."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from bot.catalog import Catalog, Person
from bot.chat.task_words import read_task
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents import Task
from bot.store import now
from tests.chat.room import ChatRoom, words

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday
ANA = Person(id="ana", name="Ana", slack=["T1:U1"], timezone="Europe/Berlin")
CATALOG = Catalog(people=[ANA, Person(id="ben", name="Ben", slack=["T1:U2"])])


@pytest.fixture
async def declared(room: ChatRoom) -> ChatRoom:
    await room.type_("/incident declare Down")
    return room


@pytest.mark.parametrize(
    ("typed", "text", "who", "due"),
    [
        ("Call the vendor", "Call the vendor", "", None),
        ("Call the vendor @ben", "Call the vendor", "ben", None),
        ("Call <@U2> back <@U2|ben>", "Call <@U2> back", "ben", None),
        ("Call the vendor by 14:30", "Call the vendor", "", "13:30"),
        ("Call the vendor @ben by 14:30", "Call the vendor", "ben", "13:30"),
        ("Call the vendor BY in 20m @me", "Call the vendor", "ana", "12:20"),
        ("Restart it by hand by 14:30", "Restart it by hand", "", "13:30"),
        ("Restart it by hand", "Restart it by hand", "", None),
        ("Stand by", "Stand by", "", None),
        ("Mail ops@example.com", "Mail ops@example.com", "", None),
    ],
)
def test_a_task_as_people_type_it(typed: str, text: str, who: str, due: str | None) -> None:
    """Times are those of the asker's wall; a "by" before what is no time is a word like others."""
    said = read_task(typed, CATALOG, ANA, NOW)
    assert (said.text, said.owner.id if said.owner else "") == (text, who)
    assert (f"{said.due_at:%H:%M}" if said.due_at else None) == due


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Call @bne", "I do not know the person '@bne'; did you mean 'ben'?"),
        ("Call by 9:00", "'9:00' has passed"),
        ("Call by yesterday 9:00", "'yesterday 9:00' has passed"),
    ],
)
def test_an_owner_or_a_time_that_is_none(typed: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_task(typed, CATALOG, ANA, NOW)
    assert str(refused.value).startswith(said)


async def test_given_done_and_taken_back(declared: ChatRoom) -> None:
    """One message that goes along; each state once on the timeline, whatever says it."""
    room = declared
    for _ in range(2):
        reply = await room.type_("/incident task Call <the vendor> @ben by in 20m", key="k")
        assert reply.text == "Task 1 of #1: open."
    said = words((await room.message("task-1")).blocks)
    assert "⬜ *1* Call &lt;the vendor&gt; · Ben · by " in said
    done = (await room.message("task-1")).blocks[0]["accessory"]
    for _ in range(2):
        reply = await room.click(done["action_id"], done["value"], "ben")
        assert reply.text == "Task 1: done."
    undo = (await room.message("task-1")).blocks[0]["accessory"]
    await room.click(undo["action_id"], undo["value"])
    for typed in ("done 1", "DONE #1", "undo 1", "drop 1"):
        await room.type_(f"/incident task {typed}")
    kinds = [r.kind for r in await room.rows() if r.kind.startswith("task_")]
    assert kinds == ["task_added", "task_done", "task_reopened", "task_done", "task_reopened", "task_dropped"]  # fmt: skip
    rows = [r for r in await room.rows() if r.kind == "task_done"]
    assert (rows[0].actor, rows[0].text) == ("person:ben", "Done: task 1, Call <the vendor>")


async def test_the_list(declared: ChatRoom) -> None:
    """What is due first comes first; what is late is marked; all of them on request."""
    room = declared
    for typed in ("Later by in 2h", "Some day", "Soon by in 20m"):
        await room.type_(f"/incident task {typed}")
    await room.type_("/incident followup Write it down @me")
    async with room.store.write() as session:
        soon = (await session.execute(select(Task).where(Task.number == 3))).scalar_one()
        soon.due_at = now() - timedelta(minutes=1)
    reply = await room.type_("/incident tasks")
    assert reply.text == "#1 has 4 open tasks."
    lines = words(reply.blocks).splitlines()
    assert [line.split()[1] for line in lines] == ["*3*", "*1*", "*2*", "*4*"]
    assert lines[0].endswith(" *late*")
    assert lines[3].endswith("Ana · follow-up")
    await room.type_("/incident task done 3")
    assert (await room.type_("/incident todos")).text == "#1 has 3 open tasks."
    assert "✅ *3* Soon" in words((await room.type_("/incident tasks all")).blocks)


async def test_a_list_of_many(declared: ChatRoom) -> None:
    async with declared.store.write() as session:
        for number in range(1, 201):
            session.add(Task(incident_id=1, number=number, text="<" * 500, origin=f"o{number}",
                             created_by="ana"))  # fmt: skip
    reply = await declared.type_("/incident tasks")
    assert "… and 160 more" in words(reply.blocks)
    with pytest.raises(Conflict, match="has 200 tasks already"):
        await declared.type_("/incident task One more")
    await declared.type_("/incident handover", key="k")
    assert " more" in words((await declared.message("handover-k")).blocks)


async def test_open_tasks_are_in_the_way_of_closing(declared: ChatRoom) -> None:
    """Unless somebody says so; follow-ups go on, and can be given and ended afterwards."""
    room = declared
    await room.type_("/incident task Call the vendor")
    await room.type_("/incident followup Write it down")
    await room.type_("/incident resolve")
    for typed in ("close", "status closed"):
        with pytest.raises(
            Conflict, match=r"#1 has 1 open task: 1 Call the vendor. .* close anyway"
        ):
            await room.type_(f"/incident {typed}", at=1)
    with pytest.raises(Conflict, match="1 open task"):
        await room.click("incident_close", "1")
    assert "is closed" in (await room.type_("/incident close anyway", at=1)).text
    with pytest.raises(Conflict, match="/incident followup is for what goes on"):
        await room.type_("/incident task Another", at=1)
    await room.type_("/incident followup Tell the team", at=1)
    assert (await room.type_("/incident task done 2", at=1)).text == "Follow-up 2 of #1: done."


async def test_done_tasks_are_not_in_the_way(declared: ChatRoom) -> None:
    await declared.type_("/incident task Call")
    await declared.type_("/incident task done 1")
    await declared.type_("/incident resolve", at=1)
    assert "is closed" in (await declared.type_("/incident close", at=1)).text


async def test_tasks_of_what_is_merged_into_it_are_its_own(room: ChatRoom) -> None:
    """Listed there, done from there, and in the way of closing it."""
    for title in ("One", "Two"):
        await room.type_(f"/incident declare {title}")
    await room.type_("/incident task Call", at=1)
    button = (await room.type_("/incident merge #1 into #2")).blocks[1]["elements"][0]
    await room.click(button["action_id"], button["value"])
    listed = await room.type_("/incident tasks", at=2)
    assert words(listed.blocks) == "⬜ *1* Call · of #1"
    await room.type_("/incident resolve", at=2)
    with pytest.raises(Conflict, match="1 open task"):
        await room.type_("/incident close", at=2)
    done = listed.blocks[0]["accessory"]
    await room.click(done["action_id"], done["value"])
    assert "is closed" in (await room.type_("/incident close", at=2)).text


WRONG = [
    ("/incident task", "There is nothing to do. For example: /incident task"),
    ("/incident task @ben", "There is nothing to do."),
    ("/incident task \u200b", "There is nothing to do."),
    (f"/incident task {'x' * 501}", "The task has 501 characters; 500 is the limit."),
    ("/incident tasks mine", "I did not understand 'mine'. Usage: /incident tasks [all]"),
    ("/incident taks Call", "I do not know 'taks'; did you mean 'task"),
    ("/incident folowup Call", "I do not know 'folowup'; did you mean 'follow"),
]


async def test_wrong_words(declared: ChatRoom) -> None:
    for typed, said in WRONG:
        with pytest.raises(BadInput) as refused:
            await declared.type_(typed)
        assert str(refused.value).startswith(said)
    with pytest.raises(NotFound, match="#1 has no task 7"):
        await declared.type_("/incident task done 7")
    for value in ("1|", "1|x", "1|99999", "1|²", "1|-1"):
        with pytest.raises(BadInput, match="out of date"):
            await declared.click("task_done", value)
    assert len(await declared.rows()) == 1


async def test_who_may_not(declared: ChatRoom) -> None:
    room = declared
    await room.type_("/incident task Call")
    for typed in ("task Call", "task done 1", "tasks", "followup Call"):
        with pytest.raises(NotAllowed, match="I do not know you"):
            await room.type_(f"/incident {typed}", "mallory", at=1)
    for typed in ("task Call", "task done 1", "followup Call"):
        with pytest.raises(NotAllowed, match=r"You have no role|needs the role 'responder'"):
            await room.type_(f"/incident {typed}", "eli", at=1)
    with pytest.raises(NotAllowed):
        await room.click("task_done", "1|1", "eli")


async def test_a_private_one_is_not_there_for_others(declared: ChatRoom) -> None:
    await declared.type_("/incident task Call")
    await declared.type_("/incident private")
    for typed in ("task #1 Call", "task #1 done 1", "tasks #1", "followup #1 Call"):
        with pytest.raises(NotFound, match="There is no incident 1"):
            await declared.type_(f"/incident {typed}", "ben")
    with pytest.raises(NotFound, match="There is no incident 1"):
        await declared.click("task_done", "1|1", "ben")
