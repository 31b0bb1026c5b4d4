"""A vendor's recorded body with a part of it replaced; `...` takes it away."""

import json
from typing import Any


def with_value(body: bytes, *path: str | int, to: Any) -> bytes:
    """At a path through objects and lists."""
    payload = at = json.loads(body)
    for step in path[:-1]:
        at = at[step]
    if to is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return json.dumps(payload).encode()


def with_fields(body: bytes, /, **fields: Any) -> bytes:
    """Of the body itself."""
    payload = {**json.loads(body), **fields}
    return json.dumps({k: v for k, v in payload.items() if v is not ...}).encode()
