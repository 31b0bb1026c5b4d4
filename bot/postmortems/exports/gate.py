"""The gate that every export goes through: credentials and personal data do not pass. Pure.

By value, for what this installation knows to be a secret, and by pattern. It looks at the Markdown,
and then once more at the words as they are read, where no markup can hide anything.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

import yaml
from markdown_it.token import Token

from bot.postmortems.escape import URL_SAFE
from bot.postmortems.escape import text as escaped
from bot.postmortems.exports.document import plain, spans_of, text_of
from bot.postmortems.front import cut
from bot.postmortems.redact import SECRET, Redactor, without_keys
from bot.postmortems.render import tokens

_SHORTEST = 6  # characters of a secret that is looked for by its text
_BRACKETS = re.compile(r"(?<!\\)\[[^\[\]\\]{1,80}\]")
_LEAD = re.compile(r"[\s>]*(?:[-*+]|\d+[.)])?\s*|#+ ")
_GONE = "\\[redacted line\\]"


@dataclass(frozen=True)
class Passed:
    """A document that has passed, and the same taken apart: whoever draws it need not do so again."""

    front: str
    body: str
    stream: Sequence[Token]

    @property
    def markdown(self) -> str:
        """The whole."""
        return f"---\n{self.front}---\n{self.body}" if self.front else self.body


@dataclass(frozen=True)
class Gate:
    """``secrets`` are values that must not leave, ``names`` replaces people's names by roles."""

    secrets: Collection[str] = ()
    redactor: Redactor = field(default_factory=Redactor)
    names: Callable[[str], str] = str

    def text(self, value: str) -> str:
        """Plain text without what must not leave, and without controls."""
        value = plain(value)
        for secret in self._longest:
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
        return self.passed(value).markdown

    def passed(self, value: str) -> Passed:
        """The same, with what it was taken apart into on the way."""
        value = plain(value)
        for secret in self._longest:
            for shown in (secret, escaped(secret), quote(secret), quote(secret, safe=URL_SAFE)):
                value = value.replace(shown, escaped(SECRET))
        value = without_keys(value, escaped(SECRET))
        front, body = cut(value)
        raw = body.split("\n")
        lines = [self._line(line) for line in raw]
        clean = [line if line == before else "" for line, before in zip(lines, raw, strict=True)]
        body = "\n".join(lines)
        stream = tokens(body)
        # A table whose head went is a paragraph, and shows what it had no column for: look again.
        while hidden := list(dict.fromkeys(self._hidden(stream, clean))):
            before = list(lines)
            for first, end in reversed(hidden):
                lines[first : max(end, first + 1)] = [_gone(lines[first])]
                clean[first : max(end, first + 1)] = [""]
            if lines == before:  # a rule of one's own that takes offence at the very mark
                break
            body = "\n".join(lines)
            stream = tokens(body)
        return Passed(self._front(front) if front else "", body, stream)

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

    def _hidden(self, stream: Sequence[Token], clean: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Lines whose words hold what their Markdown did not show; ``clean`` are those it left as they were."""
        for token in stream:
            if token.type != "inline" or not token.map or not token.content:
                continue
            first, end = token.map
            words = text_of(spans_of(token))
            attributes = [unquote(str(v)) for c in token.children or [] for v in c.attrs.values()]
            if words == token.content and words in clean[first] and not attributes:
                # Words that stand in their line as they are were looked at with it: what is around a block's
                # or a cell's text is a blank or a mark that ends words too. A rule of one's own may ask for
                # a text's beginning or end.
                holds = self.redactor.own(words) != words
            else:
                holds = any(self._holds(each) for each in (words, *attributes))
            if holds:
                yield first, end

    def _holds(self, words: str) -> bool:
        return self.text(words) != plain(words)

    @cached_property
    def _longest(self) -> list[str]:
        return sorted({s for s in self.secrets if len(s) >= _SHORTEST}, key=len, reverse=True)


def _gone(line: str) -> str:
    """What stands there instead: as many cells, the same mark of a list."""
    cells = max(0, line.count(" | ") + 1) if line.startswith("|") else 0
    lead = _LEAD.match(line)
    return f"| {' | '.join([_GONE] * cells)} |" if cells else f"{lead[0] if lead else ''}{_GONE}"
