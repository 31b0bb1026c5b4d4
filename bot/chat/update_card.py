"""An update as its readers see it, its preview, and where updates stand. Pure.

The preview is drawn by what draws the message itself: what is confirmed is what goes out.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.catalog import AUDIENCES, Audience, Catalog
from bot.chat.blocks import TEXT, Block, actions, button, clip, context, dated, escape, section
from bot.incidents import Incident
from bot.incidents.due import next_due
from bot.incidents.due_tables import Update

UPDATE_CLICKS = ("update_send", "update_write")
Name = Callable[[str], str]


def update_blocks(
    incident: Incident, sent: list[Update], name: Name, *, outside: bool
) -> list[Block]:
    """``sent``: the update and its corrections, the last of which holds.

    ``outside`` the incident's channel customers read nothing of ours, and nobody a private title.
    """
    update = sent[-1]
    at = update.sent_at or update.written_at
    parts = [f"next update by {dated(update.next_at)}"] if update.next_at else []
    if len(sent) > 1:
        first = sent[0].sent_at or sent[0].written_at
        parts.append(f"corrected at {dated(at)}, first said at {dated(first)}")
    text = escape(update.text)
    if outside and update.audience == "customers":
        small = [parts[0][0].upper() + parts[0][1:], *parts[1:]] if parts else []
        return [section(clip(text, TEXT)), *([context(", ".join(small))] if small else [])]
    title = "a private incident" if incident.private else escape(incident.title)
    head = f"📣 *To {update.audience}*" if update.audience != "internal" else "📣 *Update*"
    if outside:
        head = f"*#{incident.number} {title}* · {incident.severity.upper()}, {incident.standing}"
    blocks = [section(clip(f"{head}\n{text}", TEXT))]
    return [*blocks, context(", ".join([name(update.author), *parts]))]


def preview_blocks(
    incident: Incident, update: Update, places: list[str], doubtful: list[str], name: Name
) -> list[Block]:
    """The words as they will go out, where to, and the button that sends them."""
    outside = update.audience != "internal"
    blocks = [
        context(f"To *{update.audience}*, not sent yet. It will read:"),
        *update_blocks(incident, [update], name, outside=outside),
        context(clip(f"Goes to {', '.join(places)}.", TEXT)),
    ]
    if doubtful:
        words = ", ".join(f"“{escape(word)}”" for word in doubtful[:10])
        blocks.append(section(f"⚠️ It says {words}: should {update.audience} read that?"))
    label = "Send" if update.audience == "internal" else f"Send to {update.audience}"
    send = button(label, "update_send", str(update.number), style="primary")
    return [*blocks, actions(send)]


def updates_line(
    catalog: Catalog, incident: Incident, sent: Mapping[str, Update], at: datetime
) -> str:
    """When people were told last and when they will be next, in mrkdwn; what is overdue stands out."""
    last = max((u.sent_at for u in sent.values() if u.sent_at), default=None)
    told = f"last {dated(last)}" if last else "none yet"
    ahead = next_update(catalog, incident, sent)
    if ahead is None:
        return told if last else ""
    due, audience = ahead
    whom = f" to {audience}" if audience != "internal" else ""
    if due <= at:
        return f"⏰ *overdue{whom}* since {dated(due)}, {told}"
    return f"{told}, next{whom} {dated(due)}"


def next_update(
    catalog: Catalog, incident: Incident, sent: Mapping[str, Update]
) -> tuple[datetime, Audience] | None:
    """Who hears next, and when; of several the first. ``sent``: the last one to each audience."""
    rule = catalog.severity(incident.severity)
    dues = [(d, a) for a in AUDIENCES if (d := next_due(rule, incident, a, sent.get(a)))]
    return min(dues, default=None)
