"""What sources of alerts share: proving who sends, reading what was sent, and its limits.

A refused request is a lost alert with most senders, so what can be shortened is shortened and only
what cannot be trusted is refused. Nothing here does I/O.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from msgspec import MsgspecError
from msgspec.json import Decoder
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
)
from pydantic_core import from_json

from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput

MAX_ALERTS = 10_000
MAX_LABELS = 100
MAX_LABEL = 16_384
MAX_ANNOTATION = 16_384
MAX_FINGERPRINT = 128
MAX_NAME = 300
MAX_LINK = 2_048
_PRINT = re.compile(rf"[!-~]{{1,{MAX_FINGERPRINT}}}")
_STEP = re.compile(r"\[[0-9]+\]|[^.\[]+")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_LINK = re.compile(r"https?://[^\s\x00]*")
_OURS = re.compile(r"jackline-(page-)?[0-9]+-\S+")  # a notice's thread, as a pager keeps it
Body = TypeVar("Body", bound=BaseModel)
Payload = TypeVar("Payload")


def _printable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("a NUL character is not allowed")
    return value


Text = Annotated[str, AfterValidator(_printable)]
LabelName = Annotated[Text, StringConstraints(min_length=1, max_length=MAX_LABEL)]


def _written(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


# What may be missing: a number is written out; null, a list and an object are nothing.
Word = Annotated[str, BeforeValidator(_written)]
# What must be there: a name or a number that identity needs, or a time.
Given = Annotated[Word, StringConstraints(min_length=1)]


def _to_utc(value: datetime) -> datetime | None:
    if value.year == 1:
        return None
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is out of range") from error


def go_time(value: datetime, field: str) -> datetime | None:
    """The same for a source that reads structs. Raises `BadInput` naming the field."""
    try:
        return _to_utc(value)
    except ValueError as error:
        raise BadInput(f"Field {field}: {error}.", field=field) from None


def _set(value: datetime | None) -> datetime:
    if value is None:
        raise ValueError("the time is not set")
    return value


# As Go writes times: its zero, 0001-01-01, means *not set*, and is None, or refused.
GoTime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
GoTimeSet = Annotated[GoTime, AfterValidator(_set)]


class Loose(BaseModel):
    """A vendor's JSON: fields that a later version adds are not an error."""

    model_config = ConfigDict(extra="ignore", strict=True)


# ── who sends ────────────────────────────────────────────────────────────────────────────────


def known(offered: str | bytes, secrets: Sequence[str]) -> bool:
    """Whether it is one of the live secrets.

    Each is compared, in constant time, whether or not an earlier one fitted.
    """
    given = _bytes(offered)
    fits = [hmac.compare_digest(given, _bytes(secret)) for secret in secrets if secret]
    return bool(given) and any(fits)


def signed(body: bytes, signature: str, secrets: Sequence[str], digest: str = "sha256") -> bool:
    """Whether the hexadecimal HMAC of the body was made with one of the live secrets."""
    made = [hmac.new(_bytes(s), body, digest).hexdigest() for s in secrets if s]
    return known(signature.strip().lower(), made)


def credential(request: RawRequest) -> bytes:
    """The ``Authorization`` header's bearer token, or the password of HTTP basic; else nothing."""
    scheme, _, value = request.headers.get("authorization", "").strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return _bytes(value)
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(_bytes(value), validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""


def require(proven: bool, vendor: str, hint: str) -> None:
    """Raises `AuthFailed` unless the sender is proven."""
    if not proven:
        raise AuthFailed(f"The {vendor} webhook carried no valid secret.", hint=hint)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


# ── what was sent ────────────────────────────────────────────────────────────────────────────


def parsed(model: type[Body], body: bytes) -> Body:
    """The body as the model. Raises `BadInput` that names the field as a JSON path."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise bad_input(error) from None


def decoded(decoder: Decoder[Payload], body: bytes) -> Payload:
    """The same by msgspec, for a source that others flood us with. Raises `BadInput` likewise."""
    try:
        return decoder.decode(body)
    except MsgspecError as error:
        raise _bad_struct(str(error), body) from None
    except UnicodeDecodeError as error:
        raise BadInput(f"The body is not JSON: {error}."[:300], field="$") from None
    except RecursionError:
        raise BadInput("The body is nested too deeply.", field="$") from None


def _bad_struct(said: str, body: bytes) -> BadInput:
    """``Expected `str`, got `int` - at `$.alerts[0].name``` by its JSON path."""
    message, _, at = said.partition(" - at ")
    path = at.strip("`").removeprefix("$").lstrip(".")[:200]
    if path.endswith("[...]"):
        path = _keyed(path.removesuffix("[...]"), body)
    if missing := _MISSING.fullmatch(message):
        path, message = f"{path}.{missing[1]}".lstrip("."), "Field required"
    where = f"Field {path}" if path else "The body"
    return BadInput(f"{where}: {message.replace('`', '')}."[:500], field=path or "$")


def _keyed(path: str, body: bytes) -> str:
    """The path with the first key below it whose value is no text: msgspec does not say which."""
    try:
        at: Any = from_json(body)
        for step in _STEP.findall(path):
            at = at[int(step[1:-1])] if step.startswith("[") else at[step]
        wrong = next(key for key, value in at.items() if not isinstance(value, str))
    except (ValueError, LookupError, TypeError, AttributeError, StopIteration):
        return path  # what follows is no JSON, or a field is there twice
    return f"{path}.{wrong}"[:200]


def parsed_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """The body as plain data; its depth is limited. Raises `BadInput`."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise BadInput(f"The body is not JSON: {error}."[:300], field="$") from None


def bad_input(error: ValidationError) -> BadInput:
    """The first thing that is wrong, by its JSON path."""
    first: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = _json_path(first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    where = f"Field {path}" if path else "The body"
    return BadInput(f"{where}: {message}."[:500], field=path or "$")


def _json_path(location: tuple[int | str, ...]) -> str:
    """``("alerts", 2, "startsAt")`` → ``alerts[2].startsAt``."""
    parts = [f"[{p}]" if isinstance(p, int) else f".{p}" for p in location]
    return "".join(parts)[:200].lstrip(".")


def moment(value: datetime | float | str, field: str) -> datetime:
    """A time of the vendor's, in UTC: ISO 8601, or seconds or milliseconds of the epoch.

    A time without a zone is taken for UTC. Raises `BadInput` naming the field.
    """
    try:
        if isinstance(value, str) and not value.strip().lstrip("-").replace(".", "", 1).isdigit():
            value = datetime.fromisoformat(value.strip())
        if not isinstance(value, datetime):
            number = float(value)
            value = datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)  # noqa: PLR2004 - the year 5138 in seconds
        at = value if value.tzinfo else value.replace(tzinfo=UTC)
        return at.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise BadInput(f"Field {field}: {str(value)[:40]!r} is no time.", field=field) from None


# ── across the border ────────────────────────────────────────────────────────────────────────


def alert(
    source: str,
    *,
    fingerprint: str,
    firing: bool,
    name: str,
    starts_at: datetime,
    ends_at: datetime | None = None,
    labels: Mapping[str, Any] | None = None,
    annotations: Mapping[str, Any] | None = None,
    link: str = "",
    keeps_start: bool = False,
) -> Alert:
    """The alert within the limits: names, values and links are shortened, none is refused.

    Labels and annotations that are None or empty are left out. A fingerprint that is too long or
    holds anything but visible ASCII is hashed.
    """
    return Alert(
        source=source,
        fingerprint=_short_print(fingerprint),
        status="firing" if firing else "resolved",
        name=shortened(_plain(name), MAX_NAME) or "unnamed alert",
        labels=_texts(labels or {}, MAX_LABEL),
        annotations=_texts(annotations or {}, MAX_ANNOTATION),
        starts_at=starts_at,
        ends_at=None if firing else ends_at,
        link=safe_link(link),
        keeps_start=keeps_start,
    )


def is_ours(key: Any) -> bool:  # noqa: ANN401 - optional: it may be anything
    """Whether a vendor's key is the thread of something that Jackline told it, such as a page.

    Taken for an alert it would open an incident, whose page would come back as the next one.
    """
    return isinstance(key, str) and _OURS.fullmatch(key) is not None


def tagged(tags: Iterable[str]) -> dict[str, str]:
    """Tags as labels: ``key:value``, or ``tag`` with the value ``true``; of a key the first counts."""
    labels: dict[str, str] = {}
    for tag in tags:
        key, colon, value = tag.partition(":")
        labels.setdefault(key.strip(), value.strip() if colon else "true")
    return labels


def shortened(value: str, limit: int) -> str:
    """Cut, with an ellipsis at its end."""
    return value if len(value) <= limit else value[: limit - 1] + "…"


def safe_link(url: str) -> str:
    """A link people will click: only http(s), and none rather than half a one."""
    return url if len(url) <= MAX_LINK and _LINK.fullmatch(url) else ""


def _texts(values: Mapping[str, Any], limit: int) -> dict[str, str]:
    """What is left of them; in a flood this is most of the work, so what is fine passes at once."""
    if _fine(values, limit):
        return dict(values)
    kept: dict[str, str] = {}
    for key, value in values.items():
        if key and value is not None and value != "" and len(kept) < MAX_LABELS:
            kept[shortened(_plain(key), MAX_LABEL)] = shortened(_plain(value), limit)
    return kept


def _fine(values: Mapping[str, Any], limit: int) -> bool:
    """Whether all of them are short texts in ASCII."""
    try:
        text = "".join([*values, *values.values()])
    except TypeError:
        return False
    whole = text.isascii() and "\x00" not in text and len(text) <= limit
    return whole and len(values) <= MAX_LABELS and all(values) and all(values.values())


def _plain(value: Any) -> str:  # noqa: ANN401 - any JSON
    """As text that every database keeps."""
    text = value if type(value) is str else str(value)
    if isinstance(value, bool):
        text = text.lower()
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _short_print(text: str) -> str:
    return text if _PRINT.fullmatch(text) else hashlib.sha256(_bytes(text)).hexdigest()[:32]
