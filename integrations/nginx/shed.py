"""The file that nginx includes: what is turned away, written so that it can be read back. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.errors import Rejected

_MARK = "# Written by Jackline, which refuses it once it was changed by hand: "
_PREFIX = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*)?")
_ALL, _LONGEST_WAIT = 100, 3600


@dataclass(frozen=True)
class Shed:
    """Percent by path prefix, those that lose any; ``retry_after`` is what clients are told."""

    percent: Mapping[str, int] = field(default_factory=dict)
    retry_after: int = 30

    def but(self, prefix: str, percent: int, retry_after: int) -> "Shed":
        """The same with another share for one prefix."""
        others = {key: value for key, value in self.percent.items() if key != prefix}
        return Shed(others | ({prefix: percent} if percent else {}), retry_after)

    @property
    def state(self) -> str:
        """As one line of JSON: what nginx says when it is asked what it runs."""
        whole = {"percent": dict(self.percent), "retry_after": self.retry_after}
        return json.dumps(whole, sort_keys=True)


def is_prefix(text: str) -> bool:
    """Whether this is a path whose every character means itself in nginx's configuration."""
    return len(text) <= 200 and _PREFIX.fullmatch(text) is not None  # noqa: PLR2004 - a path


def render(shed: Shed) -> str:
    """The file. Each request is decided by itself, and each prefix apart from the others.

    Of several prefixes that fit, the longest decides, which is why they stand in that order.
    """
    splits, entries = [], []
    longest_first = sorted(shed.percent, key=lambda prefix: (-len(prefix), prefix))
    for number, prefix in enumerate(longest_first, start=1):
        decided = "1"
        if (percent := shed.percent[prefix]) < _ALL:
            decided = f"$shed_{number}"
            line = f'split_clients "{prefix} $request_id" {decided} {{ {percent}% 1; * 0; }}'
            splits.append(line)
        path = prefix.rstrip("/").replace(".", r"\.")
        entries.append(f'    "~^{path}(/|$)" {decided};')
    lines = [
        f"{_MARK}{shed.state}",
        *splits,
        "map $uri $shed {",
        "    default 0;",
        *entries,
        "}",
        f'map $shed $shed_retry_after {{ default ""; 1 {shed.retry_after}; }}',
        f"map $shed $shed_state {{ default '{shed.state}'; }}",
    ]
    return "\n".join(lines) + "\n"


def parse(text: str) -> Shed:
    """The file read back. Raises `Rejected` where it is not as `render` writes it."""
    first = text.partition("\n")[0]
    shed = parse_state(first.removeprefix(_MARK))
    if not first.startswith(_MARK) or shed is None or render(shed) != text:
        raise Rejected(
            "The file with what is shed is not as Jackline writes it: somebody changed it.",
            hint="Look at it, and put back the one of the README, which sheds nothing.",
        )
    return shed


def parse_state(text: str) -> Shed | None:
    """What `Shed.state` says; None where it is anything else."""
    try:
        read = json.loads(text)
        shed = Shed(dict(read["percent"]), read["retry_after"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    shares = [(is_prefix(key), value) for key, value in shed.percent.items()]
    good = all(fits and _within(value, _ALL) for fits, value in shares)
    return shed if good and _within(shed.retry_after, _LONGEST_WAIT) else None


def _within(value: Any, most: int) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is int and 1 <= value <= most
