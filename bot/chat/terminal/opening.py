"""From a file and a key to an opened bag: whole, signed by somebody known, meant for this key."""

import os
from pathlib import Path

import pyrage

from bot.access.bags import Bag, read_bag, same_fingerprint
from bot.access.payload import Payload, unpacked
from bot.access.secrets import identities
from bot.catalog import Catalog
from bot.chat.terminal.asker import Asker
from bot.errors import BadInput, NotAllowed, Untrusted

_IDENTITY = "JACKLINE_AGE_IDENTITY"


def identity_file(given: Path | None) -> Path:
    """The age key file given, else the one that the environment names. Raises `BadInput`."""
    found = given or (Path(os.environ[_IDENTITY]) if os.environ.get(_IDENTITY) else None)
    if found is None:
        raise BadInput(
            "The go-bag is encrypted.",
            hint=f"Give your age key file by --identity, or {_IDENTITY}.",
        )
    return found


def keys_of(path: Path) -> list[pyrage.x25519.Identity]:
    """Raises `BadInput` for a file that is not there, `AuthFailed` for one that is something else."""
    try:
        return identities(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}.") from error


async def opened(path: Path, identity: Path, signer: str, asker: Asker) -> tuple[Bag, Payload]:
    """The bag and what is in it.

    The signer must be the one given or one that was accepted before with this key; else a person
    is shown the fingerprint once. Raises `Untrusted` where that fails.
    """
    bag = read_bag(path)
    await _know(bag, identity, signer, asker)
    return bag, unpacked(bag.opened(keys_of(identity)))


async def _know(bag: Bag, identity: Path, signer: str, asker: Asker) -> None:
    known = identity.with_name(identity.name + ".signers")
    if signer:
        if not same_fingerprint(signer, bag.fingerprint):
            raise Untrusted(f"{bag.path} was signed by {bag.fingerprint}, not by {signer}.")
        return
    lines = known.read_text("utf-8").splitlines() if known.exists() else []
    if any(same_fingerprint(line, bag.fingerprint) for line in lines):
        return
    if not asker.interactive or asker.yes:
        raise Untrusted(
            f"{bag.path} was signed by {bag.fingerprint}, which is not in {known}.",
            hint="Compare it with what was printed at packing, and give it by --signer.",
        )
    text = f"This go-bag was signed by\n  {bag.fingerprint}\nIs it what was printed at packing?"
    if await asker.ask(text, ("yes", "no")) != "yes":
        raise Untrusted(f"{bag.path} was signed by somebody who is not known here.")
    try:
        with known.open("a", encoding="utf-8") as file:
            file.write(bag.fingerprint + "\n")
    except OSError as error:  # the key's stick is read-only, the disk full: asked again next time
        asker.console.print(f"{known} cannot be written: {error.strerror}.", markup=False)


def owner_of(identity: Path, catalog: Catalog) -> str:
    """The person of the catalog whose own key this is, or ''."""
    mine = {str(key.to_public()) for key in keys_of(identity)}
    return next((p.id for p in catalog.people if p.age and p.age in mine), "")


async def requester(given: str, identity: Path, catalog: Catalog, asker: Asker) -> str:
    """Who asks for the run: nobody may say that they are another person than their key's."""
    owner = owner_of(identity, catalog)
    if owner and given not in ("", owner):
        raise NotAllowed(f"This key is {owner}'s, so {given} cannot be the one who asks.")
    if not (given or owner) and not asker.interactive:
        raise BadInput("Say who you are.", hint="Add --as and your id in the catalog.")
    return given or owner or await asker.ask("Who are you (your id in the catalog)?")
