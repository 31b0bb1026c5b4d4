"""Passwords, codes and waits, without a page around them."""

import base64
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine

from bot.chat.console import factors
from bot.errors import BadInput
from tests.chat.console_world import AMIR, ROSA

RFC = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_rfc(moment: int, code: str) -> None:
    """RFC 6238's table (its last six digits); one step early or late is taken, two are not."""
    for seconds, found in ((-60, False), (-30, True), (0, True), (30, True), (60, False)):
        at = datetime.fromtimestamp(moment + seconds, UTC)
        assert factors.step_of(RFC, code, at) == (moment // 30 if found else None)
    assert factors.step_of(RFC, f" {code[:3]} {code[3:]}", datetime.fromtimestamp(moment, UTC))


@pytest.mark.parametrize("code", ["", "28708", "2870822", "٢٨٧٠٨٢", "abcdef", "\0" * 6, "9" * 999])
def test_what_is_no_code(code: str) -> None:
    assert factors.step_of(RFC, code, datetime.fromtimestamp(59, UTC)) is None


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("correct horse", "correct house", "The two passwords differ."),
        ("eleven char", "eleven char", "fewer than 12 characters"),
        ("my rosa garden", "my rosa garden", "contains your name"),
        ("from DIAZ to Vela", "from DIAZ to Vela", "contains your name"),
        ("x" * 1001, "x" * 1001, "more than 1000 characters"),
    ],
)
def test_passwords_that_are_refused(password: str, again: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        factors.check_password(password, again, ROSA)


def test_a_good_password() -> None:
    """A short word of a name is not in the way; the same letters are the same on any keyboard."""
    factors.check_password("twelve words", "twelve words", AMIR.model_copy(update={"id": "wo"}))
    kept = factors.hashed("café au lait à Orléans")
    assert factors.matches(kept, "cafe\u0301 au lait a\u0300 Orle\u0301ans")
    assert not factors.matches(kept, "cafe au lait a Orleans")
    assert not factors.matches("not a hash", "cafe au lait a Orleans")


def test_nobodys_password_costs_what_anybodys_does() -> None:
    """The same parameters, so the same work; and nothing is right."""
    assert not factors._hasher.check_needs_rehash(factors.NOBODYS)
    kept = factors.hashed("a good long password")
    took = []
    for each in (kept, None):
        began = time.process_time()
        assert not factors.matches(each, "another long password")
        took.append(time.process_time() - began)
    assert 0.3 < took[0] / took[1] < 3
    assert not factors.matches(None, "")


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    seconds = [factors.wait_after(failures).total_seconds() for failures in (0, 4, 5, 6, 7, 8, 9)]
    assert seconds == [0, 0, 30, 60, 120, 240, 480]
    assert {factors.wait_after(n) for n in (10, 11, 500)} == {timedelta(minutes=15)}


def test_a_seal_opens_for_its_person_and_key_and_time() -> None:
    seals = factors.Seals(b"k" * 32)
    seal = seals.sealed("SECRET", "rosa")
    assert "SECRET" not in seal
    assert seals.opened(seal, "rosa", 60) == "SECRET"
    assert seals.opened(seal, "amir") is None
    assert factors.Seals(b"other" * 8).opened(seal, "rosa") is None
    for wrong in ("", "x", seal[:-4], "\ud800é"):
        assert seals.opened(wrong, "rosa") is None
    with time_machine.travel(time.time() + 61):
        assert seals.opened(seal, "rosa", 60) is None
        assert seals.opened(seal, "rosa") == "SECRET"


def test_the_address_is_what_apps_read() -> None:
    """Issuer and account are shown by the app; SHA-1, six digits and 30 s are the defaults."""
    address = urlsplit(factors.address_of(RFC, ROSA))
    assert (address.scheme, address.netloc, address.path) == ("otpauth", "totp", "/Jackline:rosa")
    assert parse_qs(address.query) == {"secret": [RFC], "issuer": ["Jackline"]}
    picture = factors.picture_of(address.geturl())
    assert picture.startswith("<svg viewBox=")
    assert "style" not in picture
