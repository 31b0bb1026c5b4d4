"""GitHub's issues at a stand-in; requests and answers are held to a schema written from its documentation."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import jsonschema
import pytest

from bot.contract import Connection, Filed, Ticket, Tickets
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from integrations.github.tickets import Issues
from tests.integrations.direct import direct
from tests.integrations.tickets import TICKET
from tests.servers.http_app import Answer, HttpApp, http_app
from tests.servers.process import HOST, free_port

ABOUT = {"repository": "acme/checkout"}
BASE = "/repos/acme/checkout/issues"
OURS: Ticket = TICKET.model_copy(update={"about": ABOUT})
# docs.github.com/en/rest/issues/issues: "Create an issue", and an issue as far as we read it
REQUEST: dict[str, Any] = {
    "type": "object", "required": ["title"], "additionalProperties": False,
    "properties": {"title": {"type": "string"}, "body": {"type": "string", "maxLength": 65536}},
}  # fmt: skip
ISSUE: dict[str, Any] = {
    "type": "object", "required": ["number", "html_url", "state", "body"],
    "properties": {
        "number": {"type": "integer"}, "html_url": {"type": "string", "pattern": "^http"},
        "state": {"enum": ["open", "closed"]}, "body": {"type": ["string", "null"]},
        "state_reason": {"enum": ["completed", "not_planned", "duplicate", "reopened", None]},
    },
}  # fmt: skip


def issue(**more: Any) -> dict[str, Any]:
    found = {"number": 41, "html_url": "https://github.com/acme/checkout/issues/41", "state": "open",
             "state_reason": None, "body": f"x\n\nKept by Jackline as {TICKET.marker}."} | more  # fmt: skip
    jsonschema.validate(found, ISSUE)
    return found


@pytest.fixture
def vendor() -> Iterator[HttpApp]:
    with http_app("github") as app:
        yield app


@pytest.fixture
async def there(vendor: HttpApp) -> AsyncIterator[Connection]:
    async with at(vendor.url) as connection:
        yield connection


def at(url: str) -> Any:
    return direct("github/api", url, timeout=2, headers={"Authorization": "Bearer gh-secret"})


async def test_made_read_and_done(vendor: HttpApp, there: Connection) -> None:
    """Title and text with the marker; closed is done, and the reason is said."""
    assert isinstance(Issues(), Tickets)
    vendor.answers[BASE] = Answer(201, json.dumps(issue()))
    made = await Issues().create(OURS.model_copy(update={"due": date(2026, 12, 1)}), there)
    assert made == Filed(
        reference="41", url="https://github.com/acme/checkout/issues/41", state="open"
    )
    (request,) = vendor.received
    jsonschema.validate(request.json(), REQUEST)
    assert request.headers["authorization"] == "Bearer gh-secret"
    assert request.json()["body"].endswith(
        f"Due: 2026-12-01\n\nKept by Jackline as {TICKET.marker}."
    )
    vendor.answers[f"{BASE}/41"] = Answer(
        200, json.dumps(issue(state="closed", state_reason="not_planned"))
    )
    read = await Issues().state("41", ABOUT, there)
    assert read is not None
    assert (read.state, read.done) == ("closed, not planned", True)
    for status in (404, 410):
        vendor.answers[f"{BASE}/41"] = Answer(status, "{}")
        assert await Issues().state("41", ABOUT, there) is None


async def test_after_a_lost_answer(vendor: HttpApp, there: Connection) -> None:
    """Among all issues since it was wanted, page by page; a pull request that quotes it is none."""
    quoting = {**issue(number=9), "pull_request": {}}
    vendor.answers[BASE] = Answer(200, json.dumps([issue(body=None), quoting, issue()]))
    found = await Issues().sought(OURS, there)
    assert found is not None
    assert found.reference == "41"
    query = parse_qs(vendor.received[0].query)
    assert (query["state"], query["since"]) == (["all"], ["2026-03-01T04:50:00Z"])
    other = OURS.model_copy(update={"marker": TICKET.marker[:-1]})
    assert await Issues().sought(other, there) is None
    vendor.answers[BASE] = Answer(200, json.dumps([issue(body="x")] * 100))
    before = len(vendor.received)
    with pytest.raises(Rejected, match="must be looked up by hand"):
        await Issues().sought(OURS, there)
    assert [parse_qs(r.query)["page"] for r in vendor.received[before:]] == [
        [str(n)] for n in range(1, 11)
    ]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(422, '{"message": "Validation Failed"}'), Rejected),
        (Answer(410, '{"message": "Issues are disabled for this repo"}'), Rejected),
        (Answer(401, "{}"), AuthFailed),
        (Answer(403, '{"message": "Resource not accessible"}'), AuthFailed),
        (Answer(429, "{}", headers={"Retry-After": "60"}), Retryable),
        (Answer(502, "broke"), Unknown),
        (Answer(201, "a proxy's page"), Unknown),
        (Answer(201, "[]"), Unknown),
        (Answer(drop=True), Unknown),
    ],
)
async def test_what_an_answer_means(
    vendor: HttpApp, there: Connection, answer: Answer, kind: type[TargetError]
) -> None:
    """Asked once; the token is in no error."""
    vendor.default = answer
    with pytest.raises(kind) as raised:
        await Issues().create(OURS, there)
    assert "gh-secret" not in str(raised.value)
    assert len(vendor.received) == 1


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("how", ["Retry-After", "X-RateLimit-Reset"])
async def test_beyond_its_limits_it_is_left_in_peace(
    vendor: HttpApp, there: Connection, status: int, how: str
) -> None:
    """By either status GitHub says when to come back; the token is good."""
    says = {"Retry-After": "600"}
    if how == "X-RateLimit-Reset":
        says = {"X-RateLimit-Remaining": "0", how: str(int(time.time()) + 600)}
    vendor.default = Answer(status, '{"message": "API rate limit exceeded"}', headers=says)
    with pytest.raises(Retryable, match="rate limit exceeded") as raised:
        await Issues().create(OURS, there)
    assert 590 <= (raised.value.retry_after or 0) <= 600
    assert "token" not in str(raised.value)


async def test_what_is_wrong(vendor: HttpApp, there: Connection) -> None:
    """Nothing is asked for a repository or an issue that can be none."""
    for wrong in ("acme", "../x", "acme/..", "a/b/c", ""):
        with pytest.raises(Rejected, match="owner/name"):
            await Issues().create(OURS.model_copy(update={"about": {"repository": wrong}}), there)
    with pytest.raises(Rejected, match="no issue of GitHub"):
        await Issues().state("1/comments", ABOUT, there)
    assert vendor.received == []
    async with at(f"http://{HOST}:{free_port()}") as nobody:
        with pytest.raises(NotSent):
            await Issues().create(OURS, nobody)
    vendor.default = Answer(200, "[1]")
    with pytest.raises(TargetError):
        await Issues().sought(OURS, there)
