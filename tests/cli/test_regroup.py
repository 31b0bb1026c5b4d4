"""`jackline incidents merge` and the others: shown, asked, done; each on each database."""

import io
import sys
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import StoredAlert
from bot.app import Jackline
from bot.store import now
from tests.cli.conftest import Cli

pytestmark = pytest.mark.slow


@pytest.fixture
def two(cli_on: Cli) -> Cli:
    """#1 of the shop with an alert, #2 without any; an alert of no incident."""
    cli_on.declare("Checkout is down", services=["shop"])
    cli_on.declare("Everything is slow", severity="sev3")

    async def put(parts: Jackline, session: AsyncSession) -> None:
        del parts
        for name, incident in (("ShopDown", 1), ("ShopSlow", 1), ("Quiet", None)):
            session.add(StoredAlert(
                source="alertmanager", fingerprint=name, status="firing", name=name,
                starts_at=now(), labels={"alertname": name, "service": "shop"}, state="routed",
                incident_id=incident,
            ))  # fmt: skip

    cli_on.inside(put)
    return cli_on


def status(cli: Cli, number: int) -> dict[str, Any]:
    found: dict[str, Any] = cli("incidents", "show", str(number), "--json").json()
    return found


def test_merged_and_taken_back(two: Cli) -> None:
    """What would happen is printed first; the record says who; the proof holds."""
    out = two("incidents", "merge", "1", "2", "--yes", "--by", "ana").out.splitlines()
    assert out[0] == (
        "Merge #1 Checkout is down (sev2, declared) into #2 Everything is slow (sev3, declared)?"
    )
    assert out[1] == "#2 gets 2 alerts: ShopDown (1), ShopSlow (1)"
    assert out[-1] == "#1 is part of #2 now."
    found = status(two, 1)
    assert (found["status"], found["merged_into"]) == ("merged", 2)
    assert found["timeline"][-1]["actor"] == "person:ana"
    assert status(two, 2)["merged"] == [1]
    shown = two("incidents", "show", "1").out
    assert shown.startswith("#1 sev2 merged into #2: Checkout is down")
    assert "merged into #2" in two("incidents", "list", "--all").out
    assert two("audit", "verify").out == "The record is whole.\n"
    out = two("incidents", "unmerge", "1", "--yes").out.splitlines()
    assert out[-1] == "#1 is declared again, with 2 alerts."
    assert status(two, 1)["timeline"][-1]["actor"] == "source:cli"
    assert two("audit", "verify").out == "The record is whole.\n"


def test_split_and_joined(two: Cli) -> None:
    out = two("incidents", "split", "1", "alertname=ShopSlow", "--yes").out.splitlines()
    assert out[-1] == "Incident 3 was split off #1. Its channel is being opened."
    assert status(two, 3)["services"] == ["shop"]
    out = two("incidents", "join", "3", "alertname=Quiet", "--yes").out.splitlines()
    assert out[-1] == "Joined to #3: 1 alert: Quiet (1)"
    assert two("audit", "verify").out == "The record is whole.\n"


def test_asked_first(two: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not say yes has changed nothing."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    done = two("incidents", "merge", "1", "2")
    assert done.code == 2
    assert done.err == "jackline: Nothing was changed.\n"
    assert status(two, 1)["status"] == "declared"
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert "#1 is part of #2 now." in two("incidents", "merge", "1", "2").out


def test_what_is_refused(two: Cli) -> None:
    """One sentence, and the exit code of wrong use or of the wrong moment."""
    said = two("incidents", "merge", "1", "1", "--yes").refused(2)
    assert said == "#1 cannot be merged into itself."
    assert two("incidents", "unmerge", "1", "--yes").refused(1).startswith("#1 is not merged")
    said = two("incidents", "split", "1", "ShopSlow", "--yes").refused(2)
    assert said.endswith("Usage: jackline incidents split N LABEL=VALUE …")
    said = two("incidents", "join", "1", "alertname=Nope", "--yes").refused(1)
    assert said.startswith("No alert that fires outside #1 matches.")
    said = two("incidents", "merge", "1", "2", "--yes", "--by", "anna").refused(1)
    assert said == "There is no person 'anna' in the catalog; did you mean 'ana'?"
    said = two("incidents", "merge", "1", "2", "--yes", "--by", "eli").refused(2)
    assert said == "Merging, splitting and joining need the role 'responder'."
