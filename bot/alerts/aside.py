"""Alerts that cannot be routed, whatever is wrong with them or with us: kept, and said."""

from sqlalchemy import func, update
from sqlmodel import col, select

from bot.alerts.tables import Arrival, StoredAlert
from bot.incidents import Incidents
from bot.store import Store

_REASON = 300  # characters
_ASIDE = col(StoredAlert.state) == "aside"


async def set_aside(
    store: Store, incidents: Incidents, alert_id: int | None, error: Exception
) -> None:
    """Out of the way of the others: on Jackline's own chain, and one line where the digest is.

    The alert is not loaded: that may be what fails. Nor named there: its rule may be private.
    """
    why = f"{type(error).__name__}: {error}"[:_REASON]
    mine = col(StoredAlert.id) == alert_id
    async with store.write() as session:
        source = (await session.execute(select(StoredAlert.source).where(mine))).scalar_one()
        values = {"state": "aside", "decision": {"because": f"set aside: {why}"}}
        await session.execute(update(StoredAlert).where(mine).values(values))
        text = f"Alert {alert_id} of {source} cannot be routed and is set aside: {type(error).__name__}"
        data = {"alert": alert_id, "source": source}
        await incidents.ledger.append(session, 0, "alert_set_aside", "jackline", text, data=data)
        count = (
            await session.execute(select(func.count(col(StoredAlert.id))).where(_ASIDE))
        ).scalar()
        said = (
            f"🚨 Alerts that cannot be routed: {count}, the last of {source}. They open no incident. "
            "Jackline's log says why (alert_set_aside); its next start tries them again."
        )
        await incidents.outbox.announce(session, "alerts-aside", "line", {"text": said})


async def try_again(store: Store) -> None:
    """At a start: another version may be able to."""
    async with store.write(silent=True) as session:
        await session.execute(update(StoredAlert).where(_ASIDE).values(state="new"))
        await session.execute(update(Arrival).where(col(Arrival.refused) != "").values(refused=""))
