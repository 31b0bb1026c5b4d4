"""Statuspage at a stand-in; requests and answers are held to a schema written from its documentation."""

import json
from collections.abc import AsyncIterator
from typing import Any

import jsonschema
import pytest

from bot.contract import Connection, Published, StatusPage
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from integrations.statuspage.page import Statuspage
from tests.integrations.direct import direct
from tests.integrations.pages import FIRST, RESOLVED
from tests.integrations.vendors import ANSWERS
from tests.servers.http_app import Answer, HttpApp, Received
from tests.servers.process import HOST, free_port

KEY, PAGE, INCIDENT = "oauth-secret", "kctbh9vrtdwd", "p31zjtct2jer"
BASE = f"/v1/pages/{PAGE}/incidents"
HEALTH = ["operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage", ""]  # fmt: skip
STATUSES = ["investigating", "identified", "monitoring", "resolved", "scheduled", "in_progress", "verifying", "completed"]  # fmt: skip
ID = {"type": "string", "pattern": "^[a-z0-9]{12}$"}
# developer.statuspage.io: "Create an incident" and "Update an incident", as far as we use them
REQUEST: dict[str, Any] = {
    "type": "object", "required": ["incident"], "additionalProperties": False,
    "properties": {"incident": {
        "type": "object", "required": ["name"], "additionalProperties": False,
        "properties": {
            "name": {"type": "string"}, "status": {"enum": STATUSES}, "body": {"type": "string"},
            "metadata": {"type": "object", "additionalProperties": {"type": "object"}},
            "deliver_notifications": {"type": "boolean"},
            "impact_override": {"enum": ["none", "maintenance", "minor", "major", "critical"]},
            "components": {"type": "object", "propertyNames": ID, "additionalProperties": {"enum": HEALTH}},
            "component_ids": {"type": "array", "items": ID},
        },
    }},
}  # fmt: skip
ANSWER: dict[str, Any] = {
    "type": "object", "required": ["id", "name", "status"],
    "properties": {
        "id": ID, "name": {"type": "string"}, "status": {"enum": STATUSES},
        "shortlink": {"type": "string"}, "metadata": {"type": "object"},
        "incident_updates": {"type": "array"},
    },
}  # fmt: skip


def incident(**more: Any) -> dict[str, Any]:
    found = {"id": INCIDENT, "name": FIRST.title, "status": "investigating",
             "shortlink": "http://stspg.io/p31zjtct2jer", "metadata": {}} | more  # fmt: skip
    jsonschema.validate(found, ANSWER)
    return found


def sent(request: Received) -> dict[str, Any]:
    assert request.headers["authorization"] == f"OAuth {KEY}"
    if request.method == "GET":
        assert request.body == ""
        return {}
    assert request.headers["content-type"] == "application/json"
    jsonschema.validate(request.json(), REQUEST)
    found: dict[str, Any] = request.json()["incident"]
    return found


@pytest.fixture
async def there(vendor: HttpApp) -> AsyncIterator[Connection]:
    async with at(vendor.url) as connection:
        yield connection


def at(url: str, **more: str) -> Any:
    settings = {"page_id": PAGE, "api_key": KEY} | more
    return direct("statuspage/public", url, timeout=2, settings=settings)


def test_it_is_a_status_page() -> None:
    assert isinstance(Statuspage(), StatusPage)


async def test_an_incident_from_its_opening_to_its_end(vendor: HttpApp, there: Connection) -> None:
    """Opened once, then updated; components go with it in one request; read back."""
    vendor.answers[BASE] = Answer(201, json.dumps(incident()))
    first = await Statuspage().publish(FIRST, "", there)
    assert first == Published(
        reference=INCIDENT, url="http://stspg.io/p31zjtct2jer", state="investigating"
    )
    vendor.answers[f"{BASE}/{INCIDENT}"] = Answer(200, json.dumps(incident(status="resolved")))
    last = await Statuspage().publish(RESOLVED, first.reference, there)
    assert last.state == "resolved"
    assert await Statuspage().read(INCIDENT, there) == last
    opened, updated, read = vendor.received
    assert (opened.method, updated.method, read.method) == ("POST", "PATCH", "GET")
    assert sent(opened) == {
        "name": FIRST.title, "status": "investigating", "body": FIRST.text,
        "metadata": {"jackline": {"thread": FIRST.thread, "update": FIRST.id}},
        "deliver_notifications": True, "components": {"8kbf7d35c070": "major_outage"},
        "component_ids": ["8kbf7d35c070"],
    }  # fmt: skip
    assert sent(updated)["components"] == {"8kbf7d35c070": "operational"}


async def test_after_a_lost_answer(vendor: HttpApp, there: Connection) -> None:
    """The metadata says whether the page has this very update."""
    ours = {"jackline": {"thread": FIRST.thread, "update": FIRST.id}}
    vendor.answers[BASE] = Answer(200, json.dumps([incident(), incident(metadata=ours)]))
    assert await Statuspage().find(FIRST, "", there) is not None
    assert await Statuspage().find(RESOLVED, "", there) is None
    vendor.answers[f"{BASE}/{INCIDENT}"] = Answer(200, json.dumps(incident(metadata=ours)))
    assert await Statuspage().find(FIRST, INCIDENT, there) is not None
    assert await Statuspage().find(RESOLVED, INCIDENT, there) is None
    vendor.answers[f"{BASE}/{INCIDENT}"] = Answer(404, "{}")
    assert await Statuspage().find(FIRST, INCIDENT, there) is None
    assert await Statuspage().read(INCIDENT, there) is None
    for request in vendor.received:
        sent(request)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(422, '{"error": ["Name can\'t be blank"]}'), Rejected),
        (Answer(401, '{"error": "Could not authenticate"}'), AuthFailed),
        (Answer(420, "{}"), Retryable),
        *ANSWERS,
    ],
)
async def test_what_an_answer_means(
    vendor: HttpApp, there: Connection, answer: Answer, kind: type[TargetError]
) -> None:
    """Asked once; the key is in no error; a read may be asked again."""
    vendor.default = answer
    with pytest.raises(kind) as raised:
        await Statuspage().publish(FIRST, "", there)
    assert KEY not in str(raised.value)
    assert len(vendor.received) == 1
    with pytest.raises(Retryable if kind is Unknown else kind):
        await Statuspage().read(INCIDENT, there)


async def test_what_is_wrong(vendor: HttpApp, there: Connection) -> None:
    """Nothing is asked for a page, a component or an incident that can be none."""
    wrong = FIRST.model_copy(update={"components": {"Payments API": "operational"}})
    with pytest.raises(Rejected, match="named by its id: 'Payments API'"):
        await Statuspage().publish(wrong, "", there)
    with pytest.raises(Rejected, match="no incident of Statuspage"):
        await Statuspage().publish(FIRST, "../pages", there)
    async with at(vendor.url, page_id="a/b") as nowhere:
        with pytest.raises(Rejected, match="page_id"):
            await Statuspage().publish(FIRST, "", nowhere)
    assert vendor.received == []
    async with at(f"http://{HOST}:{free_port()}") as nobody:
        with pytest.raises(NotSent):
            await Statuspage().publish(FIRST, "", nobody)
