"""Questions about the record: incidents, alerts, the proof, the postmortem. On each database."""

import json
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Jackline
from bot.postmortems import Postmortem
from tests.cli.conftest import Cli, Done
from tests.servers.google_drive import FOLDER, google_drive

pytestmark = pytest.mark.slow

MARKUP = "[bold]Check[/nothing] <!channel> [link=x] {} %s ünïcode 🔥"


def tamper(cli: Cli, statement: str) -> None:
    async def work(_: Jackline, session: AsyncSession) -> None:
        await session.execute(text(statement))

    cli.inside(work)


def test_incidents_are_listed(cli_on: Cli) -> None:
    """The open ones newest first; the ended ones when asked for."""
    for title in ("First", "Second", "Third"):
        cli_on.declare(title, services=["shop"])

    async def work(parts: Jackline, session: AsyncSession) -> None:
        first = await parts.incidents.get(session, 1)
        await parts.incidents.set_status(session, first, "resolved", "person:ana")

    cli_on.inside(work)
    listed = cli_on("incidents", "list", "--json").json()
    assert [i["id"] for i in listed] == [3, 2]
    assert listed[0]["services"] == ["shop"]
    listed = cli_on("incidents", "list", "--all", "--json").json()
    assert [(i["id"], i["status"]) for i in listed] == [
        (3, "declared"), (2, "declared"), (1, "resolved"),
    ]  # fmt: skip
    shown = cli_on("incidents", "list").out
    assert "Third" in shown
    assert "First" not in shown


def test_titles_are_words_not_markup(cli: Cli) -> None:
    """A title may hold anything, also what the terminal's library takes for a style."""
    number = cli.declare(MARKUP)
    for words in (["incidents", "list"], ["incidents", "show", str(number)]):
        done = cli(*words)
        assert (done.code, done.err) == (0, "")
        assert MARKUP in done.out


def test_one_incident_with_its_timeline(cli_on: Cli) -> None:
    number = cli_on.declare(severity="sev1")
    shown = cli_on("incidents", "show", str(number)).out.splitlines()
    assert shown[0] == f"#{number} sev1 declared: Checkout is down"
    assert "incident_declared" in shown[1]
    assert "person:ana" in shown[1]
    found = cli_on("incidents", "show", str(number), "--json").json()
    assert (found["id"], found["severity"], found["runs"]) == (number, "sev1", [])
    assert [row["seq"] for row in found["timeline"]] == [1]


@pytest.mark.parametrize("words", [["incidents", "show"], ["audit", "verify", "--incident"]])
def test_an_incident_that_is_not_there(cli_on: Cli, words: list[str]) -> None:
    """Of what is not there nobody can say that it is whole."""
    cli_on.declare()
    assert cli_on(*words, "77").refused(1) == "There is no incident 77."


def test_alerts_are_counted(cli_on: Cli) -> None:
    cli_on.declare()
    assert cli_on("alerts", "count").out == "0 stored, 0 firing\n"
    counted = cli_on("alerts", "count", "--json").json()
    assert counted == {"stored": 0, "firing": 0, "by_source": {}}


def whole(done: Done) -> bool:
    return (done.code, done.out, done.err) == (0, "The record is whole.\n", "")


def test_the_record_is_whole(cli_on: Cli) -> None:
    for title in ("First", "Second"):
        cli_on.declare(title)
    assert whole(cli_on("audit", "verify"))
    assert whole(cli_on("audit", "verify", "--incident", "2"))
    assert cli_on("audit", "verify", "--json").json() == {"ok": True, "problems": []}


def test_an_edited_row_is_named(cli_on: Cli) -> None:
    """Exit 1 with the place, in both forms; the other incident's chain is whole."""
    cli_on.declare("First")
    number = cli_on.declare("Second")
    tamper(cli_on, f"UPDATE timeline SET text = 'fine' WHERE incident_id = {number}")
    done = cli_on("audit", "verify")
    assert done.code == 1
    assert done.out == f"incident {number}, row 1: the row was edited\n1 problems\n"
    answer = cli_on("audit", "verify", "--json")
    assert answer.code == 1
    assert answer.json() == {
        "ok": False,
        "problems": [{"incident": number, "seq": 1, "problem": "the row was edited"}],
    }
    assert cli_on("audit", "verify", "--incident", str(number)).code == 1
    assert whole(cli_on("audit", "verify", "--incident", "1"))


def test_a_record_taken_away_whole_is_named(cli_on: Cli) -> None:
    number = cli_on.declare()
    tamper(cli_on, "DELETE FROM timeline")
    tamper(cli_on, "DELETE FROM timeline_head")
    done = cli_on("audit", "verify")
    assert done.code == 1
    assert f"incident {number}, row 0: the whole record is gone" in done.out


def test_another_key_is_named(cli_on: Cli) -> None:
    """The data folder with the key was lost, or somebody else's is used."""
    cli_on.declare()
    cli_on.env["JACKLINE_AUDIT_KEY"] = "another"
    done = cli_on("audit", "verify")
    assert done.code == 1
    assert "the seal was not made with this audit key" in done.out


def test_a_row_that_cannot_be_read_does_not_end_the_proof(cli: Cli) -> None:
    cli.declare()
    tamper(cli, "UPDATE timeline SET data = '{'")
    done = cli("audit", "verify")
    assert (done.code, done.err) == (1, "")
    assert "was edited" in done.out


def test_a_postmortem_is_printed(cli_on: Cli) -> None:
    """As it was drafted, to the byte, so that it can be redirected into a file."""
    number = cli_on.declare()

    async def work(_: Jackline, session: AsyncSession) -> None:
        session.add(
            Postmortem(incident_id=number, markdown="# [b]Ü[/x]\n", html="<p>Ü</p>\n", drawn_from=1)
        )

    cli_on.inside(work)
    assert cli_on("postmortem", "show", str(number)).out == "# [b]Ü[/x]\n"
    assert cli_on("postmortem", "show", str(number), "--html").out == "<p>Ü</p>\n"


def test_the_wording_of_a_postmortem_is_checked(cli_on: Cli) -> None:
    """A stored one or a file; names are the catalog's; exits 1 if there is something to say."""
    number = cli_on.declare()
    words = "# P\n\nAna should have seen it.\n"

    async def work(_: Jackline, session: AsyncSession) -> None:
        session.add(Postmortem(incident_id=number, markdown=words, html="", drawn_from=1))

    cli_on.inside(work)
    done = cli_on("postmortem", "lint", str(number))
    assert done.code == 1
    assert f"INC-{number}.md:3:5: counterfactual: “should have”." in done.out
    paper = cli_on.folder / "paper.md"
    paper.write_text(words)
    found = cli_on("postmortem", "lint", str(paper), "--json").json()
    assert [(r["rule"], r["line"], r["column"]) for r in found] == [
        ("name", 3, 1), ("counterfactual", 3, 5),
    ]  # fmt: skip
    paper.write_text("# P\n\nAt 12:05 the alert had no page.\n")
    clean = cli_on("postmortem", "lint", str(paper))
    assert (clean.code, clean.out) == (0, f"{paper}: 0 remarks\n")
    assert cli_on("postmortem", "lint", "nowhere.md").refused(1).startswith("There is no file")
    assert cli_on("postmortem", "lint", "99999999999").refused(2).startswith("There is no incident")


def test_a_postmortem_that_is_not_there_yet(cli_on: Cli) -> None:
    number = cli_on.declare()
    said = cli_on("postmortem", "show", str(number)).refused(1)
    assert said.startswith(f"There is no postmortem of incident {number}. One is drafted")


@pytest.mark.server
@pytest.mark.parametrize("broken", ["password", "database"])
def test_postgresql_refuses(cli: Cli, postgres_url: str, broken: str) -> None:
    """The server's own reason in one line, without the password that was tried."""
    good, bad = (
        ("jackline@", "hush@") if broken == "password" else (postgres_url, f"{postgres_url}x")
    )
    cli.env["JACKLINE_DATABASE_URL"] = postgres_url.replace(good, bad)
    said = cli("incidents", "list").refused(1)
    assert said.startswith("The database cannot be used: ")
    assert "hush" not in said
    doctor = cli("doctor")
    assert doctor.code == 1
    assert "✗ database: " in doctor.out


def test_a_postmortem_is_written_to_a_file(cli_on: Cli) -> None:
    """In each form, to a file or to stdout; what this installation keeps secret is in none."""
    number = cli_on.declare()
    cli_on.env["JACKLINE_WEBHOOKS__GENERIC__SECRETS"] = '["canary-of-the-shell"]'
    assert "no postmortem of #1" in cli_on("postmortem", "export", str(number)).refused(1)

    async def work(_: Jackline, session: AsyncSession) -> None:
        paper = "# Paper\n\nUse canary-of-the-shell or canary@example.org.\n"
        session.add(Postmortem(incident_id=number, markdown=paper, html="", drawn_from=1))

    cli_on.inside(work)
    said = "# Paper\n\nUse \\[credential\\] or \\[e-mail address\\].\n"
    assert cli_on.process("postmortem", "export", str(number)).out == said
    to = cli_on.folder / "paper.pdf"
    done = cli_on("postmortem", "export", str(number), "--as", "pdf", "--out", str(to))
    assert done.out == f"{to}: {to.stat().st_size} bytes\n"
    assert to.read_bytes().startswith(b"%PDF")
    nowhere = str(cli_on.folder / "no" / "where.md")
    refused = cli_on("postmortem", "export", str(number), "--out", nowhere).refused(2)
    assert refused == f"Cannot write {nowhere}: No such file or directory."
    assert "There are md, html" in cli_on("postmortem", "export", "1", "--as", "odt").refused(1)
    refused = cli_on("postmortem", "export", "1", "--customers").refused(1)
    assert "is not final (draft)" in refused


def test_similar_incidents(cli_on: Cli) -> None:
    """Why and what ended them; private ones only as somebody who may see them."""
    for private in (False, True):
        cli_on.declare("Zebra gate [bold]broken", private=private, origin=f"gate-{private}")
    this = cli_on.declare("Zebra gate broken")

    async def ends(jackline: Jackline, session: AsyncSession) -> None:
        for number in (1, 2):
            incident = await jackline.incidents.get(session, number)
            await jackline.incidents.set_status(session, incident, "resolved", "person:ana")

    cli_on.inside(ends)
    said = cli_on("incidents", "similar", str(this)).out.splitlines()
    assert said[0].endswith(": Zebra gate [bold]broken")
    assert [line.strip() for line in said[1:]] == [
        "like title: broken, gate, zebra", "then: resolved by a person after 1 min",
    ]  # fmt: skip
    found = cli_on("incidents", "similar", str(this), "--as", "ana", "--json").json()
    assert [(f["number"], f["because"]) for f in found] == [
        (2, ["like title: broken, gate, zebra"]), (1, ["like title: broken, gate, zebra"]),
    ]  # fmt: skip
    assert "There is no incident 77" in cli_on("incidents", "similar", "77").refused(1)
    cli_on.declare("Alone")
    assert "No past incident is enough like #4" in cli_on("incidents", "similar", "4").out


def test_incidents_are_searched(cli_on: Cli) -> None:
    """By words of the title and the timeline; private ones only as somebody who may see them."""
    cli_on.declare("Checkout [bold]is down")
    cli_on.declare("Keys checked out", private=True)
    said = cli_on("search", "CHECK", "down").out
    assert said.splitlines()[0].startswith("#1 sev2 declared, ")
    assert said.splitlines()[0].endswith(": Checkout [bold]is down")
    found = cli_on("search", "chec", "--json").json()
    assert [(f["number"], f["hits"][0]["where"]) for f in found] == [(1, "title")]
    found = cli_on("search", "chec", "--as", "ana", "--json").json()
    assert [f["number"] for f in found] == [2, 1]
    assert cli_on("search", "unicorn").out == "No incident has these words.\n"
    assert "Say what to search for" in cli_on("search", "--", "-").refused(2)
    assert "no person 'nobody'" in cli_on("search", "x", "--as", "nobody").refused(1)


def test_publishing_is_for_commanders(cli: Cli) -> None:
    """And says what is missing."""
    cli.declare()
    assert "needs the role 'commander'" in cli("postmortem", "publish", "1", "x", "--by", "ben").refused(2)  # fmt: skip
    assert "no place for papers 'x'" in cli("postmortem", "publish", "1", "x", "--by", "ana").refused(1)  # fmt: skip


def test_publishing_by_command(cli_on: Cli) -> None:
    """It is there when the command ends, again too; what went wrong is said, and tried on."""
    cli_on.declare()

    async def final(_: Jackline, session: AsyncSession) -> None:
        session.add(Postmortem(
            incident_id=1, state="final", markdown="# P\n\n## Summary\n\nDark.\n", html="", drawn_from=1
        ))  # fmt: skip

    cli_on.inside(final)
    words = ("postmortem", "publish", "1", "docs", "--by", "ana")
    with google_drive() as drive:
        known = json.loads(cli_on.catalog.read_text())
        settings = {"key": drive.key_file, "folder": FOLDER}
        known["targets"].append({"name": "d/x", "url": drive.url, "settings": settings})
        known["paper_places"] = [{"id": "docs", "integration": "googledocs", "target": "d/x"}]
        cli_on.catalog.write_text(json.dumps(known))
        drive.down()
        assert "was not reached" in (said := cli_on(*words).refused(1))
        assert "`jackline serve` tries it on" in said
        drive.up()
        for _ in range(2):
            done = cli_on(*words)
            assert (done.code, done.out) == (0, f"docs has it: {drive.documents[0]['webViewLink']}\n")  # fmt: skip
        assert len(drive.uploads) == 1
        drive.shared_with.clear()
        drive.files.pop(drive.documents[0]["id"])
        assert "Share the folder" in cli_on(*words).refused(1)


def test_figures_of_many_incidents(cli_on: Cli) -> None:
    cli_on.declare()
    found = cli_on("incidents", "figures", "--json").json()
    assert (found["incidents"], found["by_severity"]) == (1, {"sev2": 1})
    assert "mean" not in str(found)
    assert cli_on("incidents", "figures").out.startswith("1 incidents since ")


def test_the_digest_of_a_week(cli_on: Cli) -> None:
    """As lines and as JSON; what is no week is refused."""
    number = cli_on.declare("Checkout <is> [bold]down")
    cli_on.declare("The secret one", private=True)
    day = cli_on("incidents", "show", str(number), "--json").json()["declared_at"][:10]
    year, week_number, _ = date.fromisoformat(day).isocalendar()
    week = f"{year}-W{week_number:02}"
    found = cli_on("incidents", "digest", "--week", week, "--json").json()
    assert (found["week"], found["this"]["incidents"], found["running"]) == (week, 1, True)
    assert "secret" not in str(found)
    out = cli_on("incidents", "digest", "--week", week).out
    assert "1 incident, the week before 0 · SEV2 1 (before 0)" in out
    assert f"#{number} SEV2 Checkout <is> [bold]down: goes on for " in out
    assert "Nothing happened" in cli_on("incidents", "digest").out
    assert "is no week. Write it as 2026-W47." in cli_on(
        "incidents", "digest", "--week", day
    ).refused(2)
