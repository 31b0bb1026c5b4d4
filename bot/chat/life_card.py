"""The parts of the live card that follow an incident's life. Pure."""

from bot.chat.blocks import Block, button
from bot.incidents import ACTIVE, Incident


def life_buttons(incident: Incident) -> list[Block]:
    """What fits the state; the first is the next thing to do, and the only one that stands out."""
    number = str(incident.number)
    resolve = f"Resolve incident {number}? Its postmortem is drafted then."
    close = f"Close incident {number}? Nothing is left to do then."
    wanted: list[tuple[str, str, str]] = []
    if incident.status in ACTIVE:
        if not incident.commander:
            wanted.append(("Take command", "incident_lead", ""))
        if incident.status != "monitoring":
            wanted.append(("Mitigated, monitoring", "incident_monitoring", ""))
        wanted.append(("Resolve", "incident_resolve", resolve))
    elif incident.status == "resolved":
        wanted = [("Close", "incident_close", close), ("Reopen", "incident_reopen", "")]
    return [
        button(text, action, number, style="" if place else "primary", confirm=confirm)
        for place, (text, action, confirm) in enumerate(wanted)
    ]
