"""Senders that the catalog names: several of a kind, each with a door and a key of its own."""

import json
from pathlib import Path

import pytest

from bot.located import BadFile
from bot.registry import load
from bot.runbooks import Library
from bot.web.listening import Server
from tests.e2e.harness import ALERTS, firing
from tests.plainly import without_columns
from tests.web.conftest import Open, is_problem

TWO = """sources:
  - {name: eu, integration: alertmanager}
  - {name: us, integration: alertmanager}
"""


def write(folder: Path, text: str) -> Path:
    (folder / "catalog").mkdir(parents=True)
    (folder / "catalog" / "sources.yaml").write_text(text)
    return folder


async def test_two_of_a_kind(open_alone: Open, tmp_path: Path) -> None:
    """The same alert of each is two alerts, and neither's secret opens the other's door."""
    write(tmp_path / "runbooks", TWO)
    secrets = {name: json.dumps([f"{name}-secret"]) for name in ("eu", "us")}
    async with open_alone(
        WEBHOOKS__EU__SECRETS=secrets["eu"], WEBHOOKS__US__SECRETS=secrets["us"]
    ) as web:
        for name in ("eu", "us"):
            for secret, status in ((f"{name}-secret", 200), (ALERTS, 401)):
                headers = {"Authorization": f"Bearer {secret}"}
                answer = await web.http.post(f"/webhooks/{name}", json=firing(), headers=headers)
                assert answer.status_code == status
        count = (await web.api("/alerts/count")).json()
        assert count["by_source"] == {"eu": 1, "us": 1}
        unknown = is_problem(await web.http.post("/webhooks/E%20U", json=firing()), 404)
        assert "eu" in unknown["detail"]
        assert "us" in unknown["detail"]


async def test_a_secret_in_the_url(open_alone: Open) -> None:
    """It opens the door as one in a header does, and the server writes no URL down."""
    body = b'{"search_name": "sudo", "sid": "7.1", "result": {}}'
    async with open_alone(WEBHOOKS__SPLUNK__SECRETS='["s3cret-of-splunk"]') as web:
        for token, status in (("s3cret-of-splunk", 200), ("wrong", 401), ("", 401)):
            answer = await web.http.post(f"/webhooks/splunk?token={token}", content=body)
            assert answer.status_code == status
            assert "s3cret" not in answer.text
        assert (await web.api("/alerts/count")).json()["by_source"] == {"splunk": 1}
        assert not Server(web.jackline.web, 3).config.access_log


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{name: a, integration: alertmanger}", "2: integration: no integration"),
        ("{name: a, integration: alertmanager, settings: {x: y}}",
         "2: settings.x: alertmanager has no setting 'x'"),
        ("{name: api, integration: alertmanager}", "2: name: the secrets of"),
        ("{name: check, integration: alertmanager}", "2: name: the alerts of 'check' are"),
        ("{name: access, integration: alertmanager}", "2: name: the alerts of 'access' are"),
        ("{name: A B, integration: alertmanager}", "2: name: must match"),
        ("{name: a, integration: alertmanager}\n  - {name: a, integration: alertmanager}",
         "3: name: source 'a' is defined twice"),
    ],
)  # fmt: skip
def test_a_wrong_entry(tmp_path: Path, entry: str, said: str) -> None:
    """With its line, the field, and the nearest name."""
    with pytest.raises(BadFile) as refused:
        Library(write(tmp_path, f"sources:\n  - {entry}\n"), load())
    assert said in without_columns(str(refused.value))


async def test_a_sender_that_the_catalog_explains(open_alone: Open, tmp_path: Path) -> None:
    """Its entry's settings say how it proves itself and what its JSON means."""
    settings = "{auth: 'header:X-Token', fingerprint: id, firing: bad, name: id}"
    write(
        tmp_path / "runbooks",
        f"sources:\n  - {{name: acme, integration: json, settings: {settings}}}\n",
    )
    async with open_alone(WEBHOOKS__ACME__SECRETS='["acme-secret"]') as web:
        body = {"id": "disk", "bad": True}
        for header, status in (("X-Token", 200), ("Authorization", 401)):
            answer = await web.http.post(
                "/webhooks/acme", json=body, headers={header: "acme-secret"}
            )
            assert answer.status_code == status
        count = (await web.api("/alerts/count")).json()
        assert count["by_source"] == {"acme": 1}
        wrong = await web.http.post(
            "/webhooks/acme", json={"id": "disk", "bad": "yes"}, headers={"X-Token": "acme-secret"}
        )
        assert "alerts[0].firing" in is_problem(wrong, 400)["detail"]
