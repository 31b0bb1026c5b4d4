"""References to secrets in the catalog, resolved at the moment they are needed, never kept there.

``env:NAME``, ``file:PATH``, ``age:PATH`` (decrypted with the identities of the file that
``JACKLINE_AGE_IDENTITY`` names), ``vault:PATH#FIELD`` (HashiCorp Vault at ``VAULT_ADDR`` with
``VAULT_TOKEN``), and ``credential:NAME`` for an entry of the catalog's credentials. A go-bag brings
values of its own for these: ``sealed``.
"""

import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pyrage

from bot.catalog import Catalog
from bot.errors import AuthFailed
from bot.log import get, keep_secret

log = get("access")
KINDS = ("env", "file", "age", "vault", "credential")
_IN_A_HEADER = re.compile(r"[\t\x20-\x7e]*")
_FRESH = 300.0  # seconds that a secret of Vault is used before it is asked again
_SILENT = 60.0  # seconds that a Vault which did not answer is not waited for again


class _VaultIsDown(Exception):
    """It answers that it cannot serve."""


class Secrets:
    """Resolves references. Every failure is `AuthFailed`: it names the reference, never a value."""

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        environment: Mapping[str, str] | None = None,
        sealed: Mapping[str, str] | None = None,
    ) -> None:
        self.catalog = catalog
        self.sealed = sealed or {}
        self.environment = os.environ if environment is None else environment
        self._vault: dict[str, tuple[float, str]] = {}
        self._silent_until = -_SILENT

    async def resolved(self, value: str) -> str:
        """What a reference stands for; any other text stands for itself."""
        kind, mark, rest = value.partition(":")
        if not mark or kind not in KINDS:
            return value
        if (found := self._on_this_machine(value)) is not None:
            return found
        return await (self._from_vault(rest) if kind == "vault" else self._from_catalog(rest))

    def at_hand(self, value: str) -> str:
        """What a reference stands for on this machine, without asking Vault; "" for any other text."""
        try:
            return self._on_this_machine(value) or ""
        except AuthFailed:  # nothing is there: then nothing of it can leave either
            return ""

    def _on_this_machine(self, value: str) -> str | None:
        """None for what stands elsewhere, and for any other text."""
        kind, _, rest = value.partition(":")
        match kind:
            case "env":
                return self._from_environment(rest)
            case "file":
                return _text(_read(rest, value), value)
            case "age":
                return self._from_age(rest, value)
        return None

    async def setting(self, name: str, value: str) -> str:
        """A target's setting; one that stood as a reference is kept out of all that is written."""
        found = await self.resolved(value)
        if found != value and "user" not in name:
            keep_secret(found)
        return found

    async def header(self, value: str) -> str:
        """A header's value, whose last word may be a reference: ``Bearer env:TOKEN``."""
        words, space, last = value.rpartition(" ")
        found = await self.setting("header", last)
        if not _IN_A_HEADER.fullmatch(found):  # else the client's own error would quote it
            named = last if found != last else "written there"
            raise AuthFailed(
                f"The credential {named} cannot stand in a header.",
                hint="It holds a line break or a character that no header may have.",
            )
        return f"{words}{space}{found}"

    async def _from_catalog(self, name: str) -> str:
        if name in self.sealed:
            return self.sealed[name]
        found = self.catalog().credential(name)
        if found is None:
            raise AuthFailed(f"There is no credential {name!r} in the catalog.")
        return await self.resolved(found.ref)

    def _from_environment(self, name: str) -> str:
        if name not in self.environment:
            raise AuthFailed(f"The credential env:{name} is not set.", hint=f"Set {name}.")
        return self.environment[name].rstrip("\r\n")

    def _from_age(self, path: str, value: str) -> str:
        identity = self.environment.get("JACKLINE_AGE_IDENTITY")
        if not identity:
            raise AuthFailed(
                f"The credential {value} is encrypted.",
                hint="Set JACKLINE_AGE_IDENTITY to the file with the age identity.",
            )
        keys = identities(_text(_read(identity, f"file:{identity}"), identity))
        try:
            return _text(pyrage.decrypt(_read(path, value), keys), value)
        except pyrage.DecryptError:
            raise AuthFailed(
                f"The credential {value} cannot be decrypted with the identity given."
            ) from None

    async def _from_vault(self, reference: str) -> str:
        """The field as it is now; as it was lately, where Vault does not answer.

        One that hangs is waited for once in a while: each connection needs several secrets, and who
        opens it has only so many seconds for all paths.
        """
        at, kept = self._vault.get(reference, (-_FRESH, ""))
        moment = time.monotonic()
        if kept and (moment - at < _FRESH or moment < self._silent_until):
            return kept
        try:
            found = await self._ask_vault(reference)
        except (httpx.RequestError, httpx.InvalidURL, _VaultIsDown) as error:
            self._silent_until = time.monotonic() + _SILENT
            if kept:
                log.warning("vault_does_not_answer", reference=reference)
                return kept
            raise AuthFailed(
                f"The credential vault:{reference} cannot be read: Vault does not answer "
                f"({error if isinstance(error, _VaultIsDown) else type(error).__name__})."
            ) from None
        self._vault[reference] = time.monotonic(), found
        return found

    async def _ask_vault(self, reference: str) -> str:
        path, mark, field = reference.partition("#")
        if not mark or not field:
            raise AuthFailed(f"vault:{reference} names no field.", hint="Write vault:PATH#FIELD.")
        address = self._from_environment("VAULT_ADDR").rstrip("/")
        headers = {"X-Vault-Token": self._from_environment("VAULT_TOKEN")}
        if "VAULT_NAMESPACE" in self.environment:
            headers["X-Vault-Namespace"] = self.environment["VAULT_NAMESPACE"]
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            answer = await client.get(f"{address}/v1/{path}", headers=headers)
        if answer.is_server_error:  # sealed, or without a leader
            raise _VaultIsDown(answer.status_code)
        if not answer.is_success:
            raise AuthFailed(f"Vault answers {answer.status_code} to vault:{reference}.")
        try:
            data = answer.json()["data"]
            data = data["data"] if "metadata" in data and "data" in data else data  # kv version 2
            return str(data[field])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise AuthFailed(f"Vault has no field {field!r} at {path}.") from None


def identities(text: str) -> list[pyrage.x25519.Identity]:
    """The identities of an age key file, comments left out. Raises `AuthFailed`."""
    lines = [line.strip() for line in text.splitlines()]
    try:
        return [pyrage.x25519.Identity.from_str(w) for w in lines if w and not w.startswith("#")]
    except pyrage.IdentityError:
        raise AuthFailed("The file with the age identity holds something else.") from None


def _read(path: str, reference: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise AuthFailed(
            f"The credential {reference} cannot be read: {type(error).__name__}."
        ) from None


def _text(raw: bytes, reference: str) -> str:
    try:
        return raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise AuthFailed(f"The credential {reference} cannot be read: it is no text.") from None
