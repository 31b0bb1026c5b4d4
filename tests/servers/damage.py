"""Damage as a bad disk does it: nothing is missing, nothing is newer, and it is not the same."""

import os
from pathlib import Path


def flip(path: Path) -> None:
    """Turns 16 bytes in the middle of a file around; its size and times stay."""
    status = path.stat()
    held = bytearray(path.read_bytes())
    middle = len(held) // 2
    held[middle : middle + 16] = bytes(b ^ 0xFF for b in held[middle : middle + 16])
    path.chmod(0o600)
    path.write_bytes(held)
    path.chmod(status.st_mode & 0o777)
    os.utime(path, (status.st_atime, status.st_mtime))
