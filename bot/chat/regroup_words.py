"""What the commands and buttons of `bot.chat.regroup` say: labels, numbers, values. Pure."""

import hashlib
import json

from bot.alerts.holding import labels_of
from bot.catalog import check_match
from bot.errors import BadInput

_VALUE = 2000  # characters of a button's value, Slack's limit


def target_of(words: list[str], here: int | None, usage: str) -> int:
    """``into #12``, or ``into here`` in a channel. Raises `BadInput`."""
    if len(words) == 2 and words[0].lower() == "into":  # noqa: PLR2004 - "into #12"
        if words[1].lower() == "here" and here is not None:
            return here
        number = words[1].removeprefix("#")
        if number.isascii() and number.isdecimal() and len(number) <= 9:  # noqa: PLR2004 - an id
            return int(number)
    raise BadInput("Say into which incident.", hint=usage)


def labels(words: list[str], usage: str) -> dict[str, str]:
    """``LABEL=VALUE …`` that mean some alerts. Raises `BadInput`, with the usage."""
    match = labels_of(words, usage)
    try:
        return check_match(match)
    except ValueError as error:
        raise BadInput(f"Say which alerts: {error}.", hint=usage) from None


def short(key: str) -> str:
    """A command's key as part of a button's value: what its button did, it does once."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def value_of(number: int, key: str, upto: int, match: dict[str, str]) -> str:
    """A button about alerts up to one. Raises `BadInput` where that is too long."""
    value = f"{number}|{short(key)}|{upto}|{json.dumps(match)}"
    if len(value) > _VALUE:
        raise BadInput("These labels are too long for a button: name fewer, or use * in them.")
    return value


def parts(value: str) -> tuple[int, str, str]:
    """A button's incident, its own key, and the rest. Raises `BadInput`."""
    number, _, rest = value.partition("|")
    key, _, rest = rest.partition("|")
    if not (key.isascii() and key.isalnum()):
        raise BadInput("The button is out of date.", hint="Type the command again.")
    return number_of(number), key, rest


def named(action_id: str, value: str) -> tuple[int, ...]:
    """The incidents that a button names. Raises `BadInput`."""
    number, _, rest = parts(value)
    return (number, number_of(rest)) if action_id == "incident_merge" else (number,)


def number_of(word: str) -> int:
    """An id. Raises `BadInput`."""
    if not (word.isascii() and word.isdecimal() and len(word) <= 9):  # noqa: PLR2004 - an id
        raise BadInput("The button is out of date.", hint="Type the command again.")
    return int(word)


def alerts_of(rest: str) -> tuple[int, dict[str, str]]:
    """The newest alert that was shown, and the labels. Raises `BadInput`."""
    upto, _, text = rest.partition("|")
    try:
        match = check_match({str(k): str(v) for k, v in json.loads(text).items()})
    except (ValueError, AttributeError, RecursionError):
        raise BadInput("The button is out of date.", hint="Type the command again.") from None
    return number_of(upto), match
