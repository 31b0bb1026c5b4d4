"""Deployments by GitHub's API, in the form that GitHub documents."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.errors import AuthFailed, Rejected, Retryable
from bot.registry import Registry
from tests.integrations.asking import UNTIL, asked
from tests.servers.http_app import Answer, HttpApp, http_app

pytestmark = pytest.mark.server
ABOUT = {"repository": "acme/checkout", "environment": "production"}
PATH = "/repos/acme/checkout/deployments"


def when(minutes: float) -> str:
    return (UNTIL - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def deployment(number: int, minutes: float, *, ref: str = "main") -> dict[str, Any]:
    url = f"https://api.github.com{PATH}/{number}"
    return {
        "url": url, "id": number, "node_id": "x", "sha": str(number) * 40, "ref": ref, "task": "deploy",
        "payload": {}, "original_environment": "production", "environment": "production",
        "description": None, "creator": {"login": "ana", "id": 1}, "created_at": when(minutes),
        "updated_at": when(minutes), "statuses_url": f"{url}/statuses", "transient_environment": False,
        "production_environment": True,
    }  # fmt: skip


def status(state: str, minutes: float) -> Answer:
    return Answer(body=json.dumps([{
        "id": 1, "state": state, "environment": "production", "created_at": when(minutes),
        "target_url": "", "log_url": "https://ci.example/1", "description": "",
    }]))  # fmt: skip


@pytest.fixture
def server() -> Iterator[HttpApp]:
    with http_app("github") as app:
        listed = [deployment(3, 5), deployment(2, 60, ref="2" * 40), deployment(1, 500)]
        app.answers[PATH] = Answer(body=json.dumps(listed))
        app.answers[f"{PATH}/3/statuses"] = status("failure", 4)
        app.answers[f"{PATH}/2/statuses"] = Answer(body="[]")
        yield app


async def test_the_deployments_of_two_hours(registry: Registry, server: HttpApp) -> None:
    """Each with its latest status; those before are not asked for."""
    found = await asked(registry, "github", server.url, about=ABOUT)
    assert [item.text for item in found.items] == [
        "acme/checkout: deployment of main to production: failure (3333333), by ana",
        "acme/checkout: deployment to production: no status yet (2222222), by ana",
    ]
    first = found.items[0]
    assert (first.link, first.at) == ("https://ci.example/1", UNTIL - timedelta(minutes=4))
    assert first.key == f"deploy:acme/checkout:production:{'3' * 40}"
    assert (found.kind, found.more) == ("changes", False)
    assert server.received[0].path == PATH
    assert sorted(r.path for r in server.received)[1:] == [f"{PATH}/2/statuses", f"{PATH}/3/statuses"]  # fmt: skip
    assert {r.headers["x-github-api-version"] for r in server.received} == {"2022-11-28"}
    assert "environment=production" in server.received[0].query


async def test_an_enterprise_server_has_its_api_below_a_path(registry: Registry, server: HttpApp) -> None:  # fmt: skip
    server.answers[f"/api/v3{PATH}"] = Answer(body="[]")
    found = await asked(registry, "github", f"{server.url}/api/v3", about=ABOUT)
    assert found.items == []


async def test_many_deployments_cost_few_requests(registry: Registry, server: HttpApp) -> None:
    """The latest five are looked at, and that there are more is said."""
    listed = [deployment(n, n) for n in range(1, 9)]
    server.answers = {PATH: Answer(body=json.dumps(listed))}
    server.default = status("success", 1)
    found = await asked(registry, "github", server.url, about=ABOUT)
    assert (len(found.items), found.more, len(server.received)) == (5, True, 6)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (Answer(status=401, body='{"message": "Bad credentials"}'), AuthFailed, "Bad credentials"),
        (Answer(status=404, body='{"message": "Not Found"}'), Rejected, "Not Found"),
        (Answer(status=429, body="rate limit"), Retryable, "rate limit"),
        (Answer(body='{"a": 1}'), Rejected, "shape"),
        (Answer(body='[{"created_at": "x"}]'), None, ""),
    ],
)
async def test_what_its_failures_mean(
    registry: Registry, server: HttpApp, given: Answer, error: type[Exception] | None, words: str
) -> None:
    """A time that is none is no reason to fail: that one is left out."""
    server.answers[PATH] = given
    if error is None:
        assert (await asked(registry, "github", server.url, about=ABOUT)).items == []
        return
    with pytest.raises(error, match=words):
        await asked(registry, "github", server.url, about=ABOUT)
