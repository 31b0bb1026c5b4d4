"""Setting both up, changing them and taking them away, over each database."""

from pathlib import Path

import pyotp
import pytest
import time_machine
from sqlalchemy import text

from bot.chat.console import Passwords
from bot.chat.console.tables import ConsoleSignin
from bot.errors import NotAllowed
from bot.store import Store, now
from tests.chat.console_world import KEY, ORIGIN, ROSA, World
from tests.chat.signin.people import (
    OTHER,
    PASSWORD,
    WRONG,
    Phone,
    enter,
    filled,
    record,
    said,
    set_up,
)

pytestmark = pytest.mark.slow  # a password's hash takes its time on purpose


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
    async with world.store.write() as session:  # the next test has the same database
        await session.execute(text("DROP INDEX once"))
    assert answer.status_code == 503
    logged = "".join(capfd.readouterr())
    assert "console_store_away" in logged
    assert "argon2" not in logged
    assert form["seal"] not in logged
