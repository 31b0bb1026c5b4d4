"""Confluence at a stand-in; requests and answers are held to a schema written from its documentation."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import jsonschema
import pytest

from bot.contract import Connection, Paper, PaperPlace
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown
from integrations.confluence.place import Confluence
from tests.integrations.direct import direct
from tests.servers.http_app import Answer, HttpApp
from tests.servers.process import HOST, free_port

PAGES = "/wiki/api/v2/pages"
TOKEN = "api-secret"
PAPER = Paper(
    id="inc-12", title="Dark", markdown="# Dark\n", body="<h1>Dark &amp; still</h1>", docx=b""
)
NUMBER = {"type": "string", "pattern": "^[0-9]+$"}
# developer.atlassian.com, REST API v2: "Create page" and "Update page", as far as we use them
BODY = {
    "type": "object", "required": ["representation", "value"], "additionalProperties": False,
    "properties": {"representation": {"enum": ["storage", "atlas_doc_format", "wiki"]}, "value": {"type": "string"}},
}  # fmt: skip
CREATE: dict[str, Any] = {
    "type": "object", "required": ["spaceId"], "additionalProperties": False,
    "properties": {
        "spaceId": NUMBER, "status": {"enum": ["current", "draft"]}, "title": {"type": "string"},
        "parentId": NUMBER, "body": BODY,
    },
}  # fmt: skip
UPDATE: dict[str, Any] = {
    "type": "object", "required": ["id", "status", "title", "body", "version"], "additionalProperties": False,
    "properties": {
        "id": NUMBER, "status": {"enum": ["current", "draft"]}, "title": {"type": "string"}, "body": BODY,
        "spaceId": NUMBER, "parentId": NUMBER,
        "version": {"type": "object", "additionalProperties": False, "properties": {
            "number": {"type": "integer"}, "message": {"type": "string"}}},
    },
}  # fmt: skip
PAGE: dict[str, Any] = {
    "type": "object", "required": ["id", "status", "title"],
    "properties": {"id": NUMBER, "status": {"type": "string"}, "title": {"type": "string"},
                   "version": {"type": "object"}, "_links": {"type": "object"}},
}  # fmt: skip


def page(number: int = 1, message: str = "") -> dict[str, Any]:
    found = {
        "id": "777", "status": "current", "title": "Postmortem INC-12",
        "version": {"number": number, "message": message}, "_links": {"webui": "/spaces/X/pages/777"},
    }  # fmt: skip
    jsonschema.validate(found, PAGE)
    return found


@pytest.fixture
async def there(vendor: HttpApp) -> AsyncIterator[Connection]:
    async with at(vendor.url) as connection:
        yield connection


def at(url: str, **more: str) -> Any:
    settings = {"user": "j@acme.example", "token": TOKEN, "space_id": "98319"} | more
    return direct("confluence/wiki", url, timeout=2, settings=settings)


def listed(*pages: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps({"results": list(pages), "_links": {}}))


def test_it_is_a_place_for_papers() -> None:
    assert isinstance(Confluence(), PaperPlace)


async def test_a_page_is_made_found_and_brought_up_to_date(vendor: HttpApp, there: Connection) -> None:  # fmt: skip
    """Created once; the same again writes nothing; a change is a new version with its number."""
    vendor.answers[PAGES] = [listed(), Answer(200, json.dumps(page()))]  # fmt: skip
    done = await Confluence().put_paper(PAPER, there)
    assert (done.reference, done.state) == ("777", "current")
    assert done.url.endswith("/wiki/spaces/X/pages/777")
    asked, made = vendor.received
    assert asked.method == "GET"
    assert "title=Postmortem INC-12" in asked.query
    assert made.headers["authorization"].startswith("Basic ")
    jsonschema.validate(made.json(), CREATE)
    assert made.json()["body"]["value"] == PAPER.body
    vendor.received.clear()
    message = "Jackline " + hashlib.sha256(PAPER.body.encode()).hexdigest()[:16]
    vendor.answers[PAGES] = listed(page(3, message))
    assert (await Confluence().put_paper(PAPER, there)).reference == "777"
    assert [each.method for each in vendor.received] == ["GET"]
    vendor.answers[f"{PAGES}/777"] = Answer(200, json.dumps(page(4)))
    await Confluence().put_paper(PAPER.model_copy(update={"body": "<p>new</p>"}), there)
    sent = vendor.received[-1]
    assert sent.method == "PUT"
    jsonschema.validate(sent.json(), UPDATE)
    assert sent.json()["version"]["number"] == 4


@pytest.mark.parametrize(
    ("status", "writing", "kind"),
    [
        (401, False, AuthFailed), (403, True, AuthFailed), (400, True, Rejected), (409, True, Retryable),
        (429, True, Retryable), (503, False, Retryable), (503, True, Unknown), (200, False, Retryable),
        (200, True, Unknown),
    ],
)  # fmt: skip
async def test_refusals(
    vendor: HttpApp, there: Connection, status: int, writing: bool, kind: type
) -> None:
    """Their words are told, the token is not; what may have been done is unknown."""
    wrong = Answer(status, json.dumps({"errors": [{"title": "No such luck"}]}) if status != 200 else "<html>")  # fmt: skip
    vendor.answers[PAGES] = [listed(), wrong] if writing else wrong
    with pytest.raises(kind) as refused:
        await Confluence().put_paper(PAPER, there)
    assert TOKEN not in str(refused.value)
    assert status == 200 or "No such luck" in str(refused.value)


async def test_it_is_not_there_or_not_set_up(vendor: HttpApp) -> None:
    async with at(f"http://{HOST}:{free_port()}") as there:
        with pytest.raises(NotSent):
            await Confluence().put_paper(PAPER, there)
    async with at(vendor.url, space_id="ENG") as there:
        with pytest.raises(Rejected, match="space_id"):
            await Confluence().put_paper(PAPER, there)
