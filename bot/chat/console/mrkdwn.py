"""Slack's mrkdwn to HTML. Pure.

Tags and links are lifted out first, everything else is escaped, and only then does emphasis
become markup: so no character a person or an alert wrote can become a tag of its own.
"""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from markupsafe import Markup

_LIFTED = re.compile(
    r"```(?P<block>.+?)```|`(?P<code>[^`\n]+)`|<(?P<tag>[^<>\n]+)>|(?P<url>https?://[^\s<>\"'`]+)",
    re.DOTALL,
)
_EMPHASIS = re.compile(r"(?<![A-Za-z0-9])([*_~])(?=\S)([^\n]{0,1000}?\S)\1(?![A-Za-z0-9])")
_SLOT = re.compile("\ue000(\\d+)\ue001")
_PRIVATE = re.compile("[\ue000\ue001]")
_PAGE = re.compile(  # of the console itself
    r"/incidents/[0-9]{1,9}(/export\.(md|json|csv)|/postmortem(/edit)?"
    r"|/(postmortem|customers)\.(md|html|pdf|docx|json|csv))?"
)
_DATE = re.compile(r"!date\^(-?\d{1,12})\^")
_WRAP = {
    "*": Markup("<strong>{}</strong>"),
    "_": Markup("<em>{}</em>"),
    "~": Markup("<s>{}</s>"),
}
_DEPTH = 4  # nobody nests deeper; a bound keeps hostile text cheap


def to_html(text: str) -> Markup:
    """``text`` as phrasing content: emphasis, code, links, times and line breaks."""
    kept: list[Markup] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(_lifted(found))
        return f"\ue000{len(kept) - 1}\ue001"

    flat = _LIFTED.sub(keep, _PRIVATE.sub("", text))
    return _emphasis(flat, kept, _DEPTH)


def to_plain(text: str) -> str:
    """The words alone, for places that take no markup."""
    without = re.sub(r"<([^<>\n]+)>", lambda m: _label(m[1]), text)
    return unescape(re.sub(r"[*_`~]", "", without))


def is_web(url: str) -> bool:
    """Whether a link may be followed: http or https with a host, nothing else."""
    if re.search(r"[\s\x00-\x1f\x7f<>\"]", url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _lifted(found: re.Match[str]) -> Markup:
    if block := found["block"]:
        return Markup("<code class=block>{}</code>").format(unescape(block.strip("\n")))
    if code := found["code"]:
        return Markup("<code>{}</code>").format(unescape(code))
    if tag := found["tag"]:
        return _tag(tag)
    address = found["url"].rstrip(".,;:!?)]}*_~")
    return _link(unescape(address), unescape(address)) + unescape(found["url"][len(address) :])


def _tag(tag: str) -> Markup:
    if date := _DATE.match(tag):
        return _time(int(date[1]), unescape(_label(tag)))
    return _link(unescape(tag.partition("|")[0]), unescape(_label(tag)))


def _label(tag: str) -> str:
    head, bar, label = tag.partition("|")
    if bar:
        return label
    return "@" + head.lstrip("!") if head.startswith("!") else head


def _link(url: str, label: str) -> Markup:
    if _PAGE.fullmatch(url):
        return Markup('<a href="{}">{}</a>').format(url, label or url)
    if not is_web(url):
        return Markup("{}").format(label)
    return Markup('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>').format(
        url, label or url
    )


def _time(stamp: int, label: str) -> Markup:
    try:
        at = datetime.fromtimestamp(stamp, UTC)
    except (OverflowError, ValueError, OSError):
        return Markup("{}").format(label)
    return Markup('<time datetime="{}">{}</time>').format(f"{at:%Y-%m-%dT%H:%M:%SZ}", label)


def _emphasis(text: str, kept: list[Markup], depth: int) -> Markup:
    if depth == 0:
        return _plain(text, kept)
    made, end = Markup(""), 0
    for found in _EMPHASIS.finditer(text):
        made += _plain(text[end : found.start()], kept)
        inner = _emphasis(found[2], kept, depth - 1)
        made += _WRAP[found[1]].format(inner)
        end = found.end()
    return made + _plain(text[end:], kept)


def _plain(text: str, kept: list[Markup]) -> Markup:
    made, end = Markup(""), 0
    for slot in _SLOT.finditer(text):
        made += _lines(text[end : slot.start()]) + kept[int(slot[1])]
        end = slot.end()
    return made + _lines(text[end:])


def _lines(text: str) -> Markup:
    return Markup("<br>").join(unescape(line) for line in text.split("\n"))


def unescape(text: str) -> str:
    """Takes back what `bot.chat.blocks.escape` did, and only that."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
