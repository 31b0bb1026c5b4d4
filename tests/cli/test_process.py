"""The installed command as a process of its own: exit codes, streams, folders. And `serve` that cannot start."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.servers.process import wait_for

HUSH = "hush-5f4dcc3b"


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("JACKLINE_HTTP_LISTEN", "8080", "must be host:port. Example: JACKLINE_HTTP_LISTEN="),
        ("JACKLINE_DATABSE_URL", HUSH, "there is no such setting. Did you mean JACKLINE_DATABASE_"),
        ("JACKLINE_SLACK__BOT_TOKEN", f"xoxb-{HUSH}", "JACKLINE_SLACK__APP_TOKEN: Socket Mode"),
        ("JACKLINE_WEBHOOKS__API__SECRETS", HUSH, "is not a JSON list of strings. Example: "),
    ],
)
def test_serve_with_a_bad_setting(cli: Cli, variable: str, value: str, words: str) -> None:
    """Exit 2, one line on stderr that says what to change, no traceback and no secret."""
    cli.env[variable] = value
    done = cli("serve")
    assert words in done.refused(2)
    assert HUSH not in done.err


@pytest.mark.server  # each start of the command takes a second
def test_the_process_ends_so_too(cli: Cli) -> None:
    """What an orchestrator sees of a bad setting: the exit code and one line."""
    cli.env["JACKLINE_SLACK__BOT_TOKEN"] = f"xoxb-{HUSH}"
    assert "Socket Mode needs an app-level token" in cli.process("serve").refused(2)


@pytest.mark.server  # as above
def test_ctrl_c_while_it_is_being_loaded() -> None:
    """Which takes seconds on a slow machine: a word, no trace."""
    command = [sys.executable, "-m", "bot.cli", "check", "runbooks"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        maps = Path(f"/proc/{process.pid}/maps")
        wait_for(lambda: "pydantic_core" in maps.read_text(), what="its imports to be under way")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, "jackline: interrupted\n")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"postgresql://u:{HUSH}@127.0.0.1:1/j", "The database cannot be used: "),
        ("sqlite+aiosqlite:////tmp", "The database cannot be used: unable to open database file."),
        ("sqlite+aiosqlite:////proc/nowhere/j.db", "Cannot make the database's folder"),
    ],
)
def test_serve_without_a_database(cli: Cli, url: str, words: str) -> None:
    """It ends at once, with the reason; the password of the address is not part of it."""
    cli.env["JACKLINE_DATABASE_URL"] = url
    done = cli("serve")
    assert words in done.err
    assert HUSH not in done.err
    done.refused(1)


def test_serve_with_a_broken_catalog(cli: Cli) -> None:
    """At the first start there is no last good one to go on with."""
    cli.catalog.write_text("people:\n  - {id: ana}")
    assert cli("serve").refused(2).endswith("all.yaml:2: name: is missing")


@pytest.mark.server  # each start of the command takes a second
def test_relative_folders_are_those_of_where_it_is_started(cli: Cli) -> None:
    """Nothing depends on where Jackline lies. Piped, the answer is whole and stdout's alone."""
    title = "A title that is longer than eighty columns " * 4
    cli.declare(title)
    cli.env = {"JACKLINE_DATA_DIR": "data", "JACKLINE_RUNBOOKS_DIR": "runbooks"}
    done = cli.process("incidents", "list", "--json")
    assert [i["title"] for i in done.json()] == [title.strip()]
    assert done.code == 0


@pytest.mark.server  # each start of the command takes a second
def test_in_another_folder_there_is_no_record(cli: Cli, tmp_path: Path) -> None:
    """An empty new database would say that all is well; none is made."""
    cli.declare()
    cli.env = {}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    said = cli.process("audit", "verify", cwd=elsewhere).refused(1)
    assert said.startswith(f"There is no database at {elsewhere}/data/jackline.db.")
    assert list(elsewhere.iterdir()) == []


def test_it_says_how_it_is_used(cli: Cli) -> None:
    """Alone it shows what there is and that nothing was done."""
    done = cli()
    assert done.code == 2
    shown = re.sub(r"\W+", " ", done.out + done.err)
    for command in ("serve", "check", "plan", "signin", "doctor", "incidents", "audit"):
        assert f" {command} " in shown
