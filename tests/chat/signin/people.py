"""Somebody with a password and an app, and the forms that they fill in."""

import re

import httpx
import pyotp
import time_machine

from bot.store import now
from bot.timeline import Entry, rows_of
from tests.chat.console_world import ORIGIN, World

PASSWORD, OTHER = "correct horse battery", "quite another staple"
WRONG = "Person, password and code do not go together."


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


async def record(world: World) -> list[Entry]:
    async with world.store.read() as session:
        return await rows_of(session, 0)


def said(answer: httpx.Response) -> str:
    """What a refused form says."""
    assert answer.status_code == 403, answer.text
    found = re.search(r'class="problem" role="alert">(.*?)</p>', answer.text)
    assert found
    return re.sub(r"<[^>]+>", "", found[1])
