"""The note that a drill leaves on the host when a snapshot was restored and looked into.

It is what lets a guard ask for a backup that is not only fresh but proven. A drill that fails
takes the note away: what was proven last week is not proven any more.
"""

import json
from collections.abc import Mapping
from typing import Any

from bot.errors import Rejected

from .site import Host, Site
from .snapshots import age


def _path(site: Site, repository: str) -> str:
    return f"{site.scratch}/jackline-restic-{repository}.verified.json"


async def leave(host: Host, site: Site, repository: str, facts: Mapping[str, Any]) -> None:
    """Written aside and moved into place, so that nobody reads half of it."""
    path = _path(site, repository)
    what = "the note of the drill cannot be written"
    await host.must(what, ["tee", f"{path}.new"], stdin=json.dumps(facts))
    await host.must(what, ["mv", "-f", f"{path}.new", path])


async def take_away(host: Host, site: Site, repository: str) -> None:
    """Nothing is proven any more."""
    what = "the note of the last drill cannot be removed"
    await host.must(what, ["rm", "-f", _path(site, repository)])


async def read(host: Host, site: Site, repository: str, now: float) -> dict[str, Any]:
    """What was proven last and how long ago; nothing where there is no note that can be read."""
    done = await host.run(["cat", _path(site, repository)])
    if done.status:
        return {}
    try:
        found = json.loads(done.stdout)
        seconds = age(float(found["at"]), now)
        told = {"verified_label": str(found["label"]), "verified_counts": dict(found["counts"])}
    except (ValueError, KeyError, TypeError) as error:
        reason = type(error).__name__
        raise Rejected(f"The note of the last drill cannot be read: {reason}.") from None
    return told | ({} if seconds is None else {"verified_age_seconds": seconds})
