"""What goes into a go-bag: runbooks and catalog as they are, pages of them, emergency secrets."""

import hmac
from collections.abc import Iterable
from datetime import datetime

from bot.access.codes import CodeHash
from bot.access.payload import Payload, Sealed
from bot.access.secrets import Secrets
from bot.catalog import Catalog, Person, catalog_files
from bot.errors import BadInput
from bot.runbooks.library import Library
from bot.runbooks.model import Runbook
from bot.runbooks.pages import pages


def journal_key(audit_key: bytes, bag_id: str) -> str:
    """Seals the journals of one bag: known to its recipients, and to who has the audit key."""
    return hmac.new(audit_key, f"journal of go-bag {bag_id}".encode(), "sha256").hexdigest()


def who_approves(catalog: Catalog, runbooks: Iterable[Runbook]) -> list[Person]:
    """Everybody whose approval some runbook may ask for."""
    asked = {"approver"}
    for runbook in runbooks:
        asked.add(runbook.front.approvals.from_)
        asked |= {w.step.approval.from_ for w in runbook.steps if w.step.approval}
    return [p for p in catalog.people if any(p.has(who) for who in asked)]


async def gather(
    library: Library, secrets: Secrets, bag_id: str, at: datetime, key: bytes,
    codes: list[CodeHash],
) -> Payload:  # fmt: skip
    """The payload.

    Raises `BadInput` while a runbook has problems, `AuthFailed` for an emergency credential that
    cannot be had: both must be known now, not in the outage.
    """
    if library.problems:
        first = next(iter(library.problems.values()))[0]
        raise BadInput(f"{first}", hint="`jackline check` shows all; then pack.")
    catalog = library.catalog
    files = {f"runbooks/{p.name}": p.read_bytes() for p in sorted(library.folder.glob("*.md"))}
    for path in catalog_files(library.folder / "catalog"):
        files[f"runbooks/catalog/{path.name}"] = path.read_bytes()
    made = f"Go-bag {bag_id}, packed {at:%Y-%m-%d %H:%M} UTC."
    for name, page in pages(library.runbooks.values(), library.registry, catalog, made).items():
        files[f"html/{name}"] = page.encode()
    values = {
        c.name: await secrets.resolved(f"credential:{c.name}")
        for c in catalog.credentials
        if c.emergency
    }
    sealed = Sealed(journal_key=journal_key(key, bag_id), credentials=values, codes=codes)
    return Payload(files, sealed)
