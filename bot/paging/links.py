"""Links that acknowledge a page once, for whom they were sent to. Pure.

A token can be made again by who has the key, so that a message that is sent again has the same
link; the database keeps its hash alone.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode


def token(key: bytes, page: int, step: int, person: str) -> str:
    """What is in the link of one person at one step: 256 bits that nobody can guess."""
    said = f"jackline page link|{page}|{step}|{person}".encode()
    return urlsafe_b64encode(hmac.new(key, said, "sha256").digest()).decode().rstrip("=")


def hashed(given: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(given.encode()).hexdigest()
