"""Gives an incident another title, and its channel the name that fits it."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.incidents.family import require_unmerged
from bot.incidents.flow import Incidents
from bot.incidents.rules import channel_name, check_title
from bot.incidents.tables import Incident
from bot.store import now


async def rename(
    session: AsyncSession, incidents: Incidents, incident: Incident, title: str, actor: str
) -> None:
    """The same title again changes nothing. Raises `BadInput` for one that is none."""
    title = check_title(title)
    require_unmerged(incident)
    if title == incident.title:
        return
    before, incident.title = incident.title, title
    number, text = incident.number, f"Renamed: {title}"
    data = {"from": before, "to": title}
    await incidents.ledger.append(session, number, "incident_renamed", actor, text, data=data)
    key = f"renamed-{now().timestamp()}"
    await incidents.outbox.say(session, number, key, "line", {"text": text}, author=actor)
    await incidents.refresh(session, incident)
    await incidents.show_topic(session, incident)
    if not incident.private:  # its channel is not named after what it is about
        name = channel_name(number, title, drill=incident.drill)
        incidents.outbox.ask(session, "rename", number, {"name": name})
