"""Questions from the command line: listed, answered, and what explain and check say of such rules."""

import json
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Jackline
from bot.chat.slack.manifest import wanted_scopes
from bot.cli.doctor import Result, diagnose
from tests.chat.asked import pose
from tests.cli.conftest import Cli
from tests.cli.test_alerts import adds, explained
from tests.e2e.harness import Bot, firing
from tests.slackstub import C_INCIDENTS, SlackStub


async def nothing(parts: Jackline, session: AsyncSession) -> None:
    """The database is there, and empty."""


def asked(cli: Cli, *names: str, **opening: Any) -> None:
    async def put(parts: Jackline, session: AsyncSession) -> None:
        await pose(session, parts.questions, *names, **opening)

    cli.inside(put)


def test_listed_and_answered(cli_on: Cli) -> None:
    """By a person or by the command line; what is not open any more is said."""
    cli = cli_on
    cli.inside(nothing)
    assert cli("alerts", "pending").out == "Nothing waits for an answer.\n"
    asked(cli, "Slow\x1b[31m", "Errors", services=[])
    out = cli("alerts", "pending").out
    for word in ("Shop is slow", "sev2", "Errors, Slow [31m (2)", "UTC"):
        assert word in out
    assert "\x1b[31m" not in out
    (found,) = cli("alerts", "pending", "--json").json()
    assert (found["question"], found["group"], found["fired"]) == (1, "g", 2)
    assert cli("alerts", "answer", "1", "declare", "--by", "ana").out == (
        "#1 is declared: Shop is slow\n"
    )
    said = cli("alerts", "answer", "1", "refuse").refused(1)
    assert said.startswith("Question 1 is not open any more. Ana declared #1 at 20")
    assert cli("alerts", "pending", "--json").json() == []
    asked(cli, open_key="h")
    said = cli("alerts", "answer", "2", "refuse").out
    assert said.startswith("Noted: the command line said at 20")


def test_wrong_use(cli_on: Cli) -> None:
    cli = cli_on
    cli.inside(nothing)
    assert "no question 7" in cli("alerts", "answer", "7", "declare").refused(1)
    assert "no person 'anna'" in cli("alerts", "answer", "7", "declare", "--by", "anna").refused(1)
    asked(cli)
    assert "needs the role" in cli("alerts", "answer", "1", "declare", "--by", "eli").refused(2)
    assert cli("alerts", "answer", "1", "perhaps").code == 2


def test_explained(cli: Cli) -> None:
    """What the rule says beyond severity, and that people are asked."""
    rule = {"match": {"service": "shop"}, "declare": "ask", "people": ["ben"], "runbook": "look",
            "visibility": "private"}  # fmt: skip
    services = [{"id": "shop", "title": "Shop", "tier": "p0"}]
    adds(cli, rules=[rule], services=services)
    (found,) = explained(cli, firing(), "--json").json()
    assert found["outcome"] == (
        "joins the open incident or question of private:service:shop, else asks whether to open a "
        "sev1 one"
    )
    assert "people are asked first; declared by itself if nobody answers in 10 min" in found["why"]
    assert "invited besides those who own the service: ben" in found["why"]
    assert "proposed first: the runbook look" in found["why"]
    assert (found["decision"]["asks"], found["decision"]["private"]) == (True, True)
    asked(cli, open_key="private:service:shop")
    (found,) = explained(cli, firing(), "--json").json()
    assert found["why"][-1].startswith("question 1 of its group: If nobody answers, it is declared")


def test_names_in_rules_are_checked(cli: Cli) -> None:
    """With file, line and column, and what was probably meant."""
    people = json.loads(cli.catalog.read_text())
    cli.catalog.write_text(json.dumps(people) + "\n")
    more = cli.catalog.with_name("rules.yaml")
    more.write_text("rules:\n  - match: {a: b}\n    runbook: lok\n  - runbook: look\n")
    done = cli("check")
    assert done.code == 1
    assert f"{more}:3:5: runbook: there is no runbook 'lok'; did you mean 'look'?" in done.out
    more.write_text("rules:\n  - people: [anna]\n")
    done = cli("check")
    assert done.code == 1
    assert f"{more}:2:14: people: there is no 'anna'; did you mean 'ana'?" in done.out


async def test_the_doctor_says_what_slack_lacks_for_them(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A channel where people are asked, and the scope for private channels."""
    adds(cli, rules=[{"match": {"a": "b"}, "declare": "ask"}, {"visibility": "private"}])

    async def slack_line() -> Result:
        for name, value in cli.env.items():
            monkeypatch.setenv(name, value)
        return next(r for r in await diagnose() if r.name == "slack")

    async with SlackStub(scopes="chat:write,channels:manage") as slack:
        cli.env |= Bot.slack_env(slack, "socket")
        found = await slack_line()
        assert not found.ok
        assert "set JACKLINE_SLACK__DIGEST_CHANNEL" in found.detail
        assert "groups:write" in found.detail
        assert "jackline slack manifest" in found.detail
        cli.env["JACKLINE_SLACK__DIGEST_CHANNEL"] = C_INCIDENTS
        slack.configure(scopes=",".join(wanted_scopes()))
        assert (await slack_line()).ok
