"""A section as it will read, for a page of the console: the same reader, its pictures by address. Pure."""

import re
from collections.abc import Sequence

from markdown_it.token import Token
from markupsafe import Markup

from bot.postmortems.render import reader
from bot.postmortems.templating import FOLDER

_PICTURE = re.compile(re.escape(FOLDER) + r"([A-Za-z0-9][A-Za-z0-9._-]{0,200})")


def preview(text: str) -> Markup:
    """HTML without any of the text's own."""
    made = reader({})
    made.add_render_rule("image", _image)
    made.add_render_rule("table_open", lambda *_: '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>\n')  # fmt: skip
    return Markup(made.render(text))  # noqa: S704 - markdown-it's, with HTML off


def _image(_: object, tokens: Sequence[Token], index: int, *__: object) -> str:
    token = tokens[index]
    title = Markup.escape("".join(child.content for child in token.children or []))
    found = _PICTURE.fullmatch(str(token.attrs.get("src", "")))
    if found is None:
        return f"<em>{title}: picture not available</em>"
    return f'<img src="/evidence/{found[1]}" alt="{title}">'
