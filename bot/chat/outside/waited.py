"""What waited for a place outside: whether it may still go there, and who hears that it does not."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.errors import Rejected, TargetError
from bot.incidents import Incident

Tell = Callable[[str], Awaitable[None]]


def require_public(incident: Incident) -> None:
    """Many read what stands there. Raises `Rejected` where the incident is for few by now."""
    if incident.private:
        raise Rejected("The incident was made private before this was there.")


@asynccontextmanager
async def said(refused: Tell, late: Tell) -> AsyncIterator[None]:
    """Whatever goes wrong is said where people see it: what is final, and what is tried on."""
    try:
        yield
    except Rejected as error:
        await refused(str(error))
        raise
    except TargetError as error:
        await late(str(error))
        raise
