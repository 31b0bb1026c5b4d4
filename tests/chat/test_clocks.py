"""Legal clocks in chat: a person records a fact, the card shows what is left, a row says who and why."""

from datetime import timedelta
from secrets import token_hex

import pytest
from sqlmodel import select

from bot.catalog import Regulation
from bot.catalog.regulation import Aware
from bot.delivery import Message
from bot.errors import BadInput, Conflict, NotAllowed
from bot.incidents.due_tables import ClockFact
from bot.incidents.regulated import Clocks
from bot.incidents.reminders import Reminders
from bot.store import now
from tests.chat.room import ChatRoom, words


@pytest.fixture
async def law(room: ChatRoom) -> ChatRoom:
    """GDPR and DORA apply, and there is an incident."""
    apply(room, Regulation(id="gdpr"), Regulation(id="dora"))
    await room.type_("/incident declare Down")
    return room


def apply(room: ChatRoom, *laws: Regulation) -> None:
    room.library.catalog = room.library.catalog.model_copy(update={"regulations": list(laws)})


async def kinds(room: ChatRoom) -> list[str]:
    return [r.kind for r in await room.rows()][1:]


async def test_a_clock(law: ChatRoom) -> None:
    """Started, shown on the card, met; each with its row."""
    assert "⚖️" not in words((await law.card(1)).blocks)
    shown = words((await law.type_("/incident clocks")).blocks)
    assert "▫️ GDPR: notification of the authority: counts from “aware of the breach”" in shown
    reply = await law.type_("/incident clock gdpr start at 30m ago the mail <of> support", "ben")
    assert reply.text == "GDPR: noted."
    assert "⏳ GDPR: notification of the authority: 2 d 23 h left" in words(reply.blocks)
    assert "⚖️ GDPR: notification of the authority: 2 d 23 h left" in words(
        (await law.card(1)).blocks
    )
    row = (await law.rows())[-1]
    assert (row.kind, row.actor) == ("clock_started", "person:ben")
    assert row.text.startswith("GDPR: aware of the breach since ")
    assert row.text.endswith(": the mail <of> support")
    for _ in range(2):
        done = await law.click("clock_done", "1|gdpr:authority")
        assert "✅ GDPR: notification of the authority: submitted at" in words(done.blocks)
    assert await kinds(law) == ["clock_started", "clock_met"]
    assert "⚖️" not in words((await law.card(1)).blocks)


async def test_a_person_classifies(law: ChatRoom) -> None:
    """With the role, with a reason, not before one is aware; and may find that it does not apply."""
    with pytest.raises(NotAllowed, match="decided by the incident's commander"):
        await law.type_("/incident clock dora classified it is major", "ben")
    with pytest.raises(BadInput, match="Say first since when you are aware"):
        await law.type_("/incident clock dora classified it is major")
    await law.type_("/incident clock dora start at 2h ago")
    assert "if it is major: 21 h 59 min left" in words((await law.card(1)).blocks)
    with pytest.raises(BadInput, match="Say why"):
        await law.type_("/incident clock dora classified")
    with pytest.raises(BadInput, match="You are aware only since"):
        await law.type_("/incident clock dora classified at 3h ago it is major")
    await law.type_("/incident clock dora classified two thresholds are met")
    assert "DORA: initial notification: 3 h 59 min left" in words((await law.card(1)).blocks)
    reply = await law.type_("/incident clock dora stop the vendor's outage")
    assert "DORA: found not to apply" in words(reply.blocks)
    assert await kinds(law) == ["clock_started", "clock_started", "clock_stopped"]
    await law.type_("/incident clock dora start at 1h ago")  # it does after all
    assert "DORA: initial notification" in words((await law.card(1)).blocks)


@pytest.mark.parametrize(
    ("typed", "kind", "says"),
    [
        ("gdpr", BadInput, "Usage: /incident clock LAW"),
        ("gdrp start", BadInput, "I know no law 'gdrp'; did you mean 'gdpr'?"),
        ("nis2 start", BadInput, "The catalog does not say that NIS2 applies to you."),
        ("gdpr clasified x", BadInput, "GDPR does not count from 'clasified'"),
        ("gdpr done", BadInput, "Say what: authority."),
        ("gdpr done autority", BadInput, "GDPR has no 'autority'; did you mean 'authority'?"),
        ("gdpr done authority", Conflict, "does not run: aware of the breach is not recorded"),
        ("gdpr start at", BadInput, "Say at which time"),
        ("gdpr start at noonish", BadInput, "I cannot read 'noonish' as a time"),
        ("gdpr start at 2099-01-01T00:00", BadInput, "is still to come"),
        ("gdpr stop " + "x" * 501, BadInput, "501 characters; 500 is the limit"),
    ],
)
async def test_what_cannot_be_recorded(
    law: ChatRoom, typed: str, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind) as caught:
        await law.type_(f"/incident clock {typed}")
    assert says in str(caught.value)
    assert await kinds(law) == []


async def test_the_same_twice_is_one_and_a_correction_is_another(law: ChatRoom) -> None:
    at = f"{now() - timedelta(hours=3):%Y-%m-%dT%H:%MZ}"
    for _ in range(2):
        await law.type_(f"/incident clock gdpr start at {at}")
    await law.type_("/incident clock gdpr start at 1h ago")
    assert await kinds(law) == ["clock_started"] * 2
    assert ", before that: " in (await law.rows())[-1].text


async def test_what_applies_after_all_is_on_record(law: ChatRoom) -> None:
    """Also since the same minute as before it was stopped, and as a message of its own."""
    start = f"/incident clock gdpr start at {now() - timedelta(hours=3):%Y-%m-%dT%H:%MZ}"
    for typed in (start, "/incident clock gdpr stop no personal data", start, start):
        await law.type_(typed)
    assert await kinds(law) == ["clock_started", "clock_stopped", "clock_started"]
    assert (await law.rows())[-1].text.endswith(" UTC, and applies after all")
    assert "⚖️ GDPR: notification of the authority: 2 d 20 h left" in words(
        (await law.card(1)).blocks
    )
    query = select(Message.version).where(Message.key.startswith("1:clock-"))  # type: ignore[attr-defined]
    async with law.store.read() as session:
        assert (await session.execute(query)).scalars().all() == [1, 1, 1]


async def test_without_a_law_there_are_no_clocks(room: ChatRoom) -> None:
    await room.type_("/incident declare Down")
    assert "names no law" in (await room.type_("/incident clocks")).text


async def test_the_catalog_starts_one_once(room: ChatRoom) -> None:
    """From the declaration of what it names; never of a drill, nor against a person's word."""
    apply(room, Regulation(id="gdpr", aware=Aware(severity=["sev1"], services=["shop"])))
    async with room.store.write() as session:
        for number, more in enumerate(
            ({}, {"drill": True}, {"severity": "sev2"}, {"services": ["s1"]}), start=1
        ):
            given = {"severity": "sev1", "services": ["shop"]} | more
            await room.incidents.declare(
                session, title="Down", actor="source:x", origin=f"{number}", **given
            )
    clocks = Clocks(room.incidents)
    for _ in range(2):
        await clocks.start(room.store)
    async with room.store.read() as session:
        facts = {n: await session.get(ClockFact, (n, "gdpr", "aware")) for n in range(1, 5)}
    assert [n for n, fact in facts.items() if fact] == [1]
    assert facts[1].at == (await room.incident(1)).declared_at  # type: ignore[union-attr]
    row = (await room.rows())[-1]
    assert (row.actor, row.text.split(": ")[-1]) == (
        "jackline",
        "the catalog says so of such incidents",
    )
    await room.type_("/incident clock gdpr stop no personal data", at=1)
    await clocks.start(room.store)
    assert (await room.rows())[-1].kind == "clock_stopped"


async def test_the_catalog_starts_one_of_what_was_over_at_once(room: ChatRoom) -> None:
    """Mended within seconds, it had happened; a false alarm had not, and old stories are none."""
    apply(room, Regulation(id="gdpr", aware=Aware(severity=["sev1"])))
    async with room.store.write() as session:
        for status in ("resolved", "cancelled", "resolved"):
            incident = await room.incidents.declare(
                session, title="Down", severity="sev1", actor="source:x", origin=token_hex(4)
            )
            await room.incidents.set_status(session, incident, status, "person:ana")
        incident.declared_at -= timedelta(hours=2)
    await Clocks(room.incidents).start(room.store)
    async with room.store.read() as session:
        facts = {n: await session.get(ClockFact, (n, "gdpr", "aware")) for n in range(1, 4)}
    assert [n for n, fact in facts.items() if fact] == [1]


async def test_people_are_warned(law: ChatRoom) -> None:
    """Also of an incident that has ended: the law's clock runs on."""
    await law.type_("/incident clock gdpr start at 2026-01-01T00:00Z")
    await law.type_("/incident resolve")
    clocks = Clocks(law.incidents)
    for _ in range(2):
        await Reminders(law.store, law.incidents, deadlines=clocks.deadlines).look()
    drawn = await law.card(
        1, "reminder", what="clock:gdpr:authority", text="GDPR", to=["ana"],
        button=["It is submitted", "clock_done", "1|gdpr:authority"],
    )  # fmt: skip
    assert drawn.blocks[1]["elements"][0]["action_id"] == "clock_done"
    async with law.store.read() as session:
        found = (await session.execute(select(Message).where(Message.kind == "reminder"))).scalars()
        (said,) = [m.payload for m in found]
    assert said["what"] == "clock:gdpr:authority"
    assert said["text"] == "GDPR: notification of the authority: due by 2026-01-04 00:00 UTC."
