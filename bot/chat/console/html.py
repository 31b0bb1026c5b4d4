"""Block Kit to HTML. Pure: blocks in, markup out, and nothing unescaped on the way.

Every tag is written here; values only ever enter through `Markup.format`, which escapes them.
A block of a kind we do not know is left out rather than guessed at.
"""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from bot.chat.blocks import Block
from bot.chat.console.mrkdwn import is_web, to_html, to_plain

_SET_IN = " " * 6  # how a card sets a line in below another
_FOLDED = 8  # such lines that are shown at once
_STYLES = {"primary": "primary", "danger": "danger"}
_BUTTON = Markup(
    '<form class="click" method="post" action="/click" hx-post="/click" hx-target="next .toast"'
    ' hx-swap="innerHTML" hx-disabled-elt="find button"{confirm}>'
    '<input type="hidden" name="action_id" value="{action}">'
    '<input type="hidden" name="value" value="{value}">'
    '<button type="submit" class="{style}">{text}</button></form>'
)
_TOAST = Markup('<div class="toast" role="status" aria-live="polite"></div>')


def blocks_html(blocks: list[Block], *, heading: int = 3) -> Markup:
    """The blocks in order; ``heading`` is the level a header block gets on this page."""
    return Markup("").join(_block(block, heading) for block in blocks)


def _block(block: Block, heading: int) -> Markup:
    kind = str(block.get("type", ""))
    if kind == "header":
        level = Markup(("h1", "h2", "h3", "h4")[heading - 1])  # noqa: S704 - ours, from a tuple
        return Markup("<{0}>{1}</{0}>").format(level, text_html(block.get("text")))
    draw = _KINDS.get(kind)
    return draw(block) if draw else Markup("")


def text_html(text: Any) -> Markup:  # noqa: ANN401 - a text object as Slack defines it
    """A text object: mrkdwn becomes markup, plain text stays as it is."""
    if not isinstance(text, dict):
        return Markup("")
    words = str(text.get("text", ""))
    return to_html(words) if text.get("type") == "mrkdwn" else Markup("{}").format(words)


def _section(block: Block) -> Markup:
    made = Markup("")
    if "text" in block:
        made += _paragraph(block["text"])
    if fields := block.get("fields"):
        cells = Markup("").join(Markup("<div>{}</div>").format(text_html(f)) for f in fields)
        made += Markup('<div class="fields">{}</div>').format(cells)
    accessory = block.get("accessory") or {}
    if accessory.get("type") == "button":
        made += _actions({"elements": [accessory]})
    elif accessory.get("type") == "image":
        made += _image(accessory)
    return Markup('<div class="section">{}</div>').format(made)


def _paragraph(text: Any) -> Markup:  # noqa: ANN401 - a text object as Slack defines it
    """Lines that are set in below another become its list; what is long folds, a click away."""
    words = str(text.get("text", "")) if isinstance(text, dict) else ""
    head, *lines = words.split("\n")
    if "```" in words and len(lines) > _FOLDED:
        return Markup('<details class="long"><summary>{}</summary>{}</details>').format(
            f"{len(lines) + 1} lines", Markup("<p>{}</p>").format(text_html(text))
        )
    if "```" in words or not lines or not all(line.startswith(_SET_IN) for line in lines):
        return Markup("<p>{}</p>").format(text_html(text))
    made = Markup("<p>{}</p>").format(to_html(head)) + _list(lines[:_FOLDED])
    if rest := lines[_FOLDED:]:
        made += Markup('<details class="more"><summary>{}</summary>{}</details>').format(
            f"{len(rest)} more", _list(rest)
        )
    return made


def _list(lines: list[str]) -> Markup:
    items = Markup("").join(Markup("<li>{}</li>").format(to_html(each.strip())) for each in lines)
    return Markup('<ul class="lines">{}</ul>').format(items)


def _context(block: Block) -> Markup:
    parts = Markup(" ").join(
        _image(e) if e.get("type") == "image" else text_html(e) for e in block.get("elements", [])
    )
    return Markup('<p class="context">{}</p>').format(parts)


def _actions(block: Block) -> Markup:
    elements = block.get("elements", [])
    buttons = Markup("").join(_button(e) for e in elements if e.get("type") == "button")
    return Markup('<div class="actions">{}</div>{}').format(buttons, _TOAST)


def _button(element: Block) -> Markup:
    if url := str(element.get("url", "")):
        return _link_button(url, element)
    return _BUTTON.format(
        confirm=_confirm(element.get("confirm")),
        action=str(element.get("action_id", "")),
        value=str(element.get("value", "")),
        style=_STYLES.get(str(element.get("style", "")), "plain"),
        text=text_html(element.get("text")),
    )


def _link_button(url: str, element: Block) -> Markup:
    if not is_web(url):
        return Markup("")
    return Markup('<a class="button" href="{}" rel="noopener noreferrer">{}</a>').format(
        url, text_html(element.get("text"))
    )


def _confirm(confirm: Any) -> Markup:  # noqa: ANN401 - a confirmation object as Slack defines it
    if not isinstance(confirm, dict):
        return Markup("")
    words = [to_plain(str((confirm.get(k) or {}).get("text", ""))) for k in ("title", "text")]
    return Markup(' hx-confirm="{}"').format("\n".join(w for w in words if w))


def _image(block: Block) -> Markup:
    url, alt = str(block.get("image_url", "")), str(block.get("alt_text", ""))
    if not is_web(url):
        return Markup("{}").format(alt)
    return Markup('<img src="{}" alt="{}" loading="lazy">').format(url, alt)


def _divider(_block: Block) -> Markup:
    return Markup("<hr>")


_KINDS: dict[str, Callable[[Block], Markup]] = {
    "section": _section,
    "context": _context,
    "actions": _actions,
    "divider": _divider,
    "image": _image,
}
