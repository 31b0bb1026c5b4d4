"""Makes what is about to be sent to Slack fit Block Kit, whatever it was built from. Pure.

A message that Slack refuses at night is worse than one that lost its tail. So texts are shortened,
pieces over a limit are left out, and a block that cannot be sent is replaced by its text. What
people act on (buttons, fields to fill in) stays to the last. Every change is noted for the log.
"""

import json
from collections.abc import Callable
from typing import Any, Literal

from bot.chat import limits
from bot.chat.blocks import Block, clip, context, cut, escape, section
from bot.chat.fit_elements import IN_ACTIONS, IN_INPUT, IN_SECTION, Notes, element, text_object

Where = Literal["message", "view"]
_ONLY_IN_MESSAGES = ("markdown", "table")
_PLAIN = ("plain_text", "raw_text")
_KEPT = ("actions", "input", "header")  # to act on, and what it is about
_SHORTEST = 200  # characters to which a long text may be brought down
_MORE = "… there is more than Slack takes; the console shows all of it"


def fit_message(blocks: list[Block]) -> tuple[list[Block], Notes]:
    """The blocks as a message of Slack may hold them, and what was changed."""
    notes: Notes = []
    fitted = _blocks(blocks, "message", notes)
    return _sized(_counted(fitted, limits.MESSAGE_BLOCKS, notes), notes), notes


def fit_view(view: dict[str, Any]) -> tuple[dict[str, Any], Notes]:
    """The same for a modal or a home tab."""
    notes: Notes = []
    fitted = {key: value for key, value in view.items() if value is not None}
    for key in ("title", "submit", "close"):
        if view.get(key) is not None:
            made = text_object(view[key], limits.TITLE, notes, f"/{key}", plain=True)
            fitted[key] = made or {"type": "plain_text", "text": "…"}
    if len(fitted.get("private_metadata", "")) > limits.METADATA:
        notes.append("/private_metadata: left out, it is too long")
        del fitted["private_metadata"]
    blocks = _blocks(view.get("blocks") or [], "view", notes)
    fitted["blocks"] = _counted(blocks, limits.VIEW_BLOCKS, notes) or [section("…")]
    if view.get("type") == "modal" and not view.get("submit"):
        asks = any(block["type"] == "input" for block in fitted["blocks"])
        fitted |= {"submit": {"type": "plain_text", "text": "Send"}} if asks else {}
    return fitted, notes


def words(blocks: list[Block]) -> str:
    """Everything that is to be read in some blocks, as mrkdwn: what is plain in them is no tag here."""
    return "\n".join(found for block in blocks if (found := "\n".join(_words(block))))


def _words(part: Any) -> list[str]:  # noqa: ANN401 - whatever stands in a block
    if isinstance(part, list):
        return [word for each in part for word in _words(each)]
    if not isinstance(part, dict) or part.get("type") in ("button", "image"):
        return []
    if isinstance(text := part.get("text"), str):
        return [escape(text) if part.get("type") in _PLAIN else text]
    keys = ("text", "fields", "label", "elements", "rows", "title")
    return [word for key in keys if key in part for word in _words(part[key])]


def _blocks(blocks: list[Block], where: Where, notes: Notes) -> list[Block]:
    fitted: list[Block] = []
    ids: set[str] = set()
    markdown = limits.MARKDOWN
    for index, block in enumerate(blocks):
        made = _block(block, where, notes, f"/blocks/{index}")
        if made is None:
            notes.append(f"/blocks/{index}: {_kind(block)} replaced by its text")
            left = words([block]) if isinstance(block, dict) else ""
            if not left.strip():
                continue
            made = section(left)
        if made["type"] == "markdown":
            if markdown < 1:
                notes.append(f"/blocks/{index}: left out, there is too much markdown before it")
                continue
            made["text"] = cut(made["text"], markdown)
            markdown -= len(made["text"])
        ident = made.get("block_id")
        if ident is not None and (ident in ids or len(str(ident)) > limits.ID):
            notes.append(f"/blocks/{index}/block_id: left out")
            del made["block_id"]
        ids.add(str(ident))
        fitted.append(made)
    return fitted


def _kind(block: Any) -> str:  # noqa: ANN401 - it may be anything, that is the point
    return str(block.get("type")) if isinstance(block, dict) else type(block).__name__


def _block(block: Any, where: Where, notes: Notes, at: str) -> Block | None:  # noqa: ANN401 - as above
    """The block within its limits, or None where Slack could not take it."""
    kind = _kind(block)
    if kind not in _FITS or (where == "view" and kind in _ONLY_IN_MESSAGES):
        return None
    return _FITS[kind](dict(block), notes, at)


def _section(block: Block, notes: Notes, at: str) -> Block | None:
    if "text" in block:
        block["text"] = text_object(block["text"], limits.TEXT, notes, f"{at}/text")
    if "fields" in block:
        block["fields"] = _several(
            block["fields"], limits.FIELDS, notes, f"{at}/fields",
            lambda each, here: text_object(each, limits.FIELD, notes, here),
        )  # fmt: skip
    if "accessory" in block:
        block["accessory"] = element(block["accessory"], IN_SECTION, notes, f"{at}/accessory")
    made = {key: value for key, value in block.items() if value}
    return made if "text" in made or "fields" in made else None


def _header(block: Block, notes: Notes, at: str) -> Block | None:
    block["text"] = text_object(block.get("text"), limits.HEADER, notes, f"{at}/text", plain=True)
    return block if block["text"] else None


def _context(block: Block, notes: Notes, at: str) -> Block | None:
    def piece(each: Any, here: str) -> Block | None:  # noqa: ANN401 - as above
        if _kind(each) == "image":
            return element(each, ("image",), notes, here)
        return text_object(each, limits.TEXT, notes, here)

    block["elements"] = _several(
        block.get("elements"), limits.CONTEXT, notes, f"{at}/elements", piece
    )
    return block if block["elements"] else None


def _actions(block: Block, notes: Notes, at: str) -> Block | None:
    ids: set[str] = set()

    def piece(each: Any, here: str) -> Block | None:  # noqa: ANN401 - as above
        made = element(each, IN_ACTIONS, notes, here)
        if made is None or made.get("action_id") in ids:
            return None
        ids.add(made.get("action_id", here))
        return made

    block["elements"] = _several(
        block.get("elements"), limits.ACTIONS, notes, f"{at}/elements", piece
    )
    return block if block["elements"] else None


def _input(block: Block, notes: Notes, at: str) -> Block | None:
    block["label"] = text_object(block.get("label"), limits.LABEL, notes, f"{at}/label", plain=True)
    if block.get("hint"):
        block["hint"] = text_object(block["hint"], limits.LABEL, notes, f"{at}/hint", plain=True)
    block["element"] = element(block.get("element"), IN_INPUT, notes, f"{at}/element")
    return block if block["label"] and block["element"] else None


def _image(block: Block, notes: Notes, at: str) -> Block | None:
    made = element(block, ("image",), notes, at)
    if made is not None and made.get("title"):
        made["title"] = text_object(made["title"], limits.LABEL, notes, f"{at}/title", plain=True)
    return made


def _markdown(block: Block, notes: Notes, at: str) -> Block | None:
    text = block.get("text")
    if not isinstance(text, str) or not text.strip():
        return None
    if len(text) > limits.MARKDOWN:
        notes.append(f"{at}/text: shortened")
    block["text"] = cut(text, limits.MARKDOWN)
    return block


def _table(block: Block, notes: Notes, at: str) -> Block | None:
    rows = [row for row in block.get("rows") or [] if isinstance(row, list) and row]
    if len(rows) > limits.ROWS or any(len(row) > limits.COLUMNS for row in rows):
        notes.append(f"{at}: rows or columns left out")
    block["rows"] = [row[: limits.COLUMNS] for row in rows[: limits.ROWS]]
    return block if rows else None


def _as_it_is(block: Block, notes: Notes, at: str) -> Block | None:
    del notes, at
    return block


_FITS: dict[str, Callable[[Block, Notes, str], Block | None]] = {
    "actions": _actions, "context": _context, "divider": _as_it_is, "header": _header,
    "image": _image, "input": _input, "markdown": _markdown, "rich_text": _as_it_is,
    "section": _section, "table": _table,
}  # fmt: skip


def _several(
    parts: Any,  # noqa: ANN401 - as above
    top: int,
    notes: Notes,
    at: str,
    fit: Callable[[Any, str], Block | None],
) -> list[Block]:
    given = parts if isinstance(parts, list) else []
    made = [each for n, part in enumerate(given) if (each := fit(part, f"{at}/{n}"))]
    if len(given) > min(len(made), top):
        notes.append(f"{at}: {len(given) - min(len(made), top)} left out")
    return made[:top]


def _counted(blocks: list[Block], top: int, notes: Notes) -> list[Block]:
    """At most ``top`` blocks, the last of them saying so where some are left out."""
    if len(blocks) <= top:
        return blocks
    over, kept = len(blocks) - top + 1, list(blocks)
    for index in sorted(range(len(kept)), key=lambda n: _worth(kept[n], n))[:over]:
        kept[index] = {}
    notes.append(f"/blocks: {over} left out")
    return [*(block for block in kept if block), context(_MORE)]


def _worth(block: Block, index: int) -> tuple[bool, int]:
    """What may go first sorts first: the end before the beginning, words before buttons."""
    return block["type"] in _KEPT, -index


def _sized(blocks: list[Block], notes: Notes) -> list[Block]:
    """Short enough all together: the longest texts are shortened first, then the end goes."""
    if _size(blocks) <= limits.MESSAGE:
        return blocks
    notes.append(f"/blocks: shortened from {_size(blocks)} characters")
    more = context(_MORE)
    kept = [json.loads(json.dumps(block)) for block in blocks]
    room = limits.MESSAGE - _size([more])
    while (over := _size(kept) - room) > 0 and (longest := _longest(kept)):
        text = longest["text"]
        longest["text"] = clip(text, max(_SHORTEST, len(text) - over))
    while _size(kept) > room and len(kept) > 1:
        del kept[min(range(len(kept)), key=lambda n: _worth(kept[n], n))]
    return [*kept[: limits.MESSAGE_BLOCKS - 1], more]


def _size(blocks: list[Block]) -> int:
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def _longest(blocks: list[Block]) -> Block | None:
    """The thing with the longest text that can still be shortened."""
    found = [holder for block in blocks for holder in _texts(block)]
    found = [holder for holder in found if len(holder["text"]) > _SHORTEST]
    return max(found, key=lambda holder: len(holder["text"]), default=None)


def _texts(part: Any) -> list[Block]:  # noqa: ANN401 - as above
    if isinstance(part, list):
        return [found for each in part for found in _texts(each)]
    if not isinstance(part, dict):
        return []
    own = [part] if isinstance(part.get("text"), str) else []
    return own + [found for value in part.values() for found in _texts(value)]
