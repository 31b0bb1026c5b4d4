"""Roles given and handed over: who may, whom a word means, and that command is accepted."""

import pytest

from bot.catalog import Catalog, Person
from bot.chat.persons import find_person
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from tests.chat.room import ChatRoom, words


@pytest.fixture
async def declared(room: ChatRoom) -> ChatRoom:
    await room.type_("/incident declare Down")
    await room.type_("/incident lead")
    return room


async def offer(room: ChatRoom, number: int = 1) -> str:
    """The value of the button that stands open."""
    return f"{number}|{(await room.incident(number)).offer['key']}"


CATALOG = Catalog(people=[
    Person(id="ana", name="Ana Ito", slack=["T1:U1"]), Person(id="ben", name="Ben Ito", slack=["T1:U2"]),
    Person(id="eve", name="Eve", slack=["T2:U3"]),
])  # fmt: skip
ANA = CATALOG.people[0]


@pytest.mark.parametrize(
    ("word", "who"),
    [
        ("me", "ana"), ("ben", "ben"), ("@ben", "ben"), ("BEN", "ben"), ("Ben Ito", "ben"),
        ("Ana", "ana"), ("<@U2>", "ben"), ("<@U2|ben>", "ben"),
    ],
)  # fmt: skip
def test_whom_a_word_means(word: str, who: str) -> None:
    """By id, by name, by a part of it that is one person's, by a mention of the asker's workspace."""
    assert find_person(CATALOG, word, ANA).id == who


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("bne", "I do not know the person 'bne'; did you mean 'ben'?"),
        ("", "I do not know the person ''."),
        ("Ito", "'Ito' may be several people. Say which: ana, ben."),
        ("<@U9>", "I do not know who <@U9> is."),
        ("<@U3>", "I do not know who <@U3> is."),
    ],
)
def test_whom_it_does_not_mean(word: str, said: str) -> None:
    """A user id of another workspace is nobody: it says nothing without its workspace."""
    with pytest.raises(BadInput) as refused:
        find_person(CATALOG, word, ANA)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("typed", ["operations ben", "ops @ben", "Operations lead Ben", "ops-lead ben"])  # fmt: skip
async def test_a_role_is_given(declared: ChatRoom, typed: str) -> None:
    """Once, however often it is said; on the timeline, on the card, and in the channel."""
    room = declared
    for verb in ("role", "assign", "roles"):
        reply = await room.type_(f"/incident {verb} {typed}")
        assert reply.text == "Ben is operations lead of #1."
    rows = [r for r in await room.rows() if r.kind == "role_assigned"]
    assert [(r.actor, r.text, r.data["person"]) for r in rows] == [
        ("person:ana", "Ben is operations lead", "ben")
    ]
    assert "*Operations lead* Ben" in words((await room.card(1)).blocks)
    shown = await room.type_("/incident role")
    assert "*incident commander* Ana\n*operations lead* Ben\n*communications lead* _nobody_" in words(shown.blocks)  # fmt: skip


async def test_a_role_is_given_up(declared: ChatRoom) -> None:
    room = declared
    await room.type_("/incident role scribe me", "ben")
    for _ in range(2):
        reply = await room.type_("/incident role scribe nobody")
        assert reply.text == "Nobody is scribe of #1."
    await room.type_("/incident role commander nobody")
    incident = await room.incident()
    assert (incident.holders, incident.status) == ({}, "investigating")
    released = [r.data for r in await room.rows() if r.kind == "role_released"]
    assert released == [
        {"role": "scribe", "person": "", "before": "ben"},
        {"role": "commander", "person": "", "before": "ana"},
    ]


async def test_command_is_offered_and_accepted(declared: ChatRoom) -> None:
    """The old commander commands until the new one says yes; the second click changes nothing."""
    room = declared
    await room.type_("/incident note DNS is fine")
    reply = await room.type_("/incident role commander ben", key="k")
    assert reply.text.startswith("Ben is offered command of #1")
    await room.type_("/incident role commander ben", key="k")
    assert (await room.incident()).commander == "ana"
    (row,) = [r for r in await room.rows() if r.kind == "handover_offered"]
    assert "Command is offered to Ben\n#1 sev2, investigating: Down" in row.text
    assert "UTC Ana: DNS is fine" in row.text
    value = await offer(room)
    said = await room.message("handover-k")
    assert [b["action_id"] for b in said.blocks[-1]["elements"]] == [
        "handover_accept", "handover_refuse",
    ]  # fmt: skip
    for person in ("ana", "cleo", "dora"):
        with pytest.raises(NotAllowed, match="offered to Ben alone"):
            await room.click("handover_accept", value, person)
    for _ in range(2):
        assert (
            await room.click("handover_accept", value, "ben")
        ).text == "You are commander of #1."
    assert (await room.incident()).commander == "ben"
    assigned = [r.actor for r in await room.rows() if r.kind == "commander_assigned"]
    assert assigned == ["person:ana", "person:ben"]
    said = await room.message("handover-k")
    assert said.text == "Ben took command"
    assert "actions" not in [b["type"] for b in said.blocks]


async def test_command_is_refused(declared: ChatRoom) -> None:
    room = declared
    await room.type_("/incident handover Ben")
    value = await offer(room)
    await room.click("handover_refuse", value, "ben")
    incident = await room.incident()
    assert (incident.commander, incident.offer) == ("ana", {})
    assert (await room.rows())[-1].kind == "handover_refused"
    for action in ("handover_accept", "handover_refuse"):
        with pytest.raises(Conflict, match="not offered any more"):
            await room.click(action, value, "ben")


async def test_who_takes_command_voids_what_was_offered(declared: ChatRoom) -> None:
    """Also another offer does: at most one stands."""
    room = declared
    await room.type_("/incident handover ben")
    first = await offer(room)
    await room.type_("/incident handover cleo")
    second = await offer(room)
    with pytest.raises(Conflict):
        await room.click("handover_accept", first, "ben")
    await room.type_("/incident lead", "dora")
    with pytest.raises(Conflict):
        await room.click("handover_accept", second, "cleo")
    assert (await room.incident()).commander == "dora"


async def test_a_note_without_a_person_is_for_all(declared: ChatRoom) -> None:
    """Anybody may write one; nothing is offered."""
    room = declared
    for _ in range(2):
        reply = await room.type_("/incident handoff", "ben", key="k")
    assert reply.text.startswith("The note is in the channel and on the timeline.")
    assert [r.kind for r in await room.rows()].count("handover_noted") == 1
    said = await room.message("handover-k")
    assert said.text == "Hand-over note"
    assert "Incident commander: Ana" in words(said.blocks)
    assert (await room.incident()).offer == {}


WRONG = [
    ("/incident role ops", "Say who. Usage: /incident role [ROLE PERSON|me|nobody]"),
    ("/incident role opps ben", "There is no role 'opps'; did you mean 'ops'? Roles: commander"),
    ("/incident role ops bne", "I do not know the person 'bne'; did you mean 'ben'?"),
    ("/incident handover bne", "I do not know the person 'bne'; did you mean 'ben'?"),
    ("/incident rolle ops ben", "I do not know 'rolle'; did you mean 'role"),
    ("/incident handovr ben", "I do not know 'handovr'; did you mean 'handover'?"),
]


async def test_wrong_words(declared: ChatRoom) -> None:
    before = len(await declared.rows())
    for typed, said in WRONG:
        with pytest.raises(BadInput) as refused:
            await declared.type_(typed)
        assert str(refused.value).startswith(said)
    assert len(await declared.rows()) == before


async def test_who_may_not(declared: ChatRoom) -> None:
    """Strangers, people who are no responders, and those who would give away another's command."""
    room = declared
    for typed in ("role ops ben", "role", "handover", "handover ben"):
        with pytest.raises(NotAllowed, match="I do not know you"):
            await room.type_(f"/incident {typed}", "mallory", at=1)
    for typed in ("role ops ben", "role ops nobody", "handover"):
        with pytest.raises(NotAllowed, match=r"You have no role|needs the role 'responder'"):
            await room.type_(f"/incident {typed}", "eli", at=1)
    for typed in ("role commander cleo", "handover cleo", "role commander nobody"):
        with pytest.raises(NotAllowed, match="Only the incident commander hands command over"):
            await room.type_(f"/incident {typed}", "ben", at=1)
    with pytest.raises(Conflict, match="Ana is incident commander already"):
        await room.type_("/incident handover ana", "dora", at=1)
    for typed in ("role commander eli", "handover eli"):
        with pytest.raises(Conflict, match="Eli has no role in the catalog"):
            await room.type_(f"/incident {typed}", at=1)
    assert (await room.incident()).offer == {}


async def test_a_private_one_is_not_there_for_others_until_they_have_a_role(
    room: ChatRoom,
) -> None:
    async with room.store.write() as session:
        await room.incidents.declare(
            session, title="Leak", severity="sev1", actor="person:ana", origin="o", private=True
        )
    for typed in ("role #1", "role #1 ops me", "handover #1"):
        with pytest.raises(NotFound, match="There is no incident 1"):
            await room.type_(f"/incident {typed}", "ben")
    await room.type_("/incident role #1 ops ben")
    assert "Ben" in words((await room.type_("/incident role #1", "ben")).blocks)


async def test_a_note_is_data(room: ChatRoom) -> None:
    """What people and alerts wrote cannot wake a channel from it, and it fits."""
    await room.type_("/incident declare <!channel> down")
    for number in range(5):
        await room.type_(f"/incident note <!here> {number} {'&' * 2900}")
    await room.type_("/incident handover", key="k")
    said = words((await room.message("handover-k")).blocks)
    assert "<!" not in said
    assert "&lt;!channel&gt; down" in said
