"""``jackline access status``, ``drill`` and ``drills`` on real paths."""

import json
import re

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
        "drills": [
            {"name": "monthly", "down": ["network:corp", "slack"], "schedule": "0 10 1-7 * tue",
             "timezone": "Europe/Berlin", "owner": "network; corp", "least": 0.5},
        ],
    }  # fmt: skip
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
    both = house("access", "drill", "monthly", "--down", "slack").refused(2)
    assert both == "The drill monthly says what is down. Leave out one of the two."
    said = house("access", "drill", "montly").refused(1)
    assert said == "There is no drill 'montly'; did you mean 'monthly'? Known: monthly."


def test_the_drills_of_the_catalog(house: Cli) -> None:
    """When each is due, in its time zone; after it was held, how that went and what changed."""
    assert house("access", "drills").refused(1).startswith("There is no database")
    assert house("access", "drill", "monthly").code == 1
    (first,) = house("access", "drills", "--json").json()
    assert (first["name"], first["score"], first["change"]) == ("monthly", 0, None)
    assert re.fullmatch(r"20..-..-0[1-7]T0[89]:00:00\+00:00", first["next_at"])
    assert house("access", "drill", "monthly").code == 1
    done = house("access", "drills")
    assert done.code == 0
    row = next(line for line in done.out.splitlines() if line.startswith("│ monthly"))
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[1] == "network:corp, slack"
    assert re.fullmatch(r"20..-..-0[1-7] 10:00 CES?T", cells[2])
    assert re.fullmatch(r"20..-..-.. ..:.. CES?T", cells[3])
    assert cells[4:] == ["0%", "+0 points"]
    assert "monthly: 0% of the runbooks run, and 50% should; ask-shop: oob to" in done.out
    assert house("audit", "verify").code == 0


def test_drills_as_a_calendar(house: Cli) -> None:
    """Twelve events of one drill, by RFC 5545; nobody needs a database for it."""
    done = house("access", "drills", "--ics")
    assert (done.code, done.err) == (0, "")
    lines = done.out.removesuffix("\r\n").split("\r\n")
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == 12
    assert all(len(line.encode()) <= 75 for line in lines)
    starts = [line for line in lines if line.startswith("DTSTART:")]
    assert starts == sorted(set(starts))
    assert all(re.fullmatch(r"DTSTART:20\d\d\d\d0[1-7]T0[89]0000Z", line) for line in starts)
    assert len({line for line in lines if line.startswith("UID:monthly-")}) == 12
    whole = done.out.replace("\r\n ", "")
    assert (
        "DESCRIPTION:Taken to be down: network:corp\\, slack\\nOwner: network\\; corp\r\n" in whole
    )
