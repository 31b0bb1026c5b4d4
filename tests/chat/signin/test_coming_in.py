"""Signing in with a password and an app's code, and guessing them, over each database."""

import asyncio
import re
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import text

from bot.store import Store, now
from tests.chat.console_world import ORIGIN, ROSA, World
from tests.chat.signin.people import (
    OTHER,
    PASSWORD,
    WRONG,
    Phone,
    enter,
    record,
    said,
)

pytestmark = pytest.mark.slow  # a password's hash takes its time on purpose


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
