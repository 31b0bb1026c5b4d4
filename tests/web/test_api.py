"""The read-only API: who may ask, and what a wrong question is answered with."""

from itertools import product

import httpx
import pytest

from tests.e2e.harness import TOKEN, firing
from tests.web.conftest import Open, Web, is_problem

ROUTES = ("/alerts/count", "/incidents", "/incidents/1", "/audit")


async def test_a_token_is_needed_everywhere(web: Web) -> None:
    """No token, a wrong one, an empty one: 401 with the way to prove oneself, on each route."""
    for path, token in product(ROUTES, (None, "", "wrong", TOKEN + "x")):
        answer = await web.api(path, token)
        is_problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    for path in ROUTES:
        assert (await web.api(path)).status_code in (200, 404)


HEADERS = {
    f"Bearer {TOKEN}": 200,
    f"bearer {TOKEN}": 200,  # the scheme's case means nothing (RFC 9110)
    f"Basic {TOKEN}": 401,
    TOKEN: 401,
    f"Bearer Bearer {TOKEN}": 401,
}


async def test_only_a_bearer_token_counts(web: Web) -> None:
    for header, status in HEADERS.items():
        answer = await web.http.get("/api/v1/incidents", headers={"Authorization": header})
        assert answer.status_code == status, header


@pytest.mark.parametrize("secrets", ["[]", '[""]'])
async def test_without_a_token_set_the_api_is_shut(open_web: Open, secrets: str) -> None:
    """An empty secret is no secret: it lets nobody in."""
    async with open_web(WEBHOOKS__API__SECRETS=secrets) as web:
        for token in (None, "", TOKEN):
            body = is_problem(await web.api("/incidents", token), 401)
            assert "JACKLINE_WEBHOOKS__API__SECRETS" in body["detail"]


async def test_both_tokens_live_while_rotating(open_web: Open) -> None:
    async with open_web(WEBHOOKS__API__SECRETS='["new", "old"]') as web:
        assert [(await web.api("/incidents", t)).status_code for t in ("new", "old", "older")] == [
            200, 200, 401,
        ]  # fmt: skip


async def test_a_bad_incident_number(web: Web) -> None:
    """400 that names the parameter, not a crash in the database."""
    for number in ("abc", "0", "-1", "1.5", "99999999999999999999", "%00", " "):
        answer = await web.api(f"/incidents/{number}")
        assert is_problem(answer, 400)["field"] == "path.number"


async def test_a_bad_number_from_a_stranger_is_first_of_all_a_stranger(web: Web) -> None:
    is_problem(await web.api("/incidents/abc", None), 401)


async def test_an_incident_that_does_not_exist(web: Web) -> None:
    assert "no incident 7" in is_problem(await web.api("/incidents/7"), 404)["detail"]


async def test_an_alert_becomes_an_incident_to_read(web: Web) -> None:
    """The list, the incident with its timeline, and the proof that the record is whole."""
    await web.alert(firing())
    await web.jackline.router.route_next()
    (listed,) = (await web.api("/incidents")).json()
    assert (listed["id"], listed["status"], listed["severity"]) == (1, "declared", "sev1")
    whole = (await web.api("/incidents/1")).json()
    assert [row["kind"] for row in whole["timeline"]] == ["incident_declared", "alert_received"]
    assert whole["runs"] == []
    assert (await web.api("/audit")).json() == {"ok": True, "problems": []}
    assert await web.metric("jackline_incidents_open") == 1


async def test_a_private_incident_is_marked(web: Web) -> None:
    """The token is its operator's, who sees all; who shows it to others can leave it out."""
    async with web.jackline.store.write() as session:
        await web.jackline.incidents.declare(
            session, title="Keys leaked", severity="sev1", actor="source:siem", origin="o",
            private=True,
        )  # fmt: skip
    (listed,) = (await web.api("/incidents")).json()
    assert (listed["title"], listed["private"]) == ("Keys leaked", True)


ASTRAY = [
    ("GET", "/nothing/here", 404),
    ("GET", "/api/v1/nothing", 404),
    ("POST", "/slack/events", 404),  # not connected over HTTP
    ("GET", "/webhooks/alertmanager", 405),
    ("DELETE", "/api/v1/incidents", 405),
    ("POST", "/metrics", 405),
]


async def test_an_unknown_path_or_method(web: Web) -> None:
    """A problem document too; a wrong method is told the right one."""
    for method, path, status in ASTRAY:
        answer = await web.http.request(method, path)
        is_problem(answer, status)
        assert ("allow" in answer.headers) == (status == 405)


async def test_the_api_describes_itself(web: Web) -> None:
    """OpenAPI with every route."""
    answer: httpx.Response = await web.http.get("/api/v1/openapi.json")
    paths = answer.json()["paths"]
    assert {"/webhooks/{name}", "/heartbeats/{heartbeat}", "/healthz", "/readyz", "/metrics"} < set(
        paths
    )
    assert {f"/api/v1{r}".replace("/1", "/{number}") for r in ROUTES if r[-1] != "1"} < set(paths)
