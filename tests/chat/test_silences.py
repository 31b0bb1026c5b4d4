"""What people type to hold alerts back, and what they are told."""

import re
from datetime import timedelta
from typing import Any

import pytest

from bot.alerts import StoredAlert
from bot.catalog.spans import Maintenance
from bot.chat.command import usage
from bot.chat.silences import SILENCE_FORMS
from bot.errors import BadInput, Conflict, JacklineError, NotAllowed, NotFound
from bot.store import now
from tests.chat.console_world import HTMX, World
from tests.chat.room import ChatRoom, words

USAGE = usage(SILENCE_FORMS, "silence")
UNTIL = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"


async def fires(room: ChatRoom, name: str, **more: Any) -> None:
    """An alert of the shop that fires."""
    severity = more.pop("severity", "error")
    async with room.store.write() as session:
        session.add(StoredAlert(
            source="alertmanager", fingerprint=name, status="firing", name=name, starts_at=now(),
            labels={"alertname": name, "service": "shop", "severity": severity}, **more,
        ))  # fmt: skip


async def refused(
    room: ChatRoom, text: str, person: str = "ana", at: int | None = None,
    kind: type[JacklineError] = BadInput,
) -> str:  # fmt: skip
    with pytest.raises(kind) as caught:
        await room.type_(text, person, at=at)
    return str(caught.value)


async def test_set_with_what_it_covers(room: ChatRoom) -> None:
    """How many fire now, by name, the critical ones first; the reason is kept as it was typed."""
    await fires(room, "DiskSlow")
    await fires(room, "DiskFull", severity="critical")
    await fires(room, "ShopDown")
    reply = await room.type_(
        "/incident silence alertname=Disk* service=shop for 2h it's Bob's move"
    )
    assert re.fullmatch(
        rf"Silence 1 is set until {UNTIL}: alertname=Disk\*, service=shop\. Alerts that fire now "
        r"and match \(2\): critical DiskFull, DiskSlow\. What they opened stays open\.",
        reply.text,
    )
    (row,) = await room.rows(0)
    assert (row.kind, row.actor) == ("silence_set", "person:ana")
    assert row.data["reason"] == "it's Bob's move"
    typed = (
        """/incident silence FOR="a" title="Disk waits for 5m" host='b c' For 30m "why" for 2h"""
    )
    reply = await room.type_(typed, "ben")
    assert ": FOR=a, host=b c, title=Disk waits for 5m. No alert that fires now" in reply.text
    assert (await room.rows(0))[-1].data["reason"] == '"why" for 2h'


async def test_the_same_request_twice_sets_one(room: ChatRoom) -> None:
    for _ in range(2):
        reply = await room.type_("/incident silence a=b for 2h why", key="once")
        assert reply.text.startswith("Silence 1 is set")
    assert len(await room.rows(0)) == 1


async def test_listed(room: ChatRoom) -> None:
    """Until when, by whom, why and how many; windows of the catalog too; a reason is data."""
    assert (await room.type_("/incident silences")).text == "Nothing is silenced."
    await room.type_("/incident silence alertname=Disk* for 3d <!here> & a move")
    await fires(room, "DiskFull", state="silenced", held_by="silence:1")
    at = now()
    window = Maintenance(
        name="Network swap", match={"service": "s1"}, since=at, until=at + timedelta(hours=1)
    )
    catalog = room.library.catalog
    room.library.catalog = catalog.model_copy(update={"maintenance": [window]})
    reply = await room.type_("/incident silences", "eli")
    assert reply.text == "2 hold alerts back"
    first, second = words(reply.blocks).splitlines()
    assert re.fullmatch(
        rf"\*silence 1\* \(alertname=Disk\*\) until {UNTIL}, Ana: &lt;!here&gt; &amp; a move; "
        "holds back 1", first,
    )  # fmt: skip
    assert re.fullmatch(
        rf"\*maintenance Network swap\* \(service=s1\) until {UNTIL}; holds back 0", second
    )


async def test_many_are_listed(room: ChatRoom) -> None:
    """All the blocks' limits hold, and what is left out is counted."""
    for number in range(12):
        value = f"{number}{'v' * 250}"
        await room.type_(f"/incident silence a={value} b={value} for 1h {'why ' * 100}")
    text = words((await room.type_("/incident silences")).blocks)
    assert text.splitlines()[-1].endswith(" more")


async def test_ended(room: ChatRoom) -> None:
    await room.type_("/incident silence a=b for 2h why")
    reply = await room.type_("/incident unsilence 1", "ben")
    assert reply.text == "Silence 1 is ended. What it held back and still fires is routed now."
    assert [(r.kind, r.actor) for r in await room.rows(0)][1:] == [("silence_ended", "person:ben")]
    said = await refused(room, "/incident unsilence #1", kind=Conflict)
    assert said == "Silence 1 is over already."
    said = await refused(room, "/incident unsilence 2", kind=NotFound)
    assert said == "There is no silence 2. /incident silences lists them."
    for typed in ("", "one", "9" * 30, "²", "1 2", "-1"):
        said = await refused(room, f"/incident unsilence {typed}")
        assert said == "Say which silence. Usage: /incident unsilence N"


async def test_here_is_what_the_incident_is_about(room: ChatRoom) -> None:
    """In its channel only, and only where that is clear."""
    async with room.store.write() as session:
        for services in (["shop"], ["shop", "s1"]):
            await room.incidents.declare(
                session, title="Down", severity="sev2", actor="person:ana",
                origin=f"o{len(services)}", services=services,
            )  # fmt: skip
    reply = await room.type_("/incident silence here for 1h why", at=1)
    assert ": service=shop. " in reply.text
    said = await refused(room, "/incident silence here for 1h why")
    assert said == f"`here` is for an incident's channel. {USAGE}"
    said = await refused(room, "/incident silence here for 1h why", at=2)
    assert said == "What #2 is about is not one service or group. Name the labels."


WRONG = [
    ("", "Say for how long, such as `for 2h`."),
    ("alertname=Disk", "Say for how long, such as `for 2h`."),
    ("alertname=Disk 2h why", "Say for how long"),
    ("alertname=Disk for ages why", "Say for how long"),
    ('alertname="Disk for 2h why', "Say for how long"),
    ('alertname="Disk\\" for 2h why', "The labels cannot be read: No closing quotation."),
    ("for 2h why", "Say which alerts: at least one label is needed"),
    ("alertname=Disk for 2 hours why", "'2' is no duration such as 30m, 2h or 3d."),
    ("alertname=Disk for 2h", "Say why: it stands in the record."),
    ("alertname=Disk for 8d why", "'8d' must be more than nothing and at most 7 days."),
    ("DiskFull for 2h why", "'DiskFull' is not LABEL=VALUE"),
    ("alertname=~Disk for 2h why", "'alertname=~Disk' is not LABEL=VALUE"),
    ("* for 2h why", "'*' is not LABEL=VALUE"),
    ("alertname=* for 2h why", "Say which alerts: * alone would cover everything"),
]


async def test_what_cannot_be_set(room: ChatRoom) -> None:
    """The usage is in the answer, and nothing is silenced."""
    for typed, said in WRONG:
        answer = await refused(room, f"/incident silence {typed}")
        assert answer.startswith(said)
        assert answer.endswith(USAGE)
    assert await room.rows(0) == []


async def test_who_may(room: ChatRoom) -> None:
    """Responders set and end; all whom the catalog knows may look."""
    await room.type_("/incident silence a=b for 2h why", "dora")
    for typed in ("silence a=b for 2h why", "unsilence 1"):
        said = await refused(room, f"/incident {typed}", "eli", kind=NotAllowed)
        assert said.startswith("You have no role")
    for typed in ("silence a=b for 2h why", "unsilence 1", "silences"):
        said = await refused(room, f"/incident {typed}", "mallory", kind=NotAllowed)
        assert said.startswith("I do not know you")
    assert len(await room.rows(0)) == 1


async def test_in_the_console(world: World) -> None:
    """The same door: on an incident's page, for what it is about."""
    browser = await world.signed_in()
    await world.incident()
    form = {"incident": "1", "text": "/incident silence here for 1h <b> a move", "key": "k" * 12}
    for _ in range(2):
        answer = await browser.post("/say", data=form, headers=HTMX)
        assert "Silence 1 is set until" in answer.text
    form = {"incident": "1", "text": "/incident silences", "key": "l" * 12}
    answer = await browser.post("/say", data=form, headers=HTMX)
    assert "(service=web)" in answer.text
    assert "Rosa Diaz: &lt;b&gt; a move" in answer.text
