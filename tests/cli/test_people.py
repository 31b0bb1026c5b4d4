"""`plan`, `signin` and `doctor`: what people ask before and during an outage."""

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Jackline
from bot.chat.console.tables import ConsoleSignin
from bot.settings import load
from bot.timeline import rows_of
from tests.cli.conftest import Cli
from tests.plainly import without_columns
from tests.runbooks.room import PEOPLE
from tests.servers.authority import Authority
from tests.servers.fixtures import Start
from tests.servers.http_app import HttpApp

pytestmark = pytest.mark.slow


@pytest.mark.server
def test_a_plan_is_shown(cli: Cli, http_server: Start[HttpApp]) -> None:
    """Step by step, and the target got no request that changes anything."""
    catalog = json.loads(cli.catalog.read_text())
    catalog["targets"][0]["url"] = http_server("shop").url
    cli.catalog.write_text(json.dumps(catalog))
    made = cli("plan", "look", "count=2", "--json").json()
    assert made["inputs"] == {"count": 2}
    assert [s["action"] for s in made["steps"]] == ["http.check"]
    shown = cli("plan", "look").out
    assert "Look at the [shop]" in shown
    assert "http.check" in shown


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["lok"], 1, "There is no runbook 'lok'; did you mean 'look'? Known: look."),
        (["look", "count"], 2, "'count' is not name=value. For example: percent=100"),
        (["look", "count=x"], 2, "count: 'x' is not a whole number."),
        (["look", "count=99"], 2, "count: 99 is above 9."),
        (["look", "cuont=1"], 2, "There is no input 'cuont'. Inputs: count."),
        (["look", "=1"], 2, "There is no input ''. Inputs: count."),
    ],
)
def test_a_plan_that_cannot_be_made(cli: Cli, words: list[str], code: int, said: str) -> None:
    assert cli("plan", *words).refused(code) == said


def test_a_signin_link_works_once(cli: Cli) -> None:
    """The printed link signs in at the Jackline that has the same key; a second use does not."""
    done = cli("signin", "ana")
    link = re.fullmatch(r"http://127\.0\.0\.1:8080(/signin\?token=\S+)\n", done.out)
    assert link is not None, done

    async def follow() -> list[bool]:
        jackline = Jackline(load(cli.env))
        await jackline.store.migrate()
        transport = httpx.ASGITransport(app=jackline.web)
        signed_in = []
        for _ in range(2):
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as web:
                await web.get(link[1])
                signed_in.append((await web.get("/")).status_code == 200)
        await jackline.close()
        return signed_in

    assert asyncio.run(follow()) == [True, False]


@pytest.mark.parametrize(
    ("variable", "value", "base"),
    [
        ("JACKLINE_CONSOLE__PUBLIC_URL", "https://j.example.com", "https://j.example.com/signin?"),
        ("JACKLINE_HTTP_LISTEN", "[::1]:9000", "http://[::1]:9000/signin?"),
    ],
)
def test_a_signin_link_leads_to_the_console(cli: Cli, variable: str, value: str, base: str) -> None:
    cli.env[variable] = value
    assert cli("signin", "ana").out.startswith(base)


def test_a_signin_link_needs_no_database(cli: Cli) -> None:
    """It is what is left when the database is away, and makes none either."""
    cli.env["JACKLINE_DATABASE_URL"] = "postgresql+asyncpg://nobody@127.0.0.1:9/none"
    assert "/signin?token=" in cli("signin", "ana").out
    del cli.env["JACKLINE_DATABASE_URL"]
    assert "/signin?token=" in cli("signin", "ana").out
    assert not (cli.folder / "data" / "jackline.db").exists()


@pytest.mark.parametrize("more", [[], ["--reset"]])
def test_nobody_unknown_is_signed_in(cli: Cli, more: list[str]) -> None:
    cli.declare()
    said = cli("signin", "mallory", *more).refused(1)
    assert said.startswith("There is no person 'mallory' in the catalog. Known: ana, ben, ")


def test_a_password_is_taken_away(cli_on: Cli) -> None:
    """Once, and on the record, which says nothing of it but whose it was."""

    async def sets_up(parts: Jackline, session: AsyncSession) -> None:
        session.add(ConsoleSignin(person_id="ana", hash="$argon2id$hush", secret="hush"))

    cli_on.inside(sets_up)
    done = cli_on("signin", "ana", "--reset")
    assert done.out == "The password and code of ana are gone, and their sessions have ended.\n"
    assert cli_on("signin", "ana", "--reset").refused(1) == "ana has no password for the console."
    kept = cli_on.inside(lambda _, session: session.get(ConsoleSignin, "ana"))
    assert (kept.hash, kept.secret) == (None, None)
    assert kept.since is not None
    (row,) = cli_on.inside(lambda _, session: rows_of(session, 0))
    assert (row.kind, row.actor, row.data) == ("signin_removed", "jackline", {"person": "ana"})
    assert cli_on("audit", "verify").out == "The record is whole.\n"


def test_somebodys_sessions_are_ended(cli_on: Cli) -> None:
    """Also of one who never set a password up; what there is stays, and it is on the record."""

    async def sets_up(parts: Jackline, session: AsyncSession) -> None:
        session.add(ConsoleSignin(person_id="ana", hash="$argon2id$hush", secret="hush"))

    cli_on.inside(sets_up)
    for who in ("ana", "ben"):
        done = cli_on("signout", who)
        assert done.out == (
            f"All console sessions of {who} have ended. Their password and code stay good.\n"
        )
        assert cli_on.inside(lambda _, s, who=who: s.get(ConsoleSignin, who)).since is not None
    kept = cli_on.inside(lambda _, session: session.get(ConsoleSignin, "ana"))
    assert (kept.hash, kept.secret) == ("$argon2id$hush", "hush")
    rows = cli_on.inside(lambda _, session: rows_of(session, 0))
    assert [(row.kind, row.actor, row.data) for row in rows] == [
        ("sessions_ended", "jackline", {"person": who}) for who in ("ana", "ben")
    ]
    assert cli_on("signout", "mallory").refused(1).startswith("There is no person 'mallory'")
    assert cli_on("audit", "verify").out == "The record is whole.\n"


def looked_at(cli: Cli) -> dict[str, tuple[bool, str]]:
    """What the doctor found, once its exit code says the same as its words."""
    done = cli("doctor", "--json")
    found = {row["check"]: (row["ok"], row["detail"]) for row in done.json()}
    assert done.code == (0 if all(ok for ok, _ in found.values()) else 1)
    return found


def test_the_doctor_looks_where_jackline_runs(cli: Cli) -> None:
    """In the cluster that it acts on it would go down with it."""
    cli.env["KUBERNETES_SERVICE_HOST"] = "10.1.0.1"
    cli.monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.1.0.1")
    assert looked_at(cli)["placement"] == (True, "in a cluster that no target names")
    cli.catalog.write_text(
        json.dumps({"people": PEOPLE, "targets": [
            {"name": "kubernetes/main", "url": "https://10.1.0.1"},
            {"name": "http/shop", "url": "http://127.0.0.1:9"},
        ]})
    )  # fmt: skip
    ok, said = looked_at(cli)["placement"]
    assert not ok
    assert "acts on kubernetes/main; say in `nodes`" in said


def test_the_doctor_finds_nothing(cli: Cli) -> None:
    found = looked_at(cli)
    assert set(found) == {
        "settings", "integrations", "runbooks", "notifiers", "database", "go-bag", "slack", "server",
    }  # fmt: skip
    assert all(ok for ok, _ in found.values())
    assert cli("doctor").out.count("✓") == 8


def test_the_doctor_looks_at_the_door_for_mail(cli: Cli, tmp_path: Path) -> None:
    """Where there is one: in the clear, with a certificate that can be used, and with none such."""
    cli.env["JACKLINE_MAIL__LISTEN"] = "127.0.0.1:2525"
    ok, said = looked_at(cli)["mail in"]
    assert ok
    assert "warning: no certificate" in said
    Authority(tmp_path).server("jackline.example.com")
    cli.env["JACKLINE_MAIL__CERTIFICATE"] = str(tmp_path / "jackline.example.com.pem")
    assert looked_at(cli)["mail in"][0] is False
    cli.env["JACKLINE_MAIL__KEY"] = str(tmp_path / "jackline.example.com.key")
    assert looked_at(cli)["mail in"] == (True, "127.0.0.1:2525, with STARTTLS")


def test_the_doctor_names_a_bad_setting(cli: Cli) -> None:
    """And looks no further: everything else depends on it."""
    cli.env["JACKLINE_HTTP_LISTEN"] = "x"
    found = looked_at(cli)
    assert list(found) == ["settings"]
    assert found["settings"][1].startswith("JACKLINE_HTTP_LISTEN: must be host:port.")


def test_the_doctor_looks_at_all_the_rest(cli: Cli, tmp_path: Path) -> None:
    """One thing broken does not hide the next."""
    cli.env["JACKLINE_RUNBOOKS_DIR"] = str(tmp_path / "nowhere")
    cli.env["JACKLINE_DATABASE_URL"] = "sqlite+aiosqlite:////proc/nowhere/j.db"
    cli.env |= {
        "JACKLINE_SLACK__BOT_TOKEN": "xoxb-hush", "JACKLINE_SLACK__APP_TOKEN": "xapp-hush",
        "JACKLINE_SLACK__API_URL": "http://127.0.0.1:9/api/",
    }  # fmt: skip
    found = looked_at(cli)
    assert found["runbooks"] == (
        False, f"{tmp_path / 'nowhere'} is not a folder. Set JACKLINE_RUNBOOKS_DIR.",
    )  # fmt: skip
    assert found["database"][1].startswith("Cannot make the database's folder /proc/nowhere")
    assert found["slack"][0] is False
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("look.md", "no front matter", "look.md:1: must begin with YAML front matter"),
        ("catalog/all.yaml", "people: {}", "all.yaml:1: people: must be a list"),
    ],
)
def test_the_doctor_reads_the_runbooks(cli: Cli, file: str, text: str, said: str) -> None:
    (cli.folder / "runbooks" / file).write_text(text)
    ok, detail = looked_at(cli)["runbooks"]
    assert not ok
    assert said in without_columns(detail)


def test_the_doctor_says_which_notifiers_fall_silent_together(cli: Cli) -> None:
    """A warning, not a failure; one that no integration can serve is one."""
    file = cli.folder / "runbooks" / "catalog" / "notifiers.yaml"
    text = (
        "targets:\n  - {name: smtp/r, url: 'tcp://a:25'}\n  - {name: irc/s, url: 'tcp://b:6697'}\n"
        "notifiers:\n  - {id: mail, integration: smtp, target: smtp/r, to: [a@b.c], when: always}\n"
        "  - {id: chat, integration: irc, target: irc/s, to: ['#x'], when: always}\n"
    )
    file.write_text(text)
    assert looked_at(cli)["notifiers"] == (
        True, "mail, chat; warning: mail and chat are not independent: both need the path direct",
    )  # fmt: skip
    file.write_text(text.replace("when: always", "when: slack_down"))
    assert "no Slack is connected" in looked_at(cli)["notifiers"][1]
    file.write_text(text.replace("integration: irc", "integration: haproxy"))
    ok, detail = looked_at(cli)["notifiers"]
    assert not ok
    assert detail.startswith("chat: haproxy has no notifier. Known: irc, mqtt,")


def test_the_doctor_sees_what_is_no_database(cli: Cli) -> None:
    (cli.folder / "data").mkdir()
    (cli.folder / "data" / "jackline.db").write_text("somebody's notes, not a database at all")
    assert looked_at(cli)["database"] == (False, "file is not a database.")
