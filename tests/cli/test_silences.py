"""Silences from the command line, and what explain says about them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import StoredAlert
from bot.app import Jackline
from bot.store import now
from bot.timeline import rows_of
from tests.cli.conftest import Cli
from tests.cli.test_alerts import adds, explained
from tests.e2e.harness import firing

SET = ("alerts", "silence", "alertname=Shop*", "service=shop", "--for", "2h", "--reason", "a move")


def fires(cli: Cli, name: str = "ShopDown", **more: Any) -> None:
    """An alert that fires, as the serving Jackline would have left it."""

    async def put(parts: Jackline, session: AsyncSession) -> None:
        del parts
        session.add(StoredAlert(
            source="alertmanager", fingerprint=name, status="firing", name=name, starts_at=now(),
            labels={"alertname": name, "service": "shop", "severity": "critical"}, **more,
        ))  # fmt: skip

    cli.inside(put)


def chain(cli: Cli) -> list[tuple[str, str]]:
    async def read(parts: Jackline, session: AsyncSession) -> list[tuple[str, str]]:
        assert await parts.ledger.verify(session) == []
        return [(row.kind, row.actor) for row in await rows_of(session, 0)]

    found: list[tuple[str, str]] = cli.inside(read)
    return found


@pytest.mark.slow
def test_set_listed_and_ended(cli_on: Cli) -> None:
    """What it covers by name; until when, by whom, why, and how many it holds back."""
    cli = cli_on
    fires(cli)
    assert cli("alerts", "silences").out == "Nothing is silenced.\n"
    said = cli(*SET, "--by", "ana").out
    assert said.startswith("Silence 1 is set until ")
    assert said.endswith(
        "UTC: alertname=Shop*, service=shop. Alerts that fire now and match (1): critical ShopDown. "
        "What they opened stays open.\n"
    )
    fires(cli, "ShopSlow", state="silenced", held_by="silence:1")
    out = cli("alerts", "silences").out
    for word in ("silence 1", "alertname=Shop*, service=shop", "Ana", "a move", "holds back"):
        assert word in out
    (found,) = cli("alerts", "silences", "--json").json()
    assert (found["number"], found["by"], found["holds_back"]) == (1, "Ana", 1)
    done = cli("alerts", "unsilence", "1")
    assert done.out == "Silence 1 is ended. What it held back and still fires is routed now.\n"
    assert cli("alerts", "silences", "--json").json() == []
    assert chain(cli) == [("silence_set", "person:ana"), ("silence_ended", "source:cli")]
    assert cli("alerts", "unsilence", "1").refused(1) == "Silence 1 is over already."


def test_set_as_json(cli: Cli) -> None:
    """By nobody that the catalog knows: the command line."""
    fires(cli, "Other")
    found = cli(*SET, "--json").json()
    assert found["match"] == {"alertname": "Shop*", "service": "shop"}
    assert (found["by"], found["covers"]) == (
        "the command line", "No alert that fires now matches.",
    )  # fmt: skip


def test_what_cannot_be_set(cli: Cli) -> None:
    """Each with the usage, and nothing is stored; nor is a database made by the way."""
    usage = "Usage: jackline alerts silence LABEL=VALUE … --for 2h --reason WHY"
    more = "--for", "2h", "--reason", "why"
    said = cli("alerts", "silence", "Shop", *more).refused(2)
    assert said == f"'Shop' is not LABEL=VALUE; a value is exact, or has * for anything. {usage}"
    said = cli("alerts", "silence", "a=*", *more).refused(2)
    assert said.startswith("Say which alerts: * alone would cover everything")
    said = cli("alerts", "silence", "a=b", "--for", "8d", "--reason", "why").refused(2)
    assert said == f"'8d' must be more than nothing and at most 7 days. {usage}"
    assert cli(*SET).refused(1).startswith("There is no database at ")
    fires(cli)
    said = cli(*SET, "--by", "anna").refused(1)
    assert said == "There is no person 'anna' in the catalog; did you mean 'ana'?"
    assert cli(*SET, "--by", "eli").refused(2) == "Silences need the role 'responder'."
    assert chain(cli) == []


@pytest.mark.slow
def test_explain_says_what_holds_it_back(cli: Cli) -> None:
    """A silence from the database, a window from the catalog, the first of them in words."""
    fires(cli)
    cli(*SET, "--by", "ana")
    lines = explained(cli, firing()).out.splitlines()
    assert lines[-2].startswith("  held back by silence 1 (alertname=Shop*, service=shop) until ")
    assert lines[-2].endswith("UTC, Ana: a move")
    assert lines[-1] == (
        "→ is held back by silence 1; if it fires when that is over: "
        "joins the open incident of service:shop, else opens a sev1 one"
    )
    assert "held back" not in explained(cli, firing(status="resolved")).out
    assert "held back" not in explained(cli, firing("BlogDown")).out
    at = now()
    adds(cli, maintenance=[{
        "name": "Network swap", "match": {"alertname": "BlogDown"},
        "since": (at - timedelta(hours=1)).isoformat(),
        "until": (at + timedelta(hours=1)).isoformat(),
    }])  # fmt: skip
    (found,) = explained(cli, firing("BlogDown"), "--json").json()
    assert found["outcome"].startswith("is held back by maintenance Network swap; ")
    windows = json.loads(cli("alerts", "silences", "--json").out)
    assert [w["name"] for w in windows] == ["silence 1", "maintenance Network swap"]


def test_explain_while_the_database_is_away(cli: Cli) -> None:
    """Windows are known all the same, and that silences are not is said."""
    cli.env["JACKLINE_DATABASE_URL"] = "postgresql+asyncpg://nobody@127.0.0.1:9/none"
    done = explained(cli, firing())
    assert done.code == 0
    assert (
        "  silences, questions and flapping are not known: The database cannot be used: "
        in done.out
    )
