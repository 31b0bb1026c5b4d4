"""Cuts out of recorded text what must not leave: credentials and personal data. Pure.

Credentials that this process knows, and what looks like one; mail addresses, telephone, card and bank
account numbers; addresses of machines and patterns of your own where the catalog asks for it. Names
are `bot.postmortems.cast`'s.
"""

import re
from collections.abc import Callable, Sequence

import re2

from bot.catalog import Redaction
from bot.log import redact_text

SECRET, MAIL, PHONE = "[credential]", "[e-mail address]", "[telephone number]"
SOMEBODY = "[somebody]"
CARD, ACCOUNT, ADDRESS = "[card number]", "[account number]", "[IP address]"
_TOKENS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$)"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|sk_live_|sk_test_|rk_live_|sk-|npm_|hf_|dop_v1_|shpat_|AIza)"
    r"[A-Za-z0-9_-]{16,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"
    r"|\bAGE-SECRET-KEY-1[0-9A-Z]+"
    r"|hooks\.slack\.com/services/[A-Za-z0-9/]+",
    re.DOTALL,
)
_TOKEN_HINTS = (  # as `str.casefold` has them; without one of them there is none of these
    "-----begin", "akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-",
    "sk_live_", "sk_test_", "rk_live_", "sk-", "npm_", "hf_", "dop_v1_", "shpat_", "aiza", "eyj",
    "age-secret-key-1", "hooks.slack.com/",
)  # fmt: skip
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINES = re.compile(
    r"[^\n]*(?:\n[ \t>]*[A-Za-z0-9+/=]{16,}[ \t]*(?=\n|\Z))*"
)  # its end is missing
_LONGEST_KEY = 20_000  # characters
_NAMED_HINTS = ("password", "passwd", "pwd", "secret", "token", "key", "authorization")
_NAMED = re.compile(
    r"(?i)(?<![^\W_])((?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|authorization))"
    r"(\"?\s*[=:]\s*\"?)(?!\[)(?:bearer\s+|basic\s+)?[^\s\"',;&|]{4,}"
)
_MAIL = re.compile(
    r"(?:mailto:)?(?<![\w.+%-])[\w.+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}(?![\w-])"
)
# A pattern that begins with characters, and looks behind the first of them, is found five times as fast
# as one that begins with looking behind.
_PHONE = re.compile(
    r"[+(\d](?<![\w.+][+(\d])(?:(?<=\+)\d[\d ()/.-]{6,20}\d|(?<=\()\d{2,5}\)[ -]?\d[\d -]{4,14}\d"
    r"|(?<=\d)\d{2}[-.]\d{3}[-.]\d{4})(?![\w-])"
)
_CARD = re.compile(r"\d(?<![\w.-]\d)(?:[ -]?\d){12,18}(?![\w-])")
_IBAN = re.compile(r"[A-Z](?<!\w[A-Z])[A-Z]\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b")
_IP = re.compile(
    r"(?<![\w.:-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\w.]*\d)"
    r"|(?:[0-9A-Fa-f]{1,4}:){2,7}[0-9A-Fa-f]{1,4}(?![\w:])|(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}(?![\w:]))"
)
_USER = re.compile(
    r"<@[UW][A-Z0-9]+(?:\|[^<>]*)?>"
)  # of Slack: those of the catalog are roles by now
_PHONE_DIGITS = range(8, 16)
_CARD_DIGITS = range(13, 20)
_DIGIT = re.compile(r"\d")
_CLOCK = re.compile(r"\d{1,2}:\d{2}:\d{2}")


class Redactor:
    """``rules`` are the catalog's: what is cut out besides what always is."""

    def __init__(self, rules: Sequence[Redaction] = ()) -> None:
        self._addresses = any(rule.kind == "ip" for rule in rules)
        self._own = [
            (re2.compile(rule.pattern), f"[{rule.shown or rule.id}]")
            for rule in rules
            if rule.kind == "pattern"
        ]

    def clean(self, text: str) -> str:
        """The text without them; each is replaced by what it was, in brackets."""
        text = redact_text(text)
        lower = text.casefold()
        if any(hint in lower for hint in _TOKEN_HINTS):
            text = _TOKENS.sub(SECRET, text)
        if any(hint in lower for hint in _NAMED_HINTS):
            text = _NAMED.sub(rf"\1\2{SECRET}", text)
        if "@" in text:
            text = _USER.sub(SOMEBODY, text)
            text = _MAIL.sub(MAIL, text)
        if _DIGIT.search(text):
            text = self._numbers(text)
        return self.own(text)

    def own(self, text: str) -> str:
        """The text without what the catalog's patterns find."""
        for pattern, shown in self._own:
            text = pattern.sub(lambda _, word=shown: word, text)
        return text

    def _numbers(self, text: str) -> str:
        text = _IBAN.sub(_when(_is_account, ACCOUNT), text)
        text = _CARD.sub(_when(_is_card, CARD), text)
        text = _PHONE.sub(_when(_is_phone, PHONE), text)
        return _IP.sub(_when(_is_address, ADDRESS), text) if self._addresses else text


def without_keys(text: str, shown: str) -> str:
    """A document without private keys, which go over many of its lines."""
    kept, at = "", 0
    for begin in _KEY.finditer(text):
        if begin.start() < at:
            continue
        kept += text[at : begin.start()] + shown
        inside = begin.end(), begin.end() + _LONGEST_KEY
        end = _KEY_END.search(text, *inside) or _KEY_LINES.match(text, *inside)
        at = end.end() if end else begin.end()
    return kept + text[at:]


def _when(holds: Callable[[str], bool], shown: str) -> Callable[[re.Match[str]], str]:
    return lambda match: shown if holds(match.group(0)) else match.group(0)


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _is_phone(text: str) -> bool:
    return len(_digits(text)) in _PHONE_DIGITS


def _is_card(text: str) -> bool:
    """By Luhn's sum: most long numbers are no card's."""
    digits = _digits(text)
    if len(digits) not in _CARD_DIGITS or len(set(digits)) == 1:
        return False
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - its digits' sum
    return total % 10 == 0


def _is_account(text: str) -> bool:
    """By ISO 7064's check over the whole."""
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:  # noqa: PLR2004 - an IBAN's lengths
        return False
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def _is_address(text: str) -> bool:
    return not _CLOCK.fullmatch(text)
