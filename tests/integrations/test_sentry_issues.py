"""Error groups by Sentry's API: requests and answers fit Sentry's own specification."""

import functools
import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from openapi_schema_validator import OAS30Validator

from bot.errors import AuthFailed, Rejected
from bot.registry import Registry
from integrations.sentry.evidence import params
from tests.integrations.asking import UNTIL, asked, question
from tests.servers.http_app import Answer, HttpApp, http_app

pytestmark = pytest.mark.server
SPEC = Path(__file__).parents[3] / "shared/specs/sentry.openapi3.json.gz"
ABOUT = {"organization": "acme", "project": "checkout", "environment": "production"}
PATH = "/api/0/organizations/acme/issues/"


@functools.cache
def operation() -> dict[str, Any]:
    """What Sentry says of the request; without its file there is nothing to hold it against."""
    if not SPEC.exists():
        pytest.skip(f"{SPEC.name} is not there")
    spec = json.loads(gzip.decompress(SPEC.read_bytes()))
    found: dict[str, Any] = spec["paths"]["/api/0/organizations/{organization_id_or_slug}/issues/"][
        "get"
    ]
    return found


def issue(number: int, *, first: float, substatus: str | None = "ongoing", **more: Any) -> dict[str, Any]:  # fmt: skip
    """An issue with what the specification says it must have."""
    schema = operation()["responses"]["200"]["content"]["application/json"]["schema"]["items"]
    seen = {
        name: (UNTIL - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
        for name, minutes in (("firstSeen", first), ("lastSeen", 0.5))
    }
    whole = {
        "id": str(number), "shareId": None, "shortId": f"CHECKOUT-{number}", "title": f"TypeError {number}",
        "culprit": "pay(order)", "permalink": f"https://acme.sentry.io/issues/{number}/", "logger": None,
        "level": "error", "status": "unresolved", "statusDetails": {}, "substatus": substatus,
        "isPublic": False, "platform": "python", "priority": "high", "priorityLockedAt": None,
        "project": {"id": "1", "name": "Checkout", "slug": "checkout", "platform": "python"},
        "type": "error", "issueType": "error", "issueCategory": "error", "metadata": {},
        "numComments": 0, "assignedTo": None, "isBookmarked": False, "isSubscribed": False,
        "subscriptionDetails": None, "hasSeen": False, "annotations": [], "isUnhandled": True,
        "count": "240", "userCount": 31, **seen, "stats": {}, "seerFixabilityScore": None,
        "seerAutofixLastTriggered": None, "seerExplorerAutofixLastTriggered": None,
    } | more  # fmt: skip
    known = {name: value for name, value in whole.items() if name in schema["properties"]}
    OAS30Validator({**schema, "required": []}).validate(known)
    return known


@pytest.fixture
def server() -> Iterator[HttpApp]:
    with http_app("sentry") as app:
        app.answers[PATH] = Answer(body=json.dumps([
            issue(1, first=3), issue(2, first=9000), issue(3, first=9000, substatus="escalating"),
            issue(4, first=9000, substatus="regressed", culprit=None), issue(5, first=9000, substatus=None),
        ]))  # fmt: skip
        yield app


async def test_what_is_new_or_rises(registry: Registry, server: HttpApp) -> None:
    """In Sentry's order, the most frequent first; what was there as often before is left out."""
    headers = {"Authorization": "Bearer of-the-tests"}
    found = await asked(registry, "sentry", server.url, about=ABOUT, headers=headers)
    assert [item.text for item in found.items] == [
        "new: TypeError 1 in pay(order), 240 events, 31 users",
        "rising: TypeError 3 in pay(order), 240 events, 31 users",
        "came back: TypeError 4, 240 events, 31 users",
    ]
    assert found.items[0].link == "https://acme.sentry.io/issues/1/"
    assert found.kind == "errors"
    (request,) = server.received
    assert request.headers["authorization"] == "Bearer of-the-tests"
    assert dict(parse_qsl(request.query)) == params(question(about=ABOUT))


def test_the_request_is_one_that_sentry_documents() -> None:
    """Each parameter by its name and its schema."""
    documented = {p["name"]: p["schema"] for p in operation()["parameters"] if p["in"] == "query"}
    for name, value in params(question(about=ABOUT)).items():
        schema = documented[name]
        given: Any = [value] if schema.get("type") == "array" else value
        OAS30Validator(schema).validate(int(given) if schema.get("type") == "integer" else given)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (Answer(status=401, body='{"detail": "Invalid token"}'), AuthFailed, "Invalid token"),
        (Answer(status=404, body='{"detail": "does not exist"}'), Rejected, "does not exist"),
        (Answer(body='{"a": 1}'), Rejected, "shape"),
        (Answer(body='[{"firstSeen": 5, "substatus": "escalating"}]'), Rejected, "shape"),
    ],
)
async def test_what_its_failures_mean(
    registry: Registry, server: HttpApp, given: Answer, error: type[Exception], words: str
) -> None:
    server.answers[PATH] = given
    with pytest.raises(error, match=words):
        await asked(registry, "sentry", server.url, about=ABOUT)
