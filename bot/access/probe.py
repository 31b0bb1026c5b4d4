"""One probe: an access path to one target is tried end to end, by reading, with the real credential.

What is proven is the *path*: a target that answers "not well" has been reached all the same.
"""

import asyncio
import time
from dataclasses import dataclass

from pydantic import ValidationError

from bot.access.dialer import Dialer
from bot.catalog import Target
from bot.contract import Connection, Effect
from bot.errors import JacklineError, NotSent, Rejected
from bot.log import get
from bot.registry import Registry

log = get("access")
AT_ONCE = 4  # a host behind several paths refuses logins when too many come together
LIMIT = 15.0  # seconds for one probe


@dataclass(frozen=True)
class Seen:
    """What one probe found; ``ms`` is how long it took."""

    ok: bool
    depth: str
    ms: float
    error: str = ""


async def probe(dialer: Dialer, registry: Registry, target: str, path: str) -> Seen:
    """One path to one target. Reads only; never raises for what the other side does."""
    began, entry = time.perf_counter(), dialer.catalog().target(target)
    error = ""
    try:
        async with asyncio.timeout(LIMIT), dialer.connect(target, path) as link:
            try:
                await _reach(registry, entry, link)
            except Rejected as problem:
                # A refusal is an answer: the target was reached, and the credential taken. One
                # from before anything was sent, such as for a wrong setting, proves nothing.
                error = "" if link.way.opened else str(problem)
    except TimeoutError:
        error = f"no answer in {LIMIT:.0f} s"
    except (JacklineError, ValidationError) as problem:
        error = str(problem)
    except Exception as problem:  # a fault of the integration proves nothing
        log.exception("probe_broke", target=target, path=path)
        error = f"the probe broke: {type(problem).__name__}"
    error = error.replace("\0", "\ufffd")  # no database keeps one
    return Seen(not error, _depth(entry), (time.perf_counter() - began) * 1000, error)


def _depth(entry: Target | None) -> str:
    if entry is not None and entry.probe is not None:
        return "action"
    return "login" if entry is not None and entry.url.startswith("ssh://") else "port"


async def _reach(registry: Registry, entry: Target | None, link: Connection) -> None:
    if entry is not None and entry.probe is not None:
        action = registry.action(entry.probe.action)
        if action.effect is not Effect.READ:
            raise NotSent(f"{action.name} changes things: it is no probe")
        params = action.Params.model_validate(entry.probe.with_)
        await action.apply(params, link)
    elif entry is not None and entry.url.startswith("ssh://"):
        await link.run(["true"], timeout=LIMIT)
    else:
        async with link.forward():
            pass
