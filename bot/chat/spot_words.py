"""Where a postmortem is published, in words and with its button. Pure."""

from bot.catalog import Catalog
from bot.chat.blocks import LINKABLE, Block, button, escape, section, when
from bot.chat.standing import person_name
from bot.postmortems.editing.publishing import Spot
from bot.postmortems.editing.tables import PaperCopy

SHOWN = 10  # places on a card; the page has all


def spot_words(catalog: Catalog, spot: Spot, version: int) -> str:
    """mrkdwn: what stands there, whether it is older than ``version``, what became of it last."""
    name, copy = f"*{escape(spot.name)}*", spot.copy
    if copy is None:
        return f"{name}: not published"
    parts = [_stands(catalog, copy)] if copy.version else []
    if 0 < copy.version < version:
        parts.append(f"⚠️ it is older than the text, which is version {version}")
    if copy.state == "pending":
        asked = (
            f"asked for by {escape(person_name(catalog, copy.asked_by))} at {when(copy.asked_at)}"
        )
        parts.append(f"⏳ version {version} is on its way, {asked}")
        if copy.error:
            parts.append(f"it was not taken yet and is tried on: {escape(copy.error)}")
    if copy.state == "refused":
        parts.append(f"⚠️ the last time it was not published: {escape(copy.error)}")
    return "\n".join([f"{name}: {parts[0]}", *parts[1:]])


def _stands(catalog: Catalog, copy: PaperCopy) -> str:
    link, what = escape(copy.url), f"version {copy.version}"
    linked = (
        f"<{link}|{what}>" if LINKABLE.fullmatch(link) else f"{what} ({escape(copy.reference)})"
    )
    since = f" since {copy.at:%Y-%m-%d %H:%M} UTC" if copy.at else ""
    return f"has {linked}{since}, by {escape(person_name(catalog, copy.by))}"


def publish_label(spot: Spot) -> str:
    """On the button."""
    if spot.copy is None:
        return "Publish"
    return "Try it now" if spot.copy.state == "pending" else "Publish again"


def spot_blocks(
    catalog: Catalog, number: int, version: int, spots: list[Spot], *, final: bool
) -> list[Block]:
    """One for each place; with a button where it can be asked for."""
    shown = spots if final else [spot for spot in spots if spot.copy]
    blocks = []
    for spot in shown[:SHOWN]:
        block = section(spot_words(catalog, spot, version))
        if final and spot.open:
            block["accessory"] = button(publish_label(spot), "paper_publish", f"{number}|{spot.id}")
        blocks.append(block)
    return blocks
