"""Tells somebody outside that Jackline lives: the dead man's switch of Jackline itself.

An outside service (healthchecks.io, Dead Man's Snitch, another Jackline's heartbeat) is asked once a
minute. It raises the alarm when the asking stops: nothing of ours could. So nobody is asked while
Jackline runs and does not do its work.
"""

from collections.abc import Awaitable, Callable

import httpx

from bot.log import get

log = get("access")
EVERY = 60.0  # seconds
_PATIENCE = 10.0


async def sign_of_life(url: str, trouble: Callable[[], Awaitable[str]]) -> bool:
    """One request; False, and a line in the log, where it did not get through or there is trouble."""
    if why := await trouble():
        log.error("sign_of_life_withheld", why=why)
        return False
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE, trust_env=False) as client:
            answer = await client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        log.warning("sign_of_life_failed", error=type(error).__name__)
        return False
    if not answer.is_success:
        log.warning("sign_of_life_refused", status=answer.status_code)
    return answer.is_success
