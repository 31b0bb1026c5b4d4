"""Who may see an incident: every place that shows one to a person asks here."""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog, Person
from bot.errors import NotFound
from bot.incidents.tables import Incident


def belonging(catalog: Catalog, incident: Incident) -> list[str]:
    """The ids of those who are invited: the services' owners, ``people``, and who declared it."""
    owners = {s.owner for i in incident.services if (s := catalog.service(i)) and s.owner}
    found = catalog.among([*(f"@{owner}" for owner in owners), *incident.people])
    kind, _, starter = incident.declared_by.partition(":")
    return found if kind != "person" or starter in found else [*found, starter]


def called(catalog: Catalog, incident: Incident) -> tuple[list[str], list[str]]:
    """Whom its severity calls: ids of persons, and of Slack's user groups. Nobody to a private one."""
    if incident.private:
        return [], []
    rule = catalog.severity(incident.severity)
    return catalog.among(rule.people), rule.slack_groups


def may_see(catalog: Catalog, incident: Incident, person: Person) -> bool:
    """Everybody sees an incident, but a private one only who has a role, who is invited, and admins."""
    roles = (*incident.holders.values(), incident.offer.get("to"))
    if not incident.private or person.has("admin") or person.id in roles:
        return True
    return person.id in belonging(catalog, incident)


def require_seen(catalog: Catalog, incident: Incident, person: Person | None) -> None:
    """Raises `NotFound` as for an incident that is not there: that it is, is not told either."""
    if incident.private and (person is None or not may_see(catalog, incident, person)):
        raise unknown(incident.number)


async def hidden_from(session: AsyncSession, catalog: Catalog, person: Person | None) -> list[int]:
    """The private incidents that a person may not see; without one, all of them."""
    private = (await session.execute(select(Incident).where(col(Incident.private)))).scalars()
    return [i.number for i in private if person is None or not may_see(catalog, i, person)]


def unknown(incident_id: int) -> NotFound:
    """For raising."""
    return NotFound(f"There is no incident {incident_id}.", hint="/incident list shows all.")
