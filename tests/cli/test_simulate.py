"""``jackline alerts simulate``: what edited rules would have done, in words and as JSON."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import StoredAlert
from bot.app import Jackline
from bot.settings import load
from bot.store import now
from tests.alerts.room import an_alert
from tests.cli.conftest import Cli

EDITED = "rules:\n- {match: {alertname: Noise}, declare: 'no'}\n- {match: {}, severity: sev1}\n"
ALERTS = [
    an_alert("Noise", service="", app="x"), an_alert(), an_alert("ShopSlow"),
    an_alert(status="resolved"), an_alert("Other", service=""),
]  # fmt: skip


@pytest.fixture
def stored(cli_on: Cli) -> Cli:
    """Some alerts were accepted and routed, as the serving Jackline does it."""

    async def does() -> None:
        parts = Jackline(load(cli_on.env))
        await parts.store.migrate()
        writer = asyncio.create_task(parts.intake.run())
        for alert in ALERTS:
            await parts.intake.accept([alert])
        while await parts.router.route_next():
            pass
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
        await parts.close()

    asyncio.run(does())
    return cli_on


def edited(cli: Cli, text: str = EDITED) -> str:
    file = cli.folder / "edited.yaml"
    file.write_text(text)
    return str(file)


def test_edited_rules(stored: Cli) -> None:
    """How many and how grave, what is not the same, and why; the approximations are said."""
    done = stored("alerts", "simulate", "--rules", edited(stored))
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[:3] == [
        ("5 alerts of the last 7 days. In that time alerts opened 3 incidents; the replay of the "
         "present rules opens 3 incidents (3 sev2)."),
        "Was 3 incidents (3 sev2), would be 2 incidents (2 sev1).",
        ("Alerts that would be in another incident: 0; in one, and were in none: 0; in none, and "
         "were in one: 1."),
    ]  # fmt: skip
    row = next(line for line in lines if "not opened" in line)
    assert "alert 1 Noise" in row
    assert "sev2 alert:alertmanager:Noise, 1 alert" in row
    assert "rule 1 ({'alertname': 'Noise'}) says declare: no" in row
    assert "· Severities and services that people changed, and runs, are left out." in lines


def test_as_json(stored: Cli) -> None:
    found = stored("alerts", "simulate", "--rules", edited(stored), "--json").json()
    assert (found["days"], found["alerts"], found["recorded_incidents"]) == (7, 5, 3)
    assert found["present"]["by_severity"] == {"sev1": 0, "sev2": 3, "sev3": 0, "sev4": 0}
    assert found["edited"] == {
        "incidents": 2, "by_severity": {"sev1": 2, "sev2": 0, "sev3": 0, "sev4": 0},
        "alerts": {"fired": 4, "in_incidents": 3},
    }  # fmt: skip
    assert [(d["what"], d["alert"]["name"]) for d in found["differences"]] == [
        ("not opened", "Noise"), ("severity", "ShopDown"), ("severity", "Other"),
    ]  # fmt: skip
    changed = found["differences"][1]
    assert changed["present"]["severity"] == "sev2"
    assert changed["edited"] == {
        "severity": "sev1", "services": ["shop"], "group": "service:shop", "alerts": 2,
        "resolve_after": None,
    }  # fmt: skip
    assert changed["why"] == "rule 2 (any alert); was: no rule matched: declared by default"
    assert found["approximations"]


def test_without_edited_rules(stored: Cli) -> None:
    """The present ones alone, beside what is recorded; and only as far back as is asked."""
    done = stored("alerts", "simulate")
    assert done.out.splitlines()[-1] == "With --rules it shows what edited rules would have done."

    async def age(parts: Jackline, session: AsyncSession) -> None:
        del parts
        ago = now() - timedelta(hours=25)
        await session.execute(update(StoredAlert).values(received_at=ago))

    stored.inside(age)
    found = stored("alerts", "simulate", "--days", "1", "--json").json()
    assert (found["alerts"], found["present"]["incidents"]) == (0, 0)
    assert stored("alerts", "simulate", "--days", "2", "--json").json()["alerts"] == 5


def test_rules_by_folder(stored: Cli) -> None:
    """A folder of runbooks, or its catalog: all of it takes the place of the present one."""
    catalog = stored.folder / "other" / "catalog"
    catalog.mkdir(parents=True)
    (catalog / "a.yaml").write_text(EDITED)
    for folder in (catalog, catalog.parent):
        found = stored("alerts", "simulate", "--rules", str(folder), "--json").json()
        assert found["edited"]["incidents"] == 3  # it has no services: no alert joins another's
        assert "services, group" in found["differences"][1]["what"]


def test_a_file_takes_the_place_of_its_sections(stored: Cli) -> None:
    """The present rules are gone, the present services are not."""
    present = json.loads(stored.catalog.read_text()) | {"rules": [{"match": {}, "declare": "no"}]}
    stored.catalog.write_text(json.dumps(present))
    found = stored("alerts", "simulate", "--rules", edited(stored, "rules: []\n"), "--json").json()
    assert (found["present"]["incidents"], found["edited"]["incidents"]) == (0, 3)
    text = "rules:\n- {match: {}, service: shop, severity: sev3}\n"
    found = stored("alerts", "simulate", "--rules", edited(stored, text), "--json").json()
    assert (found["present"]["incidents"], found["edited"]["incidents"]) == (0, 1)


WRONG: list[tuple[str, str]] = [
    ("rules: {}", "1: rules: must be a list"),
    ("rules:\n- {match: {}, resolv: auto}", "2: resolv: unknown field; did you mean 'resolve'?"),
    ("rules:\n- {match: {}, quiet: 5m}", "2: quiet: only a rule with `resolve: auto` has it"),
    ("rules:\n- {match: {}, service: shopp}", "2: service: there is no 'shopp'; did you mean 'shop'?"),
    ("rules: [", "1: "),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_cannot_be_read(cli: Cli, text: str, said: str) -> None:
    """As `jackline check` says it."""
    file = edited(cli, text)
    assert f"{file}:{said}" in cli("alerts", "simulate", "--rules", file).refused(2)


def test_what_is_not_there(cli: Cli, tmp_path: Path) -> None:
    refused: Any = cli("alerts", "simulate", "--rules", "nowhere").refused(2)
    assert refused.startswith("nowhere is neither a folder nor a file. Usage: jackline alerts")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "has no catalog" in cli("alerts", "simulate", "--rules", str(empty)).refused(2)
    assert "There is no database" in cli("alerts", "simulate").refused(1)
    assert cli("alerts", "simulate", "--days", "0").code == 2
