"""Keys that Jackline makes for itself on first start and keeps in its data folder."""

import os
import secrets
import time
from pathlib import Path

from pydantic import SecretStr

from bot.errors import Unavailable


def load_key(given: SecretStr | None, data_dir: Path, name: str) -> bytes:
    """The key given, else the one in ``data_dir``, made with mode 0600 if there is none yet."""
    if given is not None:
        return given.get_secret_value().encode()
    path = data_dir / f"{name}.key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _made_before(path)
    except OSError as error:
        raise Unavailable(
            f"Cannot write {path}: {error.strerror}.",
            hint="Set JACKLINE_DATA_DIR to a writable folder.",
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(32).encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:  # the disk is full: an empty file would be in the way when it is not
        path.unlink()
        raise Unavailable(f"Cannot write {path}: {error.strerror}.") from error
    return _made_before(path)


def _made_before(path: Path) -> bytes:
    """The key in the file. Another process may have made the file and not filled it yet."""
    for _ in range(50):
        try:
            key = path.read_bytes().strip()
        except OSError as error:
            raise Unavailable(f"Cannot read {path}: {error.strerror}.") from error
        if key:
            return key
        time.sleep(0.02)
    raise Unavailable(f"{path} is empty.", hint="Remove it, and a new key is made.")
