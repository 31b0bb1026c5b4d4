"""One-time codes by which a second person approves over the phone; no clock is needed.

``KQX-ABCDE-FGHIJ``: the first group says which code it is, and so whose; the rest is the secret, of
which the go-bag holds only a slow hash. Each works once in a journal, and for its person alone.
"""

import secrets
from collections.abc import Iterable, Sequence

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel

from bot.errors import NotAllowed

EACH = 10  # codes a person
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_MARK, _SECRET = 3, 10
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class CodeHash(BaseModel, extra="forbid", frozen=True):
    """One code without its secret."""

    mark: str
    person: str
    hash: str


def make_codes(
    people: Iterable[str], each: int = EACH
) -> tuple[list[CodeHash], dict[str, list[str]]]:
    """The hashes for the bag, and each person's codes for their own sheet."""
    hashes: list[CodeHash] = []
    sheets: dict[str, list[str]] = {}
    used: set[str] = set()
    for person in people:
        for _ in range(each):
            mark = _letters(_MARK)
            while mark in used:
                mark = _letters(_MARK)
            used.add(mark)
            secret = _letters(_SECRET)
            hashes.append(CodeHash(mark=mark, person=person, hash=_hasher.hash(mark + secret)))
            sheets.setdefault(person, []).append(f"{mark}-{secret[:5]}-{secret[5:]}")
    return hashes, sheets


def redeem(codes: Sequence[CodeHash], said: str) -> CodeHash:
    """The code that was read out. Raises `NotAllowed`, and does not say what is wrong with it."""
    plain = "".join(c for c in said.upper() if c.isalnum())
    found = next((code for code in codes if code.mark == plain[:_MARK]), None)
    try:
        if found is not None and _hasher.verify(found.hash, plain):
            return found
    except (VerificationError, InvalidHashError):
        pass
    raise NotAllowed("That is none of this go-bag's codes.", hint="Is the sheet of this bag?")


def _letters(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))
