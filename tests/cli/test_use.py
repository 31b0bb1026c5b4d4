"""Help for each command; a wrong word is refused with what would be right."""

import re

import pytest
from typer.main import get_command

from bot.cli.commands import app
from tests.cli.conftest import Cli


def commands() -> list[tuple[str, ...]]:
    """Every command there is, groups too."""
    found: list[tuple[str, ...]] = [()]
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]  # a group has them
        found.append((name,))
        found += [(name, child) for child in getattr(command, "commands", {})]
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help(cli: Cli, words: tuple[str, ...]) -> None:
    """Says what it is for, on stdout, and touches nothing."""
    done = cli(*words, "--help")
    assert done.code == 0
    assert done.err == ""
    assert "Usage: jackline" in done.out
    assert len(re.findall(r"\w+", done.out)) > 10
    assert not (cli.folder / "data").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["incidents", "lst"], "Did you mean 'list'?"),
        (["incidents", "show"], "Missing argument"),
        (["incidents", "show", "one"], "valid integer"),
        (["incidents", "show", "0"], "greater than or equal to 1"),
        (["incidents", "show", "99999999999999999999"], "less than or equal to 2147483647"),
        (["incidents", "show", "1", "2"], "unexpected extra argument"),
        (["incidents", "list", "--jsn"], "No such option: --jsn"),
        (["postmortem", "show", "99999999999"], "less than or equal to 2147483647"),
        (["audit", "verify", "--incident", "x"], "valid integer"),
        (["audit", "verify", "--incident", "-1"], "greater than or equal to 1"),
        (["plan"], "Missing argument"),
        (["signin"], "Missing argument"),
        (["demo", "--port", "70000"], "less than or equal to 65535"),
    ],
    ids=" ".join,
)
def test_wrong_words(cli: Cli, words: list[str], said: str) -> None:
    """Exit 2, on stderr, with what is wrong and how it is used."""
    done = cli(*words)
    assert done.code == 2
    assert done.out == ""
    flat = re.sub(r"[^\w'?.:-]+", " ", done.err)
    assert re.sub(r"[^\w'?.:-]+", " ", said) in flat
    assert "Usage: jackline" in done.err
    assert "Traceback" not in done.err
    assert not (cli.folder / "data").exists()


@pytest.mark.parametrize("words", [["incidents", "list"], ["check"], ["signin", "ana"]])
def test_a_bad_setting_stops_every_command(cli: Cli, words: list[str]) -> None:
    cli.env["JACKLINE_LOG_LEVEL"] = "loud"
    said = cli(*words).refused(2)
    assert said.startswith("JACKLINE_LOG_LEVEL: must be 'debug'")


RECORD = [
    ["incidents", "list"], ["incidents", "list", "--all", "--json"], ["incidents", "show", "1"],
    ["alerts", "count"], ["alerts", "count", "--json"], ["alerts", "heartbeats"], ["audit", "verify"],
    ["audit", "verify", "--json"], ["postmortem", "show", "1"], ["postmortem", "lint", "1"],
    ["signin", "ana", "--reset"], ["signout", "ana"],
]  # fmt: skip


@pytest.mark.parametrize("words", RECORD, ids=" ".join)
def test_without_a_database(cli: Cli, words: list[str]) -> None:
    """A question about the record needs one; it is not made by asking."""
    said = cli(*words).refused(1)
    assert said.startswith(f"There is no database at {cli.folder}/data/jackline.db.")
    assert not (cli.folder / "data").exists()


@pytest.mark.parametrize("words", RECORD, ids=" ".join)
def test_with_something_else_than_a_database(cli: Cli, words: list[str]) -> None:
    (cli.folder / "data").mkdir()
    (cli.folder / "data" / "jackline.db").write_text("somebody's notes, not a database at all")
    said = cli(*words).refused(1)
    assert said.startswith("The database cannot be used: file is not a database.")


def test_a_database_without_tables_gets_them(cli: Cli) -> None:
    """As after a restore of an empty volume: migrated, then asked."""
    (cli.folder / "data").mkdir()
    (cli.folder / "data" / "jackline.db").touch()
    assert cli("incidents", "list", "--json").json() == []
    assert cli("audit", "verify").out == "The record is whole.\n"


def test_a_database_of_a_newer_version(cli: Cli) -> None:
    """After a downgrade: said, not a traceback, and nothing is changed."""
    from sqlalchemy import text  # noqa: PLC0415 - this test alone speaks SQL

    cli.declare()
    cli.inside(lambda _, session: session.execute(text("UPDATE alembic_version SET version_num = '9999'")))  # fmt: skip
    said = cli("incidents", "list").refused(1)
    assert said.startswith("The database's tables are not of this version of Jackline")
