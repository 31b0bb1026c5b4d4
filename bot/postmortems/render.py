"""A draft as Markdown, and as one HTML page that needs nothing else. Pure."""

import base64
import gc
import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from bot.postmortems.escape import visible
from bot.postmortems.page import ORIGINS, Draft
from bot.postmortems.templating import FOLDER, Templates, around

_WRITTEN = "written by a person"  # alone, or behind one of these: `recorded · written by a person`
# Focusable, so that a keyboard can scroll it.
_WIDE = '<div class="scroll" tabindex="0" role="group" aria-label="A table that may be wide">'
_ANCHOR = re.compile(r'<a id="row-(\d+)"></a>')
_NO_MARKUP = re.compile(r"[A-Za-z0-9 .,:;()/%+\"'“”→…=-]*")
SVG = b'<?xml version="1.0" encoding="utf-8"'  # as matplotlib begins one: nobody attaches those
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    SVG: "image/svg+xml",
}
_PLAIN = Templates()


def markdown(draft: Draft, templates: Templates = _PLAIN) -> str:
    """The document to edit and to keep; its front matter is YAML."""
    front = yaml.safe_dump(draft.front, sort_keys=False, allow_unicode=True, width=10_000)
    return f"---\n{front}---\n{templates.body(draft)}"


def html(draft: Draft, pictures: Mapping[str, bytes], templates: Templates = _PLAIN) -> str:
    """The document to read: self-contained, with its pictures inside."""
    return page_of(draft, templates.body(draft), pictures)


def page_of(draft: Draft, body: str, pictures: Mapping[str, bytes]) -> str:
    """The same of a body that people have worked on; of ``draft`` only its number and title count."""
    number = f"INC-{draft.incident_id}: " if draft.incident_id else ""
    return page(f"{number}{draft.title} (postmortem)", body, pictures)


def page(title: str, body: str, pictures: Mapping[str, bytes]) -> str:
    """Markdown without front matter as one page of its own."""
    return drawn(title, tokens(body), pictures)


def drawn(title: str, stream: Sequence[Token], pictures: Mapping[str, bytes]) -> str:
    """The same of Markdown that has been taken apart."""
    shown = reader(pictures)
    return around(visible(title), shown.renderer.render(stream, shown.options, {}))


def tokens(body: str) -> Sequence[Token]:
    """The same Markdown taken apart, for whoever draws it otherwise."""
    with uncollected():
        return reader({}).parse(body)


@contextmanager
def uncollected() -> Iterator[None]:
    """Without Python's collector of cycles, for some seconds.

    A long document is a million objects and none of them is garbage: looking them through again and
    again takes longer than making them. Whoever found it on puts it on again, so that of several at
    a time none leaves it off.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def media_type(picture: bytes) -> str:
    """What the bytes are by their signature; "" unless it is a picture we show."""
    return next((kind for sign, kind in _SIGNATURES.items() if picture.startswith(sign)), "")


def reader(pictures: Mapping[str, bytes]) -> MarkdownIt:
    """Markdown to HTML, without any HTML of the text's own."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.inline.ruler.before("entity", "row_anchor", _read_anchor)
    reader.core.ruler.at("inline", _read_inline)
    reader.core.ruler.push("origins", _mark_origins)
    reader.add_render_rule("row_anchor", _show_anchor)
    reader.add_render_rule("table_open", lambda *_: _WIDE + "<table>\n")
    reader.add_render_rule("table_close", lambda *_: "</table></div>\n")
    reader.add_render_rule("image", _image_rule(pictures))
    return reader


def _read_inline(state: StateCore) -> None:
    """As markdown-it's own rule, which takes ten times as long for a text that has no mark-up in it."""
    for token in state.tokens:
        if token.type != "inline":
            continue
        if _NO_MARKUP.fullmatch(token.content):
            token.children = [Token("text", "", 0, content=token.content)]
        else:
            token.children = []
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _read_anchor(state: StateInline, silent: bool) -> bool:
    """The one piece of HTML we write ourselves; recorded text cannot, its ``<`` is escaped."""
    found = _ANCHOR.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("row_anchor", "a", 0).meta = {"seq": found.group(1)}
    state.pos = found.end()
    return True


def _show_anchor(
    _: RendererHTML, tokens: Sequence[Token], index: int, *__: OptionsDict | MutableMapping[str, Any]
) -> str:  # fmt: skip
    return f'<a id="row-{tokens[index].meta["seq"]}"></a>'


def _mark_origins(state: StateCore) -> None:
    """Gives ``*recorded*`` and its kin under a heading a class, so that they look different."""
    for heading, opening, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):  # fmt: skip
        if heading.type == "heading_close" and opening.type == "paragraph_open":
            word, behind, _ = inline.content.strip("*").partition(f" · {_WRITTEN}")
            if word in ORIGINS and inline.content == f"*{word}{behind}*":
                written = " written" if behind or word == _WRITTEN else ""
                opening.attrJoin("class", f"origin {word.replace(' ', '-')}{written}")


def _plain(token: Token) -> Markup:
    return Markup.escape("".join(child.content for child in token.children or []))


def _image_rule(pictures: Mapping[str, bytes]) -> Any:  # noqa: ANN401 - markdown-it's render rule
    def show(_: RendererHTML, tokens: Sequence[Token], index: int, *__: object) -> str:
        token = tokens[index]
        name = str(token.attrs.get("src", "")).removeprefix(FOLDER)
        drawn = f"{name.removesuffix('.png')}.svg"  # our own pictures, which stay sharp
        data = pictures.get(drawn) or pictures.get(name, b"")
        kind, title = media_type(data), _plain(token)
        if not kind:
            return f"<em>{title}: picture not available</em>"
        inside = base64.b64encode(data).decode()
        return f'<img src="data:{kind};base64,{inside}" alt="{title}">'

    return show
