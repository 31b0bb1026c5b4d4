"""A reminder: to whom it is, what is due, and the buttons that do it or put it off. Pure."""

from typing import Any

from bot.catalog import Person
from bot.chat.blocks import TEXT, Block, actions, button, clip, context, escape, section

REMINDER_CLICKS = ("incident_ack", "reminder_15m", "reminder_1h", "reminder_stop")
_LATER = (("15 min", "reminder_15m"), ("1 h", "reminder_1h"), ("Stop", "reminder_stop"))


def reminder_blocks(
    incident: int, payload: dict[str, Any], people: list[str], link: str
) -> list[Block]:
    """``people`` as they are called here; ``link`` leads to the incident's page, or is empty.

    One that is settled asks for nothing any more.
    """
    text = escape(str(payload["text"]))
    if payload.get("settled"):
        return [context(f"✅ ~{text.replace('~', '-')}~")]
    whom = f"{' '.join(people)} " if people else ""
    more = f" <{link}|Open it>" if link and payload["what"] == "postmortem" else ""
    buttons = []
    if given := payload.get("button"):
        label, action, value = given
        buttons.append(button(label, action, value, style="primary"))
    value = f"{incident}|{payload['what']}"
    buttons += [button(label, action, value) for label, action in _LATER]
    return [section(clip(f"⏰ {whom}{text}{more}", TEXT)), actions(*buttons)]


def mention(person: Person | None, name: str, workspace: str) -> str:
    """In Slack a mention, which is what makes a phone ring; the name for who is not in the workspace."""
    found = person.slack if person else []
    if workspace:
        found = [each for each in found if each.partition(":")[0] in workspace.split(":")]
    return f"<@{found[0].partition(':')[2]}>" if found else name
