"""Search finds what is there the moment it is written, on both databases, and nothing that is not for you."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Catalog, Person
from bot.errors import BadInput
from bot.incidents import Incident
from bot.postmortems import Postmortem
from bot.postmortems.search import Search
from bot.postmortems.search.words import excerpt, for_postgresql, for_sqlite, terms
from bot.store import Store
from bot.timeline import Ledger

ANA, BO, ADA = (Person(id=i, name=i, roles=r) for i, r in (("ana", []), ("bo", []), ("ada", ["admin"])))  # fmt: skip
CATALOG = Catalog(people=[ANA, BO, ADA])
SEARCH = Search(lambda: CATALOG)
LEDGER = Ledger(b"key")


async def incident(session: AsyncSession, title: str, *notes: str, **more: object) -> int:
    given = {"severity": "sev2", "status": "resolved", "declared_by": "person:ana", **more}
    made = Incident(title=title, origin=title, **given)
    session.add(made)
    await session.flush()
    for note in notes:
        await LEDGER.append(session, made.number, "note_added", "person:ana", note)
    return made.number


async def found(store: Store, typed: str, person: Person | None = BO) -> list[int]:
    async with store.read() as session:
        return [each.number for each in await SEARCH.find(session, typed, person)]


async def test_titles_timelines_and_postmortems_are_found(store: Store) -> None:
    """Title first, then the postmortem, then the timeline; the newest first; with the place."""
    async with store.write() as session:
        one = await incident(session, "Checkout down", "the certificate had run out", "all fine")
        two = await incident(session, "Certificates of the edge", "rotated")
        three = await incident(session, "Slow", "x")
        session.add(Postmortem(incident_id=three, markdown="# P\n\nA certificate again", html="", drawn_from=1))  # fmt: skip
        four = await incident(session, "Quiet", "an unrelated CERTIFICATE-42: note")
    assert await found(store, "certificate") == [two, three, four, one]
    async with store.read() as session:
        hits = {f.number: f.hits for f in await SEARCH.find(session, "certificate", BO)}
    assert [(h.where, h.seq) for h in hits[one]] == [("timeline", 1)]
    assert hits[one][0].text == "the certificate had run out"
    assert [h.where for h in hits[two]] == ["title"]
    assert [h.where for h in hits[three]] == ["postmortem"]


async def test_what_is_changed_or_gone_is_no_longer_found(store: Store) -> None:
    """The index follows each transaction, also one that is taken back."""
    async with store.write() as session:
        one = await incident(session, "Zebra")
        session.add(Postmortem(incident_id=one, markdown="alpha beta", html="", drawn_from=0))
    async with store.write() as session:
        (await session.get_one(Incident, one)).title = "Giraffe"
        (await session.get_one(Postmortem, one)).markdown = "gamma"
    assert [await found(store, w) for w in ("zebra", "alpha", "giraffe", "gamma")] == [[], [], [one], [one]]  # fmt: skip
    async with store.write() as session:
        await incident(session, "Rollback", "unicorn")
        await session.rollback()
    assert await found(store, "unicorn") == []
    async with store.write() as session:
        await session.execute(text("DELETE FROM postmortem"))
    assert await found(store, "gamma") == []


async def test_private_incidents_are_for_their_people(store: Store) -> None:
    """Neither the incident nor its count; without a person they are nobody's."""
    async with store.write() as session:
        open_ = await incident(session, "Leak rumour", "leak")
        secret = await incident(session, "Leak of keys", "leak", private=True, people=["ana"], declared_by="source:x")  # fmt: skip
    assert await found(store, "leak", ANA) == [secret, open_]
    assert await found(store, "leak", ADA) == [secret, open_]
    assert await found(store, "leak", BO) == [open_]
    assert await found(store, "leak", None) == [open_]


@pytest.mark.parametrize(
    ("typed", "fits"),
    [
        ("db-17", True), ("DB 17", True), ("rout", True), ('"no route"', True), ('"route no"', False),
        ("timeout host", False), ("no host", True), ("eu-west-1b", True), ("ost", False),
        ("10.1.2.3", True), ("Ünïcode", True), ("https://x.example/a?b=c", True), ("漢字", True),
        ("user_id", True), ("'", None), ("* OR (", False), ("%", None), ("host'); DROP TABLE", False),
        ("NOT host", False), ("NEAR(no, route)", False), (":*", None), ("a" * 201, None), ("no & !host", True),
    ],
)  # fmt: skip
async def test_what_people_type(store: Store, typed: str, fits: bool | None) -> None:
    """Words, beginnings, phrases; no operator of either database; nonsense is said to be it."""
    async with store.write() as session:
        await incident(session, "T", 'db-17: "no route to host" in eu-west-1b, 10.1.2.3, Ünïcode https://x.example/a?b=c 漢字 user_id')  # fmt: skip
    if fits is None:
        with pytest.raises(BadInput):
            await found(store, typed)
    else:
        assert (await found(store, typed) == [1]) is fits


async def test_texts_of_any_size_are_written(store: Store) -> None:
    """No index may cost a row: not by its length, nor by the length of a word or by their number."""
    many = " ".join(f"w{n}" for n in range(60_000))
    async with store.write() as session:
        one = await incident(
            session, "Big", "x" * 300_000, many, "漢" * 200_000, "\x01\ufffd\u202e"
        )
        session.add(Postmortem(incident_id=one, markdown=many * 4, html="", drawn_from=0))
    assert await found(store, "w17") == [one]


async def test_jacklines_own_record_is_not_searched(store: Store) -> None:
    async with store.write() as session:
        await LEDGER.append(session, 0, "note_added", "jackline", "backstage")
    assert await found(store, "backstage") == []


def test_the_languages_of_both() -> None:
    wanted = terms('cert "no route" db-1')
    assert for_sqlite(wanted) == '"cert" * AND "no route" AND "db 1"'
    assert for_postgresql(wanted) == "('cert':*) & ('no' <-> 'route') & ('db' <-> '1')"


def test_an_excerpt_is_around_the_word() -> None:
    long = "word " * 100 + "needle in it " + "hay " * 100
    shown = excerpt(long, terms("needle"), 80)
    assert shown.startswith("…word")
    assert shown.endswith("…")
    assert "needle in it" in shown
