"""An incident as files, where its postmortem is, and drills, which are marked everywhere."""

import csv
import io
import json
from collections.abc import AsyncIterator

import pytest

from bot.chat.export import exported
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents import Incident
from bot.postmortems import Postmortem
from bot.postmortems.exports import Exports
from bot.web.metrics import Metrics
from tests.chat.console_world import World
from tests.chat.room import ChatRoom, words
from tests.chat.slack_room import SlackRoom, slack_room
from tests.slackstub import C_INCIDENTS, SlackStub


async def paper(room: ChatRoom, number: int = 1) -> None:
    async with room.store.write() as session:
        session.add(Postmortem(incident_id=number, markdown="# Paper", html="<p>", drawn_from=7))


@pytest.fixture
async def declared(room: ChatRoom) -> ChatRoom:
    await room.type_("/incident declare Down")
    return room


async def file(room: ChatRoom, kind: str) -> str:
    async with room.store.read() as session:
        incident = await session.get_one(Incident, 1)
        exports = Exports(lambda: room.library.catalog, room.library.folder, ["canary-of-the-room"])
        return (await exported(exports, session, incident, kind)).content.decode()


async def test_the_files_hold_the_whole_timeline_and_no_formula(declared: ChatRoom) -> None:
    """What was written stays text: in a table, in a spreadsheet, and as it was in JSON."""
    nasty = "=HYPERLINK(1) | <script> [x](javascript:1)\n# Head"
    await declared.type_(f"/incident note {nasty}")
    await declared.type_("/incident note canary-of-the-room and canary@example.org")
    markdown = await file(declared, "md")
    assert "| note_added |" in markdown
    assert "<script>" not in markdown
    assert "\n# Head" not in markdown
    assert "[x](" not in markdown
    rows = list(csv.DictReader(io.StringIO(await file(declared, "csv"))))
    assert [row["kind"] for row in rows] == ["incident_declared", "note_added", "note_added"]
    assert rows[1]["text"] == f"'{nasty}"
    assert "canary" not in markdown + await file(declared, "csv") + await file(declared, "json")
    whole = json.loads(await file(declared, "json"))
    assert whole["incident"]["title"] == "Down"
    assert whole["timeline"][1]["text"] == nasty
    with pytest.raises(NotFound, match="no export as 'pdf'"):
        await file(declared, "pdf")
    with pytest.raises(NotFound, match="no postmortem"):
        await file(declared, "postmortem.md")


async def test_export_says_where_the_files_are(declared: ChatRoom) -> None:
    """Links to the console, but in the incident's own channel the files themselves, once."""
    room = declared
    said = words((await room.type_("/incident export #1")).blocks)
    assert "<https://jackline.example.com/incidents/1/export.csv|export.csv>" in said
    assert "postmortem" not in said
    await paper(room)
    assert "postmortem.html|" in words((await room.type_("/incident export #1")).blocks)
    for _ in range(2):
        reply = await room.type_("/incident export", at=1, key="k")
        assert reply.text == "The files of #1 come into this channel: md, json, csv, postmortem.md."
    asked = [d.payload["file"] for d in await room.deliveries() if d.op == "export"]
    assert asked == [
        "incident-1.md", "incident-1.json", "incident-1.csv", "incident-1-postmortem.md",
    ]  # fmt: skip
    assert [r.kind for r in await room.rows()].count("incident_exported") == 1


async def test_one_form_of_the_postmortem(declared: ChatRoom) -> None:
    """By its name; what cannot be had is said at once, not by a file that never comes."""
    with pytest.raises(NotFound, match="drafted when it is resolved"):
        await declared.type_("/incident export pdf", at=1)
    await paper(declared)
    reply = await declared.type_("/incident export pdf", at=1, key="pdf")
    assert reply.text == "The files of #1 come into this channel: postmortem.pdf."
    asked = [d.payload["file"] for d in await declared.deliveries() if d.op == "export"]
    assert asked == ["incident-1-postmortem.pdf"]
    with pytest.raises(Conflict, match=r"is not final \(draft\)"):
        await declared.type_("/incident export pdf customers", at=1)
    with pytest.raises(NotFound, match="no export for customers as 'csv'"):
        await declared.type_("/incident export csv customers", at=1)
    said = words((await declared.type_("/incident export #1 docx")).blocks)
    assert "incidents/1/postmortem.docx|postmortem.docx" in said


async def test_where_the_postmortem_is(declared: ChatRoom) -> None:
    room = declared
    said = (await room.type_("/incident postmortem")).text
    assert said == "The postmortem of #1 is drafted when it is resolved."
    await room.type_("/incident resolve", at=1)
    assert "is being drafted" in (await room.type_("/incident pm", at=1)).text
    await paper(room)
    reply = await room.type_("/incident pm", at=1)
    assert reply.text == "The postmortem of #1 is a draft, drawn from 7 rows of the timeline."
    assert "<https://jackline.example.com/incidents/1/postmortem.html|" in words(reply.blocks)
    await room.type_("/incident declare None")
    await room.type_("/incident cancel", at=2)
    assert "it has no postmortem" in (await room.type_("/incident pm", at=2)).text


async def test_wrong_words_and_who_may_not(declared: ChatRoom) -> None:
    for typed, said in (
        ("export xls", "I did not understand 'xls'. Usage: /incident export"),
        ("export pdf docx", "I did not understand 'pdf docx'. Usage: /incident export"),
        ("postmortem now", "I did not understand 'now'. Usage: /incident postmortem"),
        ("exprot", "I do not know 'exprot'; did you mean 'export'?"),
        ("postmortme", "I do not know 'postmortme'; did you mean 'postmortem'?"),
        ("drill", "An incident needs a title."),
        ("dril Down", "I do not know 'dril'; did you mean 'drill'?"),
    ):
        with pytest.raises(BadInput) as refused:
            await declared.type_(f"/incident {typed}")
        assert str(refused.value).startswith(said)
    for typed in ("export", "postmortem", "drill Down"):
        with pytest.raises(NotAllowed, match="I do not know you"):
            await declared.type_(f"/incident {typed}", "mallory")
    await declared.type_("/incident private")
    for typed in ("export #1", "postmortem #1"):
        with pytest.raises(NotFound, match="There is no incident 1"):
            await declared.type_(f"/incident {typed}", "ben")


async def test_a_drill_is_marked_everywhere(room: ChatRoom) -> None:
    """And the same command twice is one drill; it is in no figure."""
    for _ in range(2):
        reply = await room.type_("/incident drill sev1 Failover day", key="k")
        assert reply.text.startswith("Drill 1 (sev1) is declared.")
    assert (await room.incident()).drill
    for kind in ("card", "digest"):
        drawn = await room.card(1, kind)
        assert "[drill]" in str(drawn.blocks[0])
        assert "[drill]" in drawn.text
    assert "[drill] Failover day" in words((await room.type_("/incident list")).blocks)
    for typed in ("status", "this"):
        assert (await room.type_(f"/incident {typed}")).text.startswith("DRILL #1 sev1")
    assert "DRILL, #1 sev1" in words((await room.type_("/incident catchup")).blocks)
    asked = await room.deliveries()
    assert [d.payload["name"] for d in asked if d.op == "open_channel"] == ["drill-1-failover-day"]
    assert [d.payload["topic"] for d in asked if d.op == "topic"] == [
        "DRILL | SEV1 | declared | Failover day"
    ]
    await room.type_("/incident declare Real", key="real")
    assert b"jackline_incidents_open 1.0" in await Metrics(room.store).render()


@pytest.fixture
async def at(room: ChatRoom, slack: SlackStub) -> AsyncIterator[SlackRoom]:
    async with slack_room(room, slack) as made:
        yield made


@pytest.mark.server
async def test_the_files_come_into_the_channel(at: SlackRoom) -> None:
    ident = await at.declare("Keys leaked")
    await paper(at.room)
    await at.room.type_("/incident export", at=1)
    await at.room.type_("/incident export pdf", at=1)
    await at.settled()
    files = {f.name: f.content for f in at.slack.ws.files.values() if f.shared_in == [ident]}
    assert set(files) == {
        "incident-1.md", "incident-1.json", "incident-1.csv", "incident-1-postmortem.md",
        "incident-1-postmortem.pdf",
    }  # fmt: skip
    assert files["incident-1-postmortem.pdf"].startswith(b"%PDF")
    assert b"Keys leaked" in files["incident-1.md"]
    assert files["incident-1-postmortem.md"] == b"# Paper"
    assert "incident-1" not in str([vars(m) for m in at.slack.messages(C_INCIDENTS)])


async def test_the_console_hands_them_over(world: World) -> None:
    """As files, never as pages; of a private incident to those who see it."""
    async with world.store.write() as session:
        await world.incidents.declare(
            session,
            title="Leak <b>",
            severity="sev1",
            actor="person:rosa",
            origin="o",
            private=True,
        )
    browser = await world.signed_in()
    for kind, media in (("md", "text/markdown"), ("json", "application/json"), ("csv", "text/csv")):
        answer = await browser.get(f"/incidents/1/export.{kind}")
        assert answer.headers["content-type"].startswith(media)
        assert answer.headers["content-disposition"] == f'attachment; filename="incident-1.{kind}"'
        assert "Leak" in answer.text
    assert (await browser.get("/incidents/1/export.pdf")).status_code == 404
    other = await world.signed_in("amir")
    assert (await other.get("/incidents/1/export.md")).status_code == 404
