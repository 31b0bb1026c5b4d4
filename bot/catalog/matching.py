"""Which alerts some labels mean: each value as it is, or with ``*`` for anything. Pure."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import AfterValidator

_MOST = 10  # labels
_LONGEST = 300  # characters of a label or a value


def check_match(match: dict[str, str]) -> dict[str, str]:
    """The labels as they are. Raises `ValueError` where they mean nothing or everything."""
    if not match:
        raise ValueError("at least one label is needed, such as alertname=DiskFilling")
    if len(match) > _MOST:
        raise ValueError(f"{len(match)} labels are given; {_MOST} is the limit")
    for label, value in match.items():
        if not label.strip() or not value.strip():
            raise ValueError(f"'{label}={value}' must be LABEL=VALUE")
        if max(len(label), len(value)) > _LONGEST:
            raise ValueError(f"{label[:40]}…: {_LONGEST} characters are the limit")
    if all(set(value) == {"*"} for value in match.values()):
        raise ValueError("* alone would cover everything: give a value, such as alertname=Disk*")
    return match


Match = Annotated[dict[str, str], AfterValidator(check_match)]


def matches(match: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether an alert has all these labels, with these values."""
    return not differing(match, labels)


def differing(match: Mapping[str, str], labels: Mapping[str, str]) -> list[str]:
    """The labels that an alert does not have, or with other values."""
    return [label for label, value in match.items() if not _fits(value, labels.get(label))]


def match_words(match: Mapping[str, str]) -> str:
    """``alertname=Disk*, service=shop``; sorted, as PostgreSQL keeps no order."""
    return ", ".join(f"{label}={value}" for label, value in sorted(match.items()))


def _fits(wanted: str, value: str | None) -> bool:
    if value is None or "*" not in wanted:
        return value == wanted
    return fnmatchcase(value, _only_stars(wanted))


def _only_stars(value: str) -> str:
    """``?`` and ``[`` mean themselves: a value such as ``disk[1]`` is no pattern."""
    return re.sub(r"[?[]", r"[\g<0>]", value)
