"""The gate that every export goes through: credentials and personal data do not pass. Pure.

By value, for what this installation knows to be a secret, and by pattern. It looks at the Markdown,
and then once more at the words as they are read, where no markup can hide anything.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

import yaml

from bot.postmortems.escape import URL_SAFE
from bot.postmortems.escape import text as escaped
from bot.postmortems.exports.document import plain, spans_of, split, text_of
from bot.postmortems.redact import SECRET, Redactor
from bot.postmortems.render import tokens

_SHORTEST = 6  # characters of a secret that is looked for by its text
_BRACKETS = re.compile(r"(?<!\\)\[[^\[\]\\]{1,80}\]")
_LEAD = re.compile(r"[\s>]*(?:[-*+]|\d+[.)])?\s*|#+ ")
_GONE = "\\[redacted line\\]"


@dataclass(frozen=True)
class Gate:
    """``secrets`` are values that must not leave, ``names`` replaces people's names by roles."""

    secrets: Collection[str] = ()
    redactor: Redactor = field(default_factory=Redactor)
    names: Callable[[str], str] = str

    def text(self, value: str) -> str:
        """Plain text without what must not leave, and without controls."""
        value = plain(value)
        for secret in self._longest():
            value = value.replace(secret, SECRET)
        return self.redactor.clean(self.names(value))

    def json(self, value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        """The same for every text inside."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(k)): self.json(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.json(v) for v in value]
        return value

    def markdown(self, value: str) -> str:
        """A document without it. A line in which it only shows once it is read goes whole."""
        value = plain(value)
        for secret in self._longest():
            for shown in (secret, escaped(secret), quote(secret), quote(secret, safe=URL_SAFE)):
                value = value.replace(shown, escaped(SECRET))
        front, body = split(value)
        body = "\n".join(map(self._line, body.split("\n")))
        for lines in reversed(self._hidden(body)):
            body = _without(body, *lines)
        return f"---\n{self._front(front)}---\n{body}" if front else body

    def _front(self, front: str) -> str:
        """As YAML, so that what is put in stays a text there."""
        try:
            values = yaml.safe_load(front)
        except (yaml.YAMLError, ValueError):
            return "".join(f"{self.text(line)}\n" for line in front.split("\n"))
        return yaml.safe_dump(self.json(values), sort_keys=False, allow_unicode=True, width=10_000)

    def _line(self, line: str) -> str:
        """Brackets that are put in are text, also before a bracket that was there."""
        cleaned = self.redactor.clean(self.names(line))
        if cleaned == line:
            return line
        known = set(_BRACKETS.findall(line))
        return _BRACKETS.sub(lambda m: m[0] if m[0] in known else escaped(m[0]), cleaned)

    def _hidden(self, body: str) -> list[tuple[int, int]]:
        """Lines whose words hold what their Markdown did not show."""
        found = []
        for token in tokens(body):
            if token.type != "inline" or not token.map:
                continue
            words = text_of(spans_of(token))
            attributes = [unquote(str(v)) for c in token.children or [] for v in c.attrs.values()]
            if any(self._holds(each) for each in (words, *attributes)):
                found.append((token.map[0], token.map[1]))
        return list(dict.fromkeys(found))

    def _holds(self, words: str) -> bool:
        return self.text(words) != plain(words)

    def _longest(self) -> list[str]:
        return sorted({s for s in self.secrets if len(s) >= _SHORTEST}, key=len, reverse=True)


def _without(body: str, first: int, end: int) -> str:
    lines = body.split("\n")
    cells = max(0, lines[first].count(" | ") + 1) if lines[first].startswith("|") else 0
    lead = _LEAD.match(lines[first])
    gone = f"| {' | '.join([_GONE] * cells)} |" if cells else f"{lead[0] if lead else ''}{_GONE}"
    return "\n".join([*lines[:first], gone, *lines[max(end, first + 1) :]])
