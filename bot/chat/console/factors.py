"""The two proofs of a sign-in, a password and an app's code, and how long guesses wait.

Pure: no database, no page. A secret leaves this file only sealed or on the page that shows it to
its person.
"""

import base64
import hmac
import re
import unicodedata
from datetime import datetime, timedelta

import pyotp
import segno
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from markupsafe import Markup

from bot.catalog import Person
from bot.errors import BadInput

ISSUER = "Jackline"
FREE = 5  # failures in a row before tries must wait
_LEAST, _MOST = 12, 1000  # characters of a password
_PART = 3  # characters from which on a part of a name counts
_STEP = 30  # seconds that a code is shown
_DRIFT = 1  # steps that the clock of a phone, or ours, may be off
_CODE = re.compile(r"[0-9]{6}")
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
_hasher = PasswordHasher(time_cost=2, memory_cost=47_104, parallelism=1)
# Of no password at all: takes as long to compare as a real one.
NOBODYS = f"$argon2id$v=19$m=47104,t=2,p=1${'A' * 22}${'A' * 43}"


def check_password(password: str, again: str, person: Person) -> None:
    """Whether the person may take it. Raises `BadInput`."""
    if password != again:
        raise BadInput("The two passwords differ.", hint="Type the same one twice.")
    if len(password) < _LEAST:
        raise BadInput(
            f"The password has fewer than {_LEAST} characters.", hint="Take a few words."
        )
    if len(password) > _MOST:
        raise BadInput(f"The password has more than {_MOST} characters.")
    plain = password.casefold()
    parts = (person.id, person.name, *person.name.split())
    if any(len(part) >= _PART and part.casefold() in plain for part in parts):
        raise BadInput(
            "The password contains your name.", hint="Take words that others cannot guess."
        )


def hashed(password: str) -> str:
    """A slow hash: call it off the event loop."""
    return _hasher.hash(_bytes(password))


def matches(kept: str | None, password: str) -> bool:
    """Whether it is the password of the hash; as slow where there is none."""
    try:
        return _hasher.verify(kept or NOBODYS, _bytes(password[:_MOST])) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    """The same on every keyboard: some send é as one character, some as two."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace")


def new_secret() -> str:
    """What an app makes its codes of: 160 bits, base32."""
    return pyotp.random_base32()


def step_of(secret: str, code: str, moment: datetime) -> int | None:
    """The time step that the code is of, if it is one of about now."""
    given = "".join(code.split())
    if not _CODE.fullmatch(given):
        return None
    current, codes = int(moment.timestamp()) // _STEP, pyotp.TOTP(secret)
    for step in range(max(current - _DRIFT, 0), current + _DRIFT + 1):
        if hmac.compare_digest(codes.at(step * _STEP), given):
            return step
    return None


def first_step(secret: str, code: str, moment: datetime) -> int:
    """The time step of the code that shows that an app has the secret. Raises `BadInput`."""
    step = step_of(secret, code, moment)
    if step is None:
        raise BadInput(
            "The new code is not right.",
            hint="Scan the picture, and type what the app shows now. Is the phone's clock right?",
        )
    return step


def address_of(secret: str, person: Person) -> str:
    """The ``otpauth:`` address that apps read."""
    return pyotp.TOTP(secret).provisioning_uri(name=person.id, issuer_name=ISSUER)


def picture_of(address: str) -> Markup:
    """The address as a QR code: SVG without styles or scripts, dark on white whatever the page is."""
    code = segno.make(address, micro=False)
    drawn = code.svg_inline(scale=5, dark="#000", light="#fff", omitsize=True, title="QR code")
    return Markup(drawn)  # noqa: S704 - squares and our title, nothing that was typed


def wait_after(failures: int) -> timedelta:
    """How long the next try must wait after so many failures in a row."""
    if failures < FREE:
        return timedelta(0)
    doubled: timedelta = _FIRST_WAIT * 2 ** min(failures - FREE, 10)
    return min(doubled, _LONGEST_WAIT)


class Seals:
    """Keeps a secret unreadable for who has the database without the session key."""

    def __init__(self, session_key: bytes) -> None:
        derived = HKDF(SHA256(), 32, None, b"jackline console sign-in").derive(session_key)
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def sealed(self, secret: str, person_id: str) -> str:
        """For this person alone: moved to another one's row it opens nothing."""
        return self._fernet.encrypt(f"{person_id}:{secret}".encode()).decode()

    def opened(self, seal: str, person_id: str, seconds: int | None = None) -> str | None:
        """The secret; None if the seal is not ours and the person's, or older than ``seconds``."""
        try:
            plain = self._fernet.decrypt(seal.encode("utf-8", "replace"), ttl=seconds).decode()
        except InvalidToken:
            return None
        owner, _, secret = plain.partition(":")
        return secret if owner == person_id else None
