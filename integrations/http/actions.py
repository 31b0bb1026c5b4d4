"""The verbs on anything that speaks HTTP: look, call once, put."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, JsonValue, field_validator

from bot.contract import Call, Change, Connection, Effect, Frozen, Preview
from bot.contract.looking import Looking
from bot.errors import TargetError

from .request import Answer, refusal, send

SHOWN = 2_000
MAX_BODY = 65_536
_OK = range(200, 300)
_Path = Annotated[
    str, Field(pattern=r"^/([^/\s#\\\x00-\x1f][^\s#\\\x00-\x1f]*)?$", max_length=2000)
]
_Status = Annotated[int, Field(ge=100, le=599)]
_Statuses = _Status | Annotated[list[_Status], Field(min_length=1, max_length=50)]


class TargetParams(Frozen):
    """Which service, and where in it."""

    target: Annotated[
        str, Field(pattern=r"^[a-z0-9_][a-z0-9_.-]{0,63}(/[a-z0-9_][a-z0-9_.-]{0,63})?$")
    ] = Field(description="A target of the catalog; `shop` alone means `http/shop`.")
    path: _Path = Field(description="The path below the target's address, with its query.")
    expect_status: _Statuses | None = Field(
        default=None, description="The status, or list of them, that is fine; any 2xx if left out."
    )

    @field_validator("path")
    @classmethod
    def _stays_below(cls, value: str) -> str:
        """Dots would climb out of the target's base path."""
        parts = value.partition("?")[0].lower().replace("%2e", ".").replace("%2f", "/")
        if any(part in {".", ".."} for part in parts.split("/")):
            raise ValueError("'.' and '..' are not allowed in a path")
        return value

    def expects(self, status: int) -> bool:
        """Whether this status is fine."""
        return _expects(self.expect_status, status)


class CheckParams(TargetParams):
    """What is asked, how often, and what counts as well."""

    contains: str = Field(default="", max_length=1000, description="Text the body must contain.")
    max_ms: Annotated[int, Field(ge=1, le=60_000)] | None = Field(
        default=None, description="An answer that takes longer than this counts as failed."
    )
    count: int = Field(default=1, ge=1, le=200, description="How many requests, one after another.")
    min_ok: float = Field(
        default=1.0, ge=0, le=1, description="The part of the requests that must be fine, 0 to 1."
    )


class Confirm(Frozen):
    """How one sees that a call took effect."""

    path: _Path = Field(description="Read with GET.")
    expect_status: _Statuses | None = Field(
        default=None, description="The status that shows the effect; any 2xx if left out."
    )
    contains: str = Field(
        default="", max_length=1000, description="Text that the body then contains."
    )


class SendParams(TargetParams):
    """What is sent."""

    body: JsonValue = Field(default=None, description="Sent as JSON; null sends no body.")

    @field_validator("body")
    @classmethod
    def _is_small(cls, value: JsonValue) -> JsonValue:
        if len(json.dumps(value)) > MAX_BODY:
            raise ValueError(f"the body must stay under {MAX_BODY} bytes")
        return value


class CallParams(SendParams):
    """One call of an API."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] = Field(
        default="POST", description="The HTTP method."
    )
    confirm: Confirm | None = Field(
        default=None,
        description="What to read to see whether the call took effect. Without it nobody can "
        "tell after a crash, and the run stops to ask a person.",
    )


class PutParams(SendParams):
    """The whole of one resource."""


class _Http:
    """What every verb here shares."""

    def target(self, params: TargetParams) -> str:
        return params.target if "/" in params.target else f"http/{params.target}"


class Check(Looking, _Http):
    """Asks a service and reports how it answered. A bad answer is a result, not an error."""

    name: ClassVar[str] = "http.check"
    Params: ClassVar[type[CheckParams]] = CheckParams

    async def apply(self, params: CheckParams, connection: Connection) -> dict[str, Any]:
        """Fails only if not one request was answered: then another access path may do better."""
        answers: list[Answer] = []
        lost: list[TargetError] = []
        for _ in range(params.count):
            try:
                answers.append(await send(connection, "GET", params.path, read=True))
            except TargetError as error:
                lost.append(error)
        if not answers:
            raise lost[0]
        return _report(params, answers, len(lost))


class CallOnce(_Http):
    """Calls an API once: it is never sent again unless a person says so."""

    name: ClassVar[str] = "http.call"
    effect: ClassVar[Effect] = Effect.ONCE
    reverts: ClassVar[bool] = False
    Params: ClassVar[type[CallParams]] = CallParams

    async def preview(self, params: CallParams, connection: Connection) -> Preview:
        """Says what would be sent; what the service makes of it, nobody can know before."""
        after = "sent once" if params.body is None else f"sent once: {_shown(params.body)}"
        what = f"{params.method} {params.path}"
        change = Change(target=self.target(params), what=what, before="not sent", after=after)
        return Preview(changes=[change])

    async def apply(self, params: CallParams, connection: Connection) -> dict[str, Any]:
        return await _deliver(params, params.method, connection)

    async def verify(self, params: CallParams, connection: Connection) -> bool | None:
        if (sign := params.confirm) is None:
            return None
        answer = await send(connection, "GET", sign.path, read=True)
        return _expects(sign.expect_status, answer.status) and sign.contains in answer.text

    def undo(self, params: CallParams, state: Mapping[str, Any]) -> Call | None:
        """Nothing can take back a call whose meaning is not known: write the undo in the step."""
        return None


class Put(_Http):
    """Puts the whole of one JSON resource; putting it again changes nothing more."""

    name: ClassVar[str] = "http.put"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = False
    Params: ClassVar[type[PutParams]] = PutParams

    async def preview(self, params: PutParams, connection: Connection) -> Preview:
        """Reads the resource with GET, so that it can be put back."""
        known, before = await self._now(params, connection)
        change = Change(
            target=self.target(params),
            what=f"PUT {params.path}",
            before=_shown(before) if known else "not known",
            after=_shown(params.body),
        )
        same = known and before == params.body
        kept = known and len(json.dumps(before)) <= MAX_BODY  # else it could not be put back
        state = {"body": before if kept else None, "known": kept}
        return Preview(changes=[] if same else [change], state=state)

    async def apply(self, params: PutParams, connection: Connection) -> dict[str, Any]:
        return await _deliver(params, "PUT", connection)

    async def verify(self, params: PutParams, connection: Connection) -> bool | None:
        """True if it reads the same; None if not, as a service may add fields of its own."""
        known, now = await self._now(params, connection)
        return True if known and now == params.body else None

    def undo(self, params: PutParams, state: Mapping[str, Any]) -> Call | None:
        if not state.get("known"):
            return None
        return Call(action=self.name, params={**params.model_dump(), "body": state["body"]})

    async def _now(self, params: PutParams, connection: Connection) -> tuple[bool, JsonValue]:
        """Whether there is a JSON resource to read, and the resource."""
        answer = await send(connection, "GET", params.path, read=True)
        if answer.status in {401, 403, 429, 503}:
            raise refusal(answer, "GET", params.path, read=True)
        value = _json(answer.text)
        return answer.status in _OK and value is not None, value


async def _deliver(params: SendParams, method: str, connection: Connection) -> dict[str, Any]:
    answer = await send(connection, method, params.path, params.body)
    if not params.expects(answer.status):
        raise refusal(answer, method, params.path)
    body = _json(answer.text)
    shown = answer.text[:SHOWN] if body is None else body
    return {"status": answer.status, "body": shown, "ms": answer.ms}


def _report(params: CheckParams, answers: list[Answer], lost: int) -> dict[str, Any]:
    fine = [a for a in answers if _is_fine(params, a)]
    ratio = len(fine) / (len(answers) + lost)
    served = Counter(a.headers["x-served-by"] for a in answers if "x-served-by" in a.headers)
    return {
        "ok": ratio >= params.min_ok,
        "ok_ratio": round(ratio, 4),
        "status": answers[-1].status,
        "statuses": {str(k): n for k, n in Counter(a.status for a in answers).items()},
        "no_answer": lost,
        "p95_ms": p95([a.ms for a in answers]),
        "served_by": dict(served),
    }


def _is_fine(params: CheckParams, answer: Answer) -> bool:
    quick = params.max_ms is None or answer.ms <= params.max_ms
    return quick and params.expects(answer.status) and params.contains in answer.text


def p95(values: list[float]) -> float:
    """The smallest value that 95 % of the values do not exceed."""
    return sorted(values)[math.ceil(len(values) * 0.95) - 1]


def _expects(wanted: int | list[int] | None, status: int) -> bool:
    if wanted is None:
        return status in _OK
    return status in ([wanted] if isinstance(wanted, int) else wanted)


def _json(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _shown(value: JsonValue) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
