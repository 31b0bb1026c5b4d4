"""Alerts that come from Jackline itself: what fires now is known from the alerts accepted before."""

from collections.abc import Callable, Iterable

from sqlmodel import select
from sqlmodel.sql.expression import SelectOfScalar

from bot.alerts.arrivals import unpack_all
from bot.alerts.intake import Intake
from bot.alerts.tables import StoredAlert, has_ended
from bot.contract import Alert
from bot.store import Store


def firing_of(source: str) -> SelectOfScalar[StoredAlert]:
    """A source's alerts whose end was not accepted yet."""
    mine = select(StoredAlert).where(StoredAlert.source == source, StoredAlert.status == "firing")
    return mine.where(~has_ended())


async def report(
    store: Store,
    intake: Intake,
    source: str,
    wrong: Iterable[Alert],
    ended: Callable[[StoredAlert], Alert],
) -> None:
    """Accepts an alert for all that is wrong and was not, and the end of what is no longer."""
    await unpack_all(store, source)
    async with store.read() as session:
        firing = list((await session.execute(firing_of(source))).scalars())
    now_wrong = {alert.fingerprint: alert for alert in wrong}
    known = {row.fingerprint for row in firing}
    await intake.accept(
        [alert for fingerprint, alert in now_wrong.items() if fingerprint not in known]
        + [ended(row) for row in firing if row.fingerprint not in now_wrong]
    )
