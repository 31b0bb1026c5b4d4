"""The go-bag's file: a zip that any Python 3.11 runs, a manifest, an encrypted payload, a signature.

    #!/usr/bin/env python3
    the program and its libraries     unpacked by shiv into a private folder
    bag/manifest.json                 what may be seen without a key
    bag/payload.age                   everything else, for the recipients alone
    jackline-bag/1 SHA256 KEY SIGNATURE

The signature is over every byte before the last line, so that nothing can be changed, added or
taken from an older bag. The key is kept in ``DATA_DIR``; people compare its fingerprint.
"""

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyrage
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ValidationError

from bot.access.bag_start import MANIFEST, PAYLOAD, SEAL, SEAL_LENGTH, halves, whole
from bot.errors import AuthFailed, BadInput, Untrusted
from bot.store import now

_CONTEXT = b"jackline go-bag 1\n"
_STORED_AT = (2020, 1, 1, 0, 0, 0)


class Manifest(BaseModel, extra="forbid", frozen=True):
    """What may be seen of a bag without a key."""

    id: str
    packed_at: datetime
    jackline: str
    platform: str
    unpacked: int
    recipients: int
    runbooks: int
    contacts: int
    credentials: int
    codes: int


@dataclass(frozen=True)
class Bag:
    """A bag whose every byte is as it was signed by the holder of ``signer``."""

    path: Path
    manifest: Manifest
    signer: bytes
    digest: str

    @property
    def fingerprint(self) -> str:
        """The signer's, to be compared by eye or over the phone."""
        return fingerprint(self.signer)

    @property
    def age(self) -> timedelta:
        """Since it was packed."""
        return now() - self.manifest.packed_at

    def opened(self, keys: Sequence[pyrage.x25519.Identity]) -> bytes:
        """The payload. Raises `AuthFailed` for who is none of the recipients."""
        with zipfile.ZipFile(self.path) as archive:
            sealed = archive.read(PAYLOAD)
        try:
            opened: bytes = pyrage.decrypt(sealed, list(keys))
        except pyrage.DecryptError:
            raise AuthFailed(
                "This identity is none of the go-bag's recipients.",
                hint=f"It was packed for {self.manifest.recipients} of them; take a newer bag.",
            ) from None
        return opened


def fingerprint(public: bytes) -> str:
    """128 bits of a public key's hash, in groups of four."""
    found = hashlib.sha256(public).hexdigest()[:32]
    return " ".join(found[i : i + 4] for i in range(0, 32, 4))


def same_fingerprint(one: str, other: str) -> bool:
    """Whether two texts mean one fingerprint, however they are grouped."""
    plain = ["".join(c for c in text.lower() if c.isalnum()) for text in (one, other)]
    return plain[0] == plain[1]


def signing_key(kept: bytes) -> Ed25519PrivateKey:
    """The key that `bot.store.load_key` keeps."""
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(kept.decode()))


def public_part(key: Ed25519PrivateKey) -> bytes:
    """The signer, as bags name them."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def recipients_of(texts: Sequence[str]) -> list[pyrage.x25519.Recipient]:
    """Raises `BadInput` for what is no age recipient."""
    if not texts:
        raise BadInput("Nobody could open this go-bag.", hint="Add --to age1…")
    found = []
    for text in texts:
        try:
            found.append(pyrage.x25519.Recipient.from_str(text))
        except pyrage.RecipientError:
            raise BadInput(
                f"{text!r} is no age recipient.", hint="It begins with age1; see age-keygen."
            ) from None
    return found


def complete(
    program: Path,
    manifest: Manifest,
    payload: bytes,
    recipients: Sequence[str],
    key: Ed25519PrivateKey,
) -> Bag:
    """Adds manifest, payload and signature to the program: from then on it is a bag."""
    sealed = pyrage.encrypt(payload, recipients_of(recipients))
    with zipfile.ZipFile(program, "a") as archive:
        for name, data in ((MANIFEST, manifest.model_dump_json().encode()), (PAYLOAD, sealed)):
            archive.writestr(zipfile.ZipInfo(name, _STORED_AT), data)
        archive.comment = b"\n" * SEAL_LENGTH  # its length is signed as well
    digest, _ = halves(program)
    public = public_part(key)
    signature = key.sign(_CONTEXT + digest.encode())
    with program.open("r+b") as file:
        file.seek(-SEAL_LENGTH, 2)
        file.write(f"jackline-bag/1 {digest} {public.hex()} {signature.hex()}\n".encode())
    return read_bag(program)


def read_bag(path: Path) -> Bag:
    """The bag. Raises `Untrusted` when a byte is not as it was signed, `BadInput` without a file."""
    try:
        digest, end = halves(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    found = SEAL.fullmatch(end)
    if found is None or not whole(digest, end):
        raise Untrusted(
            f"{path} is no go-bag, is damaged or was changed: nothing of it is used.",
            hint="Take another copy.",
        )
    signer = bytes.fromhex(found[2].decode())
    try:
        Ed25519PublicKey.from_public_bytes(signer).verify(
            bytes.fromhex(found[3].decode()), _CONTEXT + digest.encode()
        )
    except (InvalidSignature, ValueError):
        raise Untrusted(f"{path}: the signature is not by the key that it names.") from None
    with zipfile.ZipFile(path) as archive:
        try:
            manifest = Manifest.model_validate_json(archive.read(MANIFEST))
        except (ValidationError, KeyError) as error:
            raise Untrusted(f"{path} was packed by another version of Jackline.") from error
    return Bag(path, manifest, signer, digest)
