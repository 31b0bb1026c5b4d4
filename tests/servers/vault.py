"""A stand-in for HashiCorp Vault: reads of its key-value stores, as its HTTP API documents them.

Version 1 answers `data` with the fields; version 2 puts them into `data.data` beside
`data.metadata`. A token that is none gets 403, a path that holds nothing 404, a sealed Vault 503.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from tests.servers.http_app import Answer, HttpApp, http_app


@dataclass
class Vault:
    """`first` and `second` store a secret under a path; `app` is what was asked."""

    app: HttpApp
    token: str

    @property
    def url(self) -> str:
        return self.app.url

    def first(self, path: str, **fields: object) -> None:
        """In a store of version 1."""
        self._store(path, fields)

    def second(self, path: str, **fields: object) -> None:
        """In a store of version 2, whose paths have `data` after the store's own name."""
        about = {"version": 3, "destroyed": False, "deletion_time": "", "custom_metadata": None}
        self._store(path, {"data": fields, "metadata": about})

    def sealed(self) -> None:
        self.app.answers.clear()
        self.app.default = _said(503, {"errors": ["Vault is sealed"]})

    def refuses(self) -> None:
        """As it answers a token that was revoked."""
        self.app.answers.clear()
        self.app.default = _said(403, {"errors": ["permission denied"]})

    def _store(self, path: str, data: dict[str, object]) -> None:
        whole = {"request_id": "r", "lease_id": "", "renewable": False, "lease_duration": 2764800,
                 "data": data, "wrap_info": None, "warnings": None, "auth": None}  # fmt: skip
        self.app.answers[f"/v1/{path}"] = _said(200, whole)


def _said(status: int, body: object) -> Answer:
    return Answer(status=status, body=json.dumps(body))


@contextlib.contextmanager
def vault(token: str) -> Iterator[Vault]:
    """Answers 404 until something is stored; `first` and others are asked with `token`."""
    with http_app("vault") as app:
        app.default = _said(404, {"errors": []})
        yield Vault(app, token)
