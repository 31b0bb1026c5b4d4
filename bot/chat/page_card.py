"""A page's message: whom it is for, how far it got, and the button that says that somebody has it."""

from collections.abc import Callable

from bot.chat.blocks import Block, actions, button, context, escape, section, when
from bot.paging.flow import WAITS
from bot.paging.tables import Page

PAGE_CLICKS = ("page_ack",)


def page_text(page: Page, name: Callable[[str], str]) -> str:
    """One line of mrkdwn."""
    whom = f"*{escape(page.name)}*"
    match page.state:
        case "acknowledged":
            return f"✅ {name(page.acknowledged_by)} has acknowledged the page for {whom}"
        case "unanswered":
            return f"🚨 Nobody acknowledged the page for {whom}"
        case "ended":
            return f"⏹️ The page for {whom} has ended"
    level = (max(page.step, 1) - 1) % len(page.levels) + 1
    return f"📟 Paging {whom}, level {level} of {len(page.levels)}"


def page_blocks(page: Page, name: Callable[[str], str]) -> list[Block]:
    """The whole message; `name` makes an actor one for people, escaped."""
    blocks = [section(page_text(page, name))]
    if page.why:
        blocks.append(section(escape(page.why)))
    if page.state in WAITS:
        blocks.append(actions(button("Acknowledge", PAGE_CLICKS[0], str(page.number), style="primary")))  # fmt: skip
    then = f", the next level is paged {when(page.due_at)}" if page.state == "open" and page.step else ""  # fmt: skip
    blocks.append(context(f"by {name(page.opened_by)}, {when(page.opened_at)}{then}"))
    return blocks
