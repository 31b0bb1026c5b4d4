"""Signing in to the console with a password and an app's code, over each database."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
import time_machine
from sqlalchemy import text

from bot.chat.console import Passwords
from bot.chat.console.tables import ConsoleSignin
from bot.errors import NotAllowed
from bot.store import Store, now
from bot.timeline import Entry, rows_of
from tests.chat.console_world import KEY, ORIGIN, ROSA, World

pytestmark = pytest.mark.slow  # a password's hash takes its time on purpose

PASSWORD, OTHER = "correct horse battery", "quite another staple"
WRONG = "Person, password and code do not go together."


@pytest.fixture
def world(tmp_path: Path, store: Store) -> World:
    return World(tmp_path, store)


class Phone:
    """Somebody with a password and an app, who lets each code pass before asking for the next."""

    def __init__(self, world: World, secret: str, clock: time_machine.Traveller) -> None:
        self.world = world
        self.secret = secret
        self.clock = clock

    def code(self) -> str:
        """A code that was not used yet."""
        self.clock.shift(30)
        return pyotp.TOTP(self.secret).at(now())

    async def signs_in(self, **typed: str) -> tuple[httpx.AsyncClient, httpx.Response]:
        browser = self.world.browser()
        return browser, await enter(browser, **{"code": self.code(), **typed})


async def enter(browser: httpx.AsyncClient, **typed: str) -> httpx.Response:
    form = {"person": "rosa", "password": PASSWORD, "code": "000000", **typed}
    return await browser.post("/signin", data=form, headers=ORIGIN)


async def filled(browser: httpx.AsyncClient, **typed: str) -> tuple[str, dict[str, str]]:
    """The set-up page as a person fills it in, and the secret that the app got."""
    page = (await browser.get("/me/signin")).text
    seal = re.search(r'name="seal" value="([^"]+)"', page)
    address = re.search(r'href="(otpauth://[^"]+)"', page)
    assert seal
    assert address
    secret = pyotp.parse_uri(address[1].replace("&amp;", "&")).secret
    assert secret in page.replace(" ", "")
    code = pyotp.TOTP(secret).at(now())
    return secret, {
        "seal": seal[1], "password": PASSWORD, "again": PASSWORD, "code": code, **typed,
    }  # fmt: skip


async def set_up(browser: httpx.AsyncClient, **typed: str) -> str:
    secret, form = await filled(browser, **typed)
    answer = await browser.post("/me/signin", data=form, headers=ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/me/signin")
    return secret


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(now(), tick=False) as moved:
        yield moved


@pytest.fixture
async def phone(world: World, clock: time_machine.Traveller) -> Phone:
    """Rosa's, after she followed a link and set both up; a second later."""
    secret = await set_up(await world.signed_in())
    clock.shift(1)
    return Phone(world, secret, clock)


async def record(world: World) -> list[Entry]:
    async with world.store.read() as session:
        return await rows_of(session, 0)


def said(answer: httpx.Response) -> str:
    """What a refused form says."""
    assert answer.status_code == 403, answer.text
    found = re.search(r'class="problem" role="alert">(.*?)</p>', answer.text)
    assert found
    return re.sub(r"<[^>]+>", "", found[1])


# Coming in


async def test_set_up_once_and_then_sign_in_alone(phone: Phone) -> None:
    """A full session as by a link, and both are on record."""
    browser, answer = await phone.signs_in(person=" Rosa ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in answer.headers["set-cookie"]
    page = await browser.get("/")
    assert "Rosa Diaz" in page.text
    assert 'href="/me/signin"' in page.text
    rows = await record(phone.world)
    assert [(row.kind, row.actor) for row in rows] == [
        ("signin_set_up", "person:rosa"), ("signed_in", "person:rosa"),
    ]  # fmt: skip
    assert rows[0].text.endswith("by a one-time link")


async def test_the_form_is_made_for_phones(world: World) -> None:
    page = (await world.browser().get("/signin")).text
    for attribute in ("username", "current-password", "one-time-code"):
        assert f'autocomplete="{attribute}"' in page
    assert 'inputmode="numeric"' in page
    assert "jackline signin PERSON" in page


async def test_one_refusal_for_everything_that_is_wrong(phone: Phone) -> None:
    """The whole page is the same, but for the name that was typed; the code stays good."""
    code = phone.code()
    wrong = [
        {"password": OTHER, "code": code}, {"code": "000000"}, {"code": "no code"},
        {"person": "amir", "code": code}, {"person": "eve", "code": code},
    ]  # fmt: skip
    pages = set()
    for typed in wrong:
        answer = await enter(phone.world.browser(), **typed)
        assert "set-cookie" not in answer.headers
        assert said(answer).startswith(WRONG)
        shown = f'value="{typed.get("person", "rosa")}"'
        assert shown in answer.text
        pages.add(answer.text.replace(shown, 'value=""'))
    assert len(pages) == 1
    assert (await enter(phone.world.browser(), code=code)).status_code == 303


async def test_a_code_works_once(phone: Phone) -> None:
    """Not the one that confirmed the set-up, not a second time, and none from before."""
    early = pyotp.TOTP(phone.secret).at(now())
    assert said(await enter(phone.world.browser(), code=early)).startswith(WRONG)
    _, answer = await phone.signs_in()
    assert answer.status_code == 303
    for code in (pyotp.TOTP(phone.secret).at(now()), early):
        assert said(await enter(phone.world.browser(), code=code)).startswith(WRONG)


async def test_two_replicas_cannot_both_take_a_code(
    phone: Phone, database_url: str, tmp_path: Path
) -> None:
    """Sent to both at once, often enough to meet: one session each time."""
    (tmp_path / "second").mkdir()
    second = World(tmp_path / "second", Store(database_url))
    for _ in range(3):
        code = phone.code()
        browsers = [phone.world.browser(), second.browser()]
        answers = await asyncio.gather(*(enter(each, code=code) for each in browsers))
        assert sorted(answer.status_code for answer in answers) == [303, 403]
    assert [row.kind for row in await record(second)].count("signed_in") == 3
    await second.store.close()


async def test_who_left_the_catalog_cannot_sign_in(phone: Phone) -> None:
    phone.world.people.remove(ROSA)
    _, answer = await phone.signs_in()
    assert said(answer).startswith(WRONG)


async def test_a_form_from_another_site_signs_nobody_in(phone: Phone) -> None:
    form = {"person": "rosa", "password": PASSWORD, "code": phone.code()}
    for headers in ({}, {"origin": "https://evil.test"}):
        answer = await phone.world.browser().post("/signin", data=form, headers=headers)
        assert answer.status_code == 403
        assert "another site" in answer.text
    for page in ("/signin", "/me/signin"):
        answer = await (await phone.world.signed_in()).get(page)
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("nasty", ["", "\0", "é" * 5000, "?000", "{{7*7}}<script>", "' OR 1=1 --"])
async def test_whatever_is_typed_is_only_wrong(world: World, nasty: str) -> None:
    """No crash, nothing of it on the page, and nothing of it in the table."""
    for field in ("person", "password", "code"):
        answer = await enter(world.browser(), **{field: nasty})
        assert said(answer).startswith(WRONG)
        assert "<script>" not in answer.text
    surrogates = b"+2AA-"
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name, surrogates)
        for name in (b"person", b"password", b"code")
    )
    answer = await world.browser().post(
        "/signin", content=body + b"--x--\r\n",
        headers={**ORIGIN, "content-type": "multipart/form-data; boundary=x; charset=utf-7"},
    )  # fmt: skip
    assert said(answer).startswith(WRONG)
    async with world.store.read() as session:
        names = (await session.execute(text("SELECT person_id FROM console_signin"))).scalars()
    assert all(re.fullmatch(r"rosa|\?[0-9a-f]{3}", name) for name in names)


# Guessing


@pytest.mark.parametrize("who", ["rosa", "amir", "eve"])
async def test_guesses_must_wait_longer_and_longer(phone: Phone, who: str) -> None:
    """After five in a row; in words; for names that nobody has too; on record once."""
    clock, browser = phone.clock, phone.world.browser()
    for _ in range(4):
        assert "possible" not in said(await enter(browser, person=who))
    for wait, shown in ((30, "30 s"), (60, "60 s"), (120, "2 min"), (240, "4 min"), (480, "8 min"),
                        (900, "15 min"), (900, "15 min")):  # fmt: skip
        told = f"possible in {shown}; jackline signin PERSON on the server works at once."
        assert said(await enter(browser, person=who)).endswith(told)
        clock.shift(wait - 1)
        held = said(await enter(browser, person=who))
        assert held.startswith("Too many tries were wrong. The next try is possible in 1 s")
        clock.shift(1)
    refused = [row for row in await record(phone.world) if row.kind == "signin_refused"]
    known = [("jackline", {"person": who})] if who != "eve" else []
    assert [(row.actor, row.data) for row in refused] == known


async def test_the_right_ones_wait_too_and_then_begin_anew(phone: Phone) -> None:
    """Who guesses right while held learns nothing; signing in forgets the failures."""
    for _ in range(5):
        await enter(phone.world.browser())
    code = pyotp.TOTP(phone.secret).at(now().timestamp() + 30)
    assert said(await enter(phone.world.browser(), code=code)).startswith("Too many tries")
    phone.clock.shift(30)
    assert (await enter(phone.world.browser(), code=code)).status_code == 303
    assert "possible in" not in said(await enter(phone.world.browser()))


async def test_the_link_works_at_once_while_guesses_wait(phone: Phone) -> None:
    for _ in range(5):
        await enter(phone.world.browser())
    browser = await phone.world.signed_in()
    assert (await browser.get("/me/signin")).status_code == 200


async def test_many_guesses_at_once_get_no_further(phone: Phone) -> None:
    """Five are looked at; the others wait, or are told that too many are here."""
    answers = await asyncio.gather(*(enter(phone.world.browser()) for _ in range(30)))
    words = [a.text for a in answers]
    assert sum(WRONG in w for w in words) == 5
    assert sum("Too many people sign in at this moment." in w for w in words) == 20
    assert sum("Too many tries were wrong." in w for w in words) == 5
    assert {a.status_code for a in answers} == {403, 503}


# Setting up


async def test_nothing_is_kept_before_the_app_has_shown_a_code(world: World) -> None:
    """What is wrong is said on the same page, with the same picture to go on with."""
    browser = await world.signed_in()
    _, form = await filled(browser)
    for wrong, words in (
        ({"code": "000000"}, "The new code is not right."),
        ({"again": OTHER}, "The two passwords differ."),
        ({"password": "short", "again": "short"}, "fewer than 12 characters"),
        ({"password": "Rosa's password", "again": "Rosa's password"}, "contains your name"),
    ):
        answer = await browser.post("/me/signin", data={**form, **wrong}, headers=ORIGIN)
        assert answer.status_code == 422
        assert words in answer.text
        assert form["seal"] in answer.text
    assert await record(world) == []
    assert "They were set up" not in (await browser.get("/me/signin")).text


async def test_a_page_that_is_old_or_anothers_sets_nothing_up(
    world: World, clock: time_machine.Traveller
) -> None:
    rosa, amir = await world.signed_in("rosa"), await world.signed_in("amir")
    secret, form = await filled(rosa)
    assert (await amir.post("/me/signin", data=form, headers=ORIGIN)).status_code == 422
    clock.shift(31 * 60)
    form["code"] = pyotp.TOTP(secret).at(now())
    answer = await rosa.post("/me/signin", data=form, headers=ORIGIN)
    assert answer.status_code == 422
    assert "out of date" in answer.text
    assert await record(world) == []


async def test_a_change_asks_for_the_present_ones(phone: Phone) -> None:
    """Both, and the code is used up; wrong ones count as guesses."""
    browser, _ = await phone.signs_in()
    new = {"password": OTHER, "again": OTHER}
    for present in ({}, {"present": PASSWORD}, {"present": OTHER, "present_code": phone.code()}):
        _, form = await filled(browser, **new, **present)
        answer = await browser.post("/me/signin", data=form, headers=ORIGIN)
        assert said(answer).startswith(WRONG)
    code = phone.code()
    phone.secret = await set_up(browser, **new, present=PASSWORD, present_code=code)
    rows = await record(phone.world)
    assert rows[-1].text.endswith("by the password and code before")
    assert said((await phone.signs_in())[1]).startswith(WRONG)
    assert (await phone.signs_in(password=OTHER))[1].status_code == 303


async def test_who_lost_the_phone_comes_back_by_a_link_once(phone: Phone) -> None:
    """The link asks for neither; setting up uses that right up."""
    browser = await phone.world.signed_in()
    assert "Present password" not in (await browser.get("/me/signin")).text
    phone.secret = await set_up(browser, password=OTHER, again=OTHER)
    assert "Present password" in (await browser.get("/me/signin")).text
    assert (await phone.signs_in(password=OTHER))[1].status_code == 303


async def test_a_change_ends_the_persons_other_sessions(
    phone: Phone, database_url: str, tmp_path: Path
) -> None:
    """At every replica; one's own goes on, and so do other people's."""
    (tmp_path / "second").mkdir()
    second = World(tmp_path / "second", Store(database_url))
    stolen, amir = await second.signed_in("rosa"), await second.signed_in("amir")
    assert (await stolen.get("/")).status_code == 200
    browser = await phone.world.signed_in()
    phone.clock.shift(0.001)
    await set_up(browser)
    assert (await stolen.get("/")).headers["location"] == "/signin"
    assert "Sign in" in (await stolen.get("/signin")).text
    for each in (browser, amir):
        assert (await each.get("/")).status_code == 200
    await second.store.close()


async def test_taking_both_away_ends_every_session(phone: Phone) -> None:
    """On record, once; also one that is at this moment about to set up new ones."""
    world = phone.world
    browser, _ = await phone.signs_in()
    passwords = Passwords(world.store, world.incidents.ledger, KEY, world.catalog)
    phone.clock.shift(1)
    assert [await passwords.remove(ROSA) for _ in range(2)] == [True, False]
    row = (await record(world))[-1]
    assert (row.kind, row.actor, row.data) == ("signin_removed", "jackline", {"person": "rosa"})
    assert (await browser.get("/")).headers["location"] == "/signin"
    assert said((await phone.signs_in())[1]).startswith(WRONG)
    began = now().timestamp() - 3600
    with pytest.raises(NotAllowed, match="has ended"):
        await passwords.set_up(ROSA, PASSWORD, "seal", 1, began=began, by_link=True)


async def test_a_new_session_key_asks_for_a_new_set_up(phone: Phone) -> None:
    """The sealed secret opens no more; the words are those of any refusal."""
    world = phone.world
    other = Passwords(world.store, world.incidents.ledger, b"other" * 8, world.catalog)
    with pytest.raises(NotAllowed, match="do not go together"):
        await other.prove("rosa", PASSWORD, phone.code())


# What must not get out


async def test_secrets_are_nowhere_to_be_read(
    phone: Phone, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not on a later page, in the record, in the table or in the log."""
    browser, _ = await phone.signs_in()
    for _ in range(6):
        await enter(phone.world.browser(), password="my-secret-guess")
    pages = [(await browser.get(path)).text for path in ("/", "/me/signin", "/signin")]
    async with phone.world.store.read() as session:
        table = (await session.execute(text("SELECT * FROM console_signin"))).all()
    rows = [(row.text, row.data) for row in await record(phone.world)]
    everything = f"{pages}{table}{rows}{capfd.readouterr()}".replace(" ", "")
    for secret in (phone.secret, PASSWORD.replace(" ", ""), "my-secret-guess"):
        assert secret not in everything


async def test_a_database_that_is_away_is_said(phone: Phone, tmp_path: Path) -> None:
    """503 in words; the link leads in as ever; the log holds no hash."""
    (tmp_path / "away").mkdir()
    away = World(tmp_path / "away", Store("postgresql+asyncpg://nobody@127.0.0.1:9/none"))
    for page in (await enter(away.browser()), await (await away.signed_in()).get("/me/signin")):
        assert page.status_code == 503
        assert "The database does not answer." in page.text
    assert (await away.browser().get("/signin")).status_code == 200
    signed_in = await away.signed_in()
    assert "You are signed in" in (await signed_in.get("/signin")).text
    await away.store.close()


async def test_what_could_not_be_written_is_not_logged(
    world: World, clock: object, capfd: pytest.CaptureFixture[str]
) -> None:
    """The driver's words only: the statement would show the hash and the sealed secret."""
    browser = await world.signed_in()
    _, form = await filled(browser)
    async with world.store.write() as session:
        session.add(ConsoleSignin(person_id="amir", last_step=int(now().timestamp()) // 30))
        await session.flush()
        await session.execute(text("CREATE UNIQUE INDEX once ON console_signin (last_step)"))
    answer = await browser.post("/me/signin", data=form, headers=ORIGIN)
    assert answer.status_code == 503
    logged = "".join(capfd.readouterr())
    assert "console_store_away" in logged
    assert "argon2" not in logged
    assert form["seal"] not in logged
