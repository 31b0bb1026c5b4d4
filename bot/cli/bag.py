"""``jackline bag``: packing a go-bag, and taking in what was done with one."""

import json
import os
import uuid
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import pyrage
import typer

from bot.access.bag_drills import put_on_record, read_receipt
from bot.access.bag_start import here
from bot.access.bags import Bag, Manifest, complete, recipients_of, signing_key
from bot.access.codes import make_codes
from bot.access.program import write_program
from bot.access.tables import PackedBag
from bot.app import Jackline
from bot.chat.terminal.command import bag_app
from bot.cli.parts import LARGEST, AsJson, from_record, out, with_parts
from bot.errors import BadInput, Unavailable
from bot.runbooks.merge import merge, read_journal
from bot.runbooks.packing import gather, journal_key, who_approves
from bot.store import load_key, now

__all__ = ["bag_app"]


@bag_app.command()
def pack(
    to: Annotated[
        list[str] | None, typer.Option("--to", help="An age recipient; again for each further one.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--out", help="The file to write.")] = None,
    as_json: AsJson = False,
) -> None:
    """Pack runbooks, catalog, emergency credentials and Jackline itself into one runnable file."""
    recipients = list(dict.fromkeys(to or []))
    recipients_of(recipients)
    path = file or Path(f"jackline-{now():%Y%m%d-%H%M}.bag")

    async def work(parts: Jackline) -> tuple[Bag, dict[str, str]]:
        bag, sheets = await _packed(parts, path, recipients)
        async with parts.store.write() as session:
            session.add(
                PackedBag(id=bag.manifest.id, packed_at=bag.manifest.packed_at,
                          recipients=len(recipients), digest=bag.digest, signer=bag.fingerprint)
            )  # fmt: skip
        return bag, sheets

    bag, sheets = with_parts(work)
    if as_json:
        out.print_json(json.dumps({
            "bag": bag.manifest.id, "file": str(bag.path), "signer": bag.fingerprint,
            "sha256": bag.digest, "bytes": bag.path.stat().st_size, "sheets": sheets,
        }))  # fmt: skip
        return
    size = bag.path.stat().st_size / 1e6
    out.print(
        f"Packed {bag.path} ({size:.0f} MB) for {len(recipients)} recipient(s).", markup=False
    )
    out.print(f"Signed by {bag.fingerprint}: keep that where the bag is kept.", markup=False)
    for person, sheet in sheets.items():
        out.print(f"Codes of {person}: {sheet}", markup=False)


async def _packed(parts: Jackline, path: Path, recipients: list[str]) -> tuple[Bag, dict[str, str]]:
    """Writes the file beside its place first: there is a whole bag under that name, or none."""
    bag_id, at = uuid.uuid4().hex[:12], now()
    library = parts.library
    approvers = [p.id for p in who_approves(library.catalog, library.runbooks.values())]
    codes, plain = make_codes(approvers)
    payload = await gather(library, parts.dialer.secrets, bag_id, at, parts.audit_key, codes)
    half = path.with_name(f".{path.name}.{bag_id}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o700))
        unpacked = write_program(half)
        manifest = Manifest(
            id=bag_id, packed_at=at, jackline=version("jackline"), platform=here(),
            unpacked=unpacked, recipients=len(recipients), runbooks=len(library.runbooks),
            contacts=len(library.catalog.contacts), credentials=len(payload.sealed.credentials),
            codes=len(codes),
        )  # fmt: skip
        key = signing_key(load_key(None, parts.settings.data_dir.absolute(), "bag"))
        bag = complete(half, manifest, payload.packed(), recipients, key)
        sheets = _write_sheets(path, bag, plain, {p.id: p.age for p in library.catalog.people})
        half.chmod(0o700)
        half.replace(path)
    except OSError as error:
        raise Unavailable(f"Cannot write {path}: {error.strerror}.") from error
    finally:
        half.unlink(missing_ok=True)
    return Bag(path, bag.manifest, bag.signer, bag.digest), sheets


def _write_sheets(
    path: Path, bag: Bag, plain: Mapping[str, list[str]], keys: Mapping[str, str]
) -> dict[str, str]:
    """Each approver's codes in a file of their own: encrypted to their key, where they have one."""
    folder = path.with_name(f"{path.name}.codes-{bag.manifest.id}")
    if plain:
        folder.mkdir(mode=0o700)
    found = {}
    for person, codes in plain.items():
        lines = [
            f"Codes of {person} for go-bag {bag.manifest.id}, packed {bag.manifest.packed_at:%Y-%m-%d}.",
            "Each works once. Read one out only to somebody whose voice you know,",
            "after they have told you what the plan would do.", "", *codes, "",
        ]  # fmt: skip
        data, name = "\n".join(lines).encode(), f"{person}.txt"
        if keys.get(person):
            data, name = pyrage.encrypt(data, recipients_of([keys[person]])), f"{person}.age"
        handle = os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        found[person] = str(folder / name)
    return found


@bag_app.command("merge")
def merge_(
    journal: Annotated[Path, typer.Argument(help="The folder that `run` named.")],
    incident: Annotated[
        int | None, typer.Option(min=1, max=LARGEST, help="The incident it belongs to.")
    ] = None,
    declare: Annotated[
        bool, typer.Option("--declare", help="Declare a new incident for it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put the journal of a run from the go-bag into an incident's record. Doing it twice is once."""
    if incident is not None and declare:
        raise BadInput("--incident or --declare, not both.")

    async def work(parts: Jackline) -> dict[str, Any]:
        found = await read_journal(journal, parts.audit_key)
        async with parts.store.write() as session:
            done = await merge(session, parts.incidents, found, incident, declare=declare)
        return {"incident": done.incident, "rows": done.rows, "runs": done.runs,
                "conflicts": done.conflicts}  # fmt: skip

    done = from_record(work)
    if as_json:
        out.print_json(json.dumps(done))
        return
    said = f"{done['rows']} rows merged" if done["rows"] else "Nothing new to merge"
    out.print(f"{said} into incident {done['incident']}.", markup=False)
    if done["conflicts"]:
        out.print(
            f"Both sides acted on the same targets: see rows {done['conflicts']}.", markup=False
        )
    if done["rows"]:
        out.print(
            "Each run must be reviewed before the incident is closed: /runbook review", markup=False
        )


@bag_app.command()
def drilled(
    receipt: Annotated[Path, typer.Argument(help="The file that `bag drill` named.")],
    as_json: AsJson = False,
) -> None:
    """Put the receipt of a go-bag's drill on record. Doing it twice is once."""
    found = read_receipt(receipt)

    async def work(parts: Jackline) -> bool:
        key = journal_key(parts.audit_key, found.bag)
        async with parts.store.write() as session:
            return await put_on_record(session, parts.ledger, found, key)

    new = from_record(work)
    if as_json:
        out.print_json(json.dumps({**found.model_dump(mode="json"), "new": new}))
        return
    drill = f"The drill of go-bag {found.bag} by {found.person} on {found.host}"
    out.print(f"{drill} {'is on record now' if new else 'was on record'}.", markup=False)
    for name in found.not_proven:
        out.print(f"{name} would not run from there", markup=False)
    for way in found.failed:
        out.print(way, markup=False)
