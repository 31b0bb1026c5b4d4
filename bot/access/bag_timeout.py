"""Becomes ``async_timeout`` inside the go-bag: redis wants that library on Python 3.11.0 to 3.11.2.

Who packs has a newer 3.11, where nothing needs it, so it is not installed there; the bare host may
well be a Debian with 3.11.2. The standard library has had the same since 3.11.0.
"""

from asyncio import timeout

__all__ = ["timeout"]
