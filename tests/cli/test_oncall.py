"""`jackline oncall`, and gaps as warnings of `jackline check`."""

import json

from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Jackline
from tests.cli.conftest import Cli

SCHEDULES = {
    "schedules": [
        {"id": "shop", "timezone": "Europe/Berlin",
         "layers": [{"people": ["ana", "ben"], "since": "2026-01-05", "every": "1w", "at": "9:00"}]},
    ]
}  # fmt: skip
OFFICE = {"id": "office", "layers": [{"people": ["ana"], "since": "2026-01-05", "hours": "9:00-17:00"}]}  # fmt: skip


def enter(cli: Cli, *more: object) -> None:
    found = {"schedules": [*SCHEDULES["schedules"], *more]}
    (cli.catalog.parent / "oncall.yaml").write_text(json.dumps(found))


def test_who_is_on_call_at_a_time(cli_on: Cli) -> None:
    """With the next hand-overs; by hand the same as for programs."""
    enter(cli_on)
    cli_on.declare()
    asked = ("oncall", "shop", "--at", "2026-01-13T12:00+01:00")
    (found,) = cli_on(*asked, "--json").json()
    assert (found["on_call"], found["until"]) == ("ben", "2026-01-19T08:00:00+00:00")
    assert found["next"][0] == {"person": "ana", "since": "2026-01-19T08:00:00+00:00"}
    shown = cli_on(*asked)
    assert shown.code == 0
    assert "Ben until Mon 2026-01-19 09:00 CET" in shown.out


def test_nobody_is_exit_code_one(cli: Cli) -> None:
    enter(cli, OFFICE)
    cli.declare()
    done = cli("oncall", "--at", "2026-01-06T03:00")
    assert done.code == 1
    assert "nobody until Tue 2026-01-06 09:00 UTC" in done.out
    assert "warning: office: nobody is on call" in done.out
    assert "no schedule 'ofice'; did you mean 'office'?" in cli("oncall", "ofice").refused(1)
    assert "is no time" in cli("oncall", "--at", "noon").refused(2)


def test_a_gap_is_a_warning_of_check(cli: Cli) -> None:
    """With its line and times; it is no error."""
    enter(cli, OFFICE)
    folder = str(cli.folder / "runbooks")
    done = cli("check", folder)
    assert done.code == 0
    assert "oncall.yaml:1:" in done.out
    assert ": warning: layers: nobody is on call from" in done.out
    found = cli("check", folder, "--json").json()
    assert found["problems"] == []
    assert len(found["warnings"]) == 1
    (result,) = json.loads(cli("check", folder, "--sarif").out)["runs"][0]["results"]
    assert result["level"] == "warning"


def test_somebody_acknowledges_at_the_terminal(cli_on: Cli) -> None:
    """All pages of the incident; on record with who it was."""
    number = cli_on.declare()

    async def page(parts: Jackline, session: AsyncSession) -> None:
        incident = await parts.incidents.get(session, number)
        ana = parts.library.catalog.person("ana")
        assert ana is not None
        await parts.paging.call(session, incident, "ben", "", ana, "k")

    cli_on.inside(page)
    assert "no person 'bem' in the catalog" in cli_on("ack", "1", "--by", "bem").refused(1)
    assert (
        cli_on("ack", "1", "--by", "ben").out == "Acknowledged for #1: Ben. Nobody else is paged.\n"
    )
    assert "No page of #1 waits" in cli_on("ack", "1").refused(1)
    rows = cli_on("incidents", "show", "1", "--json").json()["timeline"]
    assert (rows[-1]["kind"], rows[-1]["actor"]) == ("page_acknowledged", "person:ben")


def test_without_a_database_the_catalog_answers(cli: Cli) -> None:
    """It is asked when all is down; what is missing is said."""
    enter(cli)
    done = cli("oncall", "shop", "--at", "2026-01-13T12:00", "--json")
    assert json.loads(done.out)[0]["on_call"] == "ben"
    assert "Overrides from chat are not in this." in done.err
    assert "no schedule 'shap'" in cli("oncall", "shap").err
