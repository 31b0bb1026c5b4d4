"""``jackline access status`` and ``drill`` on real paths."""

import json

import pytest

from tests.cli.conftest import Cli
from tests.runbooks.room import PEOPLE, runbook
from tests.servers.fixtures import Start
from tests.servers.http_app import HttpApp
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server


@pytest.fixture
def house(cli: Cli, http_server: Start[HttpApp]) -> Cli:
    """One target with two ways to it, the second of which leads nowhere; two runbooks."""
    shop = http_server("shop")
    probe = {"action": "http.check", "with": {"target": "shop", "path": "/"}}
    catalog = {
        "people": PEOPLE,
        "nodes": [{"id": "network:corp"}],
        "paths": [
            {"name": "direct", "depends_on": ["network:corp"]},
            {"name": "oob", "kind": "pinned", "connect_to": {HOST: "127.0.0.9"}, "depends_on": []},
        ],
        "targets": [
            {"name": "http/shop", "url": shop.url, "via": ["direct", "oob"], "probe": probe},
            {"name": "http/till", "url": f"http://{HOST}:{free_port()}"},
        ],
    }
    cli.catalog.write_text(json.dumps(catalog))
    (cli.folder / "runbooks" / "look.md").unlink()
    for name in ("shop", "till"):
        step = f"action: http.check\nwith: {{target: {name}, path: /}}"
        (cli.folder / "runbooks" / f"{name}.md").write_text(runbook(step, name=f"ask-{name}"))
    return cli


def test_status_shows_each_path_to_each_target(house: Cli) -> None:
    """Before the first probe nothing is proven; afterwards each way by itself, with its reason."""
    done = house("access", "status", "--probe")
    assert done.code == 1
    assert "oob to http/shop failed: " in done.out
    found = house("access", "status", "--json")
    assert found.code == 1
    rows = {(r["target"], r["path"]): r for r in json.loads(found.out)["paths"]}
    assert rows["http/shop", "direct"]["standing"] == "proven"
    assert rows["http/shop", "direct"]["depth"] == "action"
    assert rows["http/shop", "oob"]["standing"] == "failing"
    assert rows["http/till", "direct"]["standing"] == "failing"


def test_a_drill_tries_what_is_left(house: Cli) -> None:
    """On paper `ask-shop` still runs over the second way; the drill shows that it does not."""
    done = house("access", "drill", "--down", "network:corp", "--json")
    assert done.code == 1
    found = json.loads(done.out)
    rows = {r["id"]: r for r in found["runbooks"]}
    assert (rows["ask-shop"]["should_run"], rows["ask-shop"]["proven"]) == (True, False)
    assert rows["ask-shop"]["failed"][0].startswith("oob to http/shop: ")
    assert rows["ask-till"]["should_run"] is False
    assert found["score"] == 0
    assert house("audit", "verify").code == 0


def test_a_drill_needs_to_know_what_is_down(house: Cli) -> None:
    assert house("access", "drill").refused(2).startswith("Say what is down.")
    assert "did you mean" in house("access", "drill", "--down", "network:crop").refused(2)
