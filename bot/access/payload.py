"""What is inside the go-bag: files for people and for the engine, and what only the bag may know."""

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ValidationError

from bot.access.codes import CodeHash
from bot.errors import Untrusted

_SEALED = "sealed.json"


class Sealed(BaseModel, extra="forbid", frozen=True):
    """``credentials``: name → value, of those made for emergencies. ``journal_key`` seals journals."""

    journal_key: str
    credentials: dict[str, str]
    codes: list[CodeHash]


@dataclass(frozen=True)
class Payload:
    """``files`` are ``runbooks/…`` (with the catalog below) and ``html/…``."""

    files: Mapping[str, bytes]
    sealed: Sealed

    def packed(self) -> bytes:
        """As one compressed tar."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            for name, data in {
                **self.files,
                _SEALED: self.sealed.model_dump_json().encode(),
            }.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(data), 0o600
                tar.addfile(entry, io.BytesIO(data))
        return out.getvalue()

    def write(self, folder: Path, part: str) -> Path:
        """Writes the files below ``part/`` into the folder; the secrets stay in memory."""
        for name, data in self.files.items():
            if PurePosixPath(name).parts[0] == part:
                path = folder / name
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.write_bytes(data)
        return folder / part


def unpacked(packed: bytes) -> Payload:
    """The payload of a bag that was opened. Raises `Untrusted` for anything unexpected."""
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
        for entry in tar:
            inside = tar.extractfile(entry)
            parts = PurePosixPath(entry.name).parts
            if inside is None or ".." in parts or not parts or parts[0] == "/":
                raise Untrusted(f"The go-bag holds {entry.name!r}, which is no file of its own.")
            files[entry.name] = inside.read()
    try:
        sealed = Sealed.model_validate_json(files.pop(_SEALED))
    except (KeyError, ValidationError):
        raise Untrusted("The go-bag was packed by another version of Jackline.") from None
    return Payload(files, sealed)
