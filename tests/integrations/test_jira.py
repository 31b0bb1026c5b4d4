"""Jira at a stand-in; requests and answers are held to a schema written from its documentation."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import jsonschema
import pytest

from bot.contract import Connection, Filed, Ticket, Tickets
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from integrations.jira.tickets import Issues
from tests.integrations.direct import direct
from tests.integrations.tickets import ABOUT_JIRA, TICKET
from tests.servers.http_app import Answer, HttpApp, Received, http_app
from tests.servers.process import HOST, free_port

ISSUE, SEARCH = "/rest/api/2/issue", "/rest/api/2/search/jql"
# developer.atlassian.com, REST API v2: "Create issue", as far as we use it
REQUEST: dict[str, Any] = {
    "type": "object", "required": ["fields"], "additionalProperties": False,
    "properties": {"fields": {
        "type": "object", "required": ["project", "issuetype", "summary"], "additionalProperties": False,
        "properties": {
            "project": {"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}}},
            "issuetype": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            "summary": {"type": "string", "maxLength": 255, "pattern": "^[^\\n]+$"},
            "description": {"type": "string", "maxLength": 32767},
            "labels": {"type": "array", "items": {"type": "string", "pattern": "^\\S{1,255}$"}},
            "duedate": {"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}$"},
        },
    }},
}  # fmt: skip


def issue(key: str = "OPS-7", name: str = "To Do", category: str = "new") -> dict[str, Any]:
    return {"id": "10007", "key": key, "self": f"https://x/rest/api/2/issue/{key}",
            "fields": {"status": {"name": name, "statusCategory": {"key": category}}}}  # fmt: skip


def sent(request: Received) -> dict[str, Any]:
    basic = base64.b64encode(b"bot@x.org:secret-token").decode()
    assert request.headers["authorization"] == f"Basic {basic}"
    jsonschema.validate(request.json(), REQUEST)
    found: dict[str, Any] = request.json()["fields"]
    return found


@pytest.fixture
def vendor() -> Iterator[HttpApp]:
    with http_app("jira") as app:
        yield app


@pytest.fixture
async def there(vendor: HttpApp) -> AsyncIterator[Connection]:
    async with at(vendor.url) as connection:
        yield connection


def at(url: str, email: str = "bot@x.org") -> Any:
    settings = {"token": "secret-token"} | ({"email": email} if email else {})
    return direct("jira/ops", url, timeout=2, settings=settings)


def ticket(**more: Any) -> Ticket:
    return TICKET.model_copy(update={"about": ABOUT_JIRA, **more})


async def test_made_read_and_done(vendor: HttpApp, there: Connection) -> None:
    """Every field as documented; done is a status of the category done, whatever it is called."""
    assert isinstance(Issues(), Tickets)
    vendor.answers[ISSUE] = Answer(201, json.dumps({"id": "10007", "key": "OPS-7", "self": "x"}))
    made = await Issues().create(ticket(due=date(2026, 12, 1)), there)
    assert (made.reference, made.url, made.done) == ("OPS-7", f"{vendor.url}/browse/OPS-7", False)
    fields = sent(vendor.received[0])
    assert fields["labels"] == ["jackline", TICKET.marker]
    assert (fields["duedate"], fields["issuetype"]) == ("2026-12-01", {"name": "Bug"})
    vendor.answers[f"{ISSUE}/OPS-7"] = Answer(
        200, json.dumps(issue(name="Shipped", category="done"))
    )
    read = await Issues().state("OPS-7", ABOUT_JIRA, there)
    assert read == Filed(reference="OPS-7", url=made.url, state="Shipped", done=True)
    vendor.answers[f"{ISSUE}/OPS-7"] = Answer(404, "{}")
    assert await Issues().state("OPS-7", ABOUT_JIRA, there) is None


async def test_after_a_lost_answer(vendor: HttpApp, there: Connection) -> None:
    """By its label; not found soon after is not known; Data Center has another address."""
    vendor.answers[SEARCH] = Answer(200, json.dumps({"issues": [issue()], "isLast": True}))
    found = await Issues().sought(ticket(), there)
    assert found is not None
    assert found.reference == "OPS-7"
    query = parse_qs(vendor.received[0].query)
    assert query["jql"] == [f'project = "OPS" AND labels = "{TICKET.marker}"']
    vendor.answers[SEARCH] = Answer(200, json.dumps({"issues": []}))
    with pytest.raises(Retryable, match="may not show it yet"):
        await Issues().sought(ticket(sent_at=datetime.now(UTC)), there)
    old = ticket(sent_at=datetime.now(UTC) - timedelta(minutes=5))
    assert await Issues().sought(old, there) is None
    vendor.answers[SEARCH] = Answer(404, "no such page")
    vendor.answers["/rest/api/2/search"] = Answer(200, json.dumps({"issues": [issue("OPS-8")]}))
    async with at(vendor.url, email="") as data_center:
        found = await Issues().sought(old, data_center)
    assert found is not None
    assert found.reference == "OPS-8"
    assert vendor.received[-1].headers["authorization"] == "Bearer secret-token"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(400, '{"errors": {"customfield_1": "Team is required."}}'), Rejected),
        (Answer(401, "{}"), AuthFailed),
        (Answer(429, "{}", headers={"Retry-After": "3"}), Retryable),
        (Answer(503, "broke"), Unknown),
        (Answer(201, "a proxy's page"), Unknown),
        (Answer(201, '{"id": "1"}'), Unknown),
        (Answer(drop=True), Unknown),
    ],
)
async def test_what_an_answer_means(
    vendor: HttpApp, there: Connection, answer: Answer, kind: type[TargetError]
) -> None:
    """Asked once; the token is in no error."""
    vendor.default = answer
    with pytest.raises(kind) as raised:
        await Issues().create(ticket(), there)
    assert "secret-token" not in str(raised.value)
    assert len(vendor.received) == 1


async def test_what_is_wrong(vendor: HttpApp, there: Connection) -> None:
    """Nothing is asked for a project or an issue that can be none."""
    with pytest.raises(Rejected, match="not the key of a project"):
        await Issues().create(ticket(about={"project": 'X" OR 1'}), there)
    with pytest.raises(Rejected, match="no issue of Jira"):
        await Issues().state("../x", ABOUT_JIRA, there)
    assert vendor.received == []
    async with at(f"http://{HOST}:{free_port()}") as nobody:
        with pytest.raises(NotSent):
            await Issues().create(ticket(), nobody)
    vendor.default = Answer(200, '{"key": "OPS-1", "fields": {}}')
    with pytest.raises(TargetError):
        await Issues().state("OPS-1", ABOUT_JIRA, there)
