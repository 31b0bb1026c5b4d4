"""What the terminal says of a bag and of a run. Nothing here is secret."""

from typing import Any

import yaml

from bot.access.bags import Bag
from bot.access.payload import Payload
from bot.access.proof import age_words
from bot.chat.terminal.room import BagRoom
from bot.runbooks import Run, approvers


def heading(bag: Bag) -> str:
    """The line above everything else."""
    return f"Go-bag {bag.manifest.id}, packed {age_words(bag.age.total_seconds())} ago."


def facts(bag: Bag) -> dict[str, Any]:
    """For everyone who has the file."""
    made = bag.manifest
    return {
        "bag": made.id,
        "packed_at": made.packed_at.isoformat(),
        "age": age_words(bag.age.total_seconds()),
        "age_seconds": round(bag.age.total_seconds()),
        "signer": bag.fingerprint,
        "sha256": bag.digest,
        "recipients": made.recipients,
        "runbooks": made.runbooks,
        "contacts": made.contacts,
        "credentials": made.credentials,
        "codes": made.codes,
        "jackline": made.jackline,
        "platform": made.platform,
        "bytes": bag.path.stat().st_size,
    }


def names(payload: Payload) -> dict[str, Any]:
    """For its recipients: names, and never a value."""
    files = sorted(payload.files)
    contacts: list[str] = []
    for name in files:
        if name.startswith("runbooks/catalog/"):
            section = (yaml.safe_load(payload.files[name]) or {}).get("contacts") or []
            contacts += [f"{c['name']} ({c.get('how', 'phone')})" for c in section]
    return {
        "runbook_names": [
            n.removeprefix("runbooks/").removesuffix(".md") for n in files
            if n.startswith("runbooks/") and n.endswith(".md")
        ],
        "contact_names": contacts,
        "credential_names": sorted(payload.sealed.credentials),
        "approvers": sorted({code.person for code in payload.sealed.codes}),
    }  # fmt: skip


def ended(run: Run) -> str:
    """How a run stands, in a sentence."""
    why = f": {run.error}" if run.error else ""
    return f"{run.title}: {run.state}{why}."


async def result(room: BagRoom, run: Run) -> dict[str, Any]:
    """The whole run, for scripts."""
    async with room.store.read() as session:
        said = await approvers(session, run)
    attempts = await room.engine.journal.attempts(run.number)
    return {
        "bag": room.bag.manifest.id,
        "run": run.number,
        "runbook": run.runbook_id,
        "inputs": run.inputs,
        "state": run.state,
        "error": run.error,
        "requester": run.requester,
        "approved_by": said,
        "steps": [
            {"step": a.step, "phase": a.phase, "attempt": a.attempt, "state": a.state,
             "action": a.action, "target": a.target, "path": a.access_path, "error": a.error}
            for a in attempts
        ],
    }  # fmt: skip
