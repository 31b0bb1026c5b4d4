"""`jackline access`: what still runs, what kills a runbook, and the picture."""

import json

import pytest

from tests.cli.conftest import Cli
from tests.runbooks.ground import EVERYTHING, check, fence, repairs
from tests.runbooks.room import runbook


@pytest.fixture
def house(cli: Cli) -> Cli:
    """Two runbooks over the catalog in which much stands on something."""
    cli.catalog.write_text(json.dumps(EVERYTHING))
    (cli.folder / "runbooks" / "look.md").write_text(
        runbook(check("shop"), check("deaf"), name="look")
    )
    (cli.folder / "runbooks" / "fence.md").write_text(
        runbook(fence("pg1"), name="fence", front=repairs("slack"))
    )
    return cli


def test_whatif_says_over_which_path_and_why_not(house: Cli) -> None:
    """In words, with what falls of Jackline itself, and which paths say nothing about themselves."""
    done = house("access", "whatif", "--down", "network:corp,slack")
    assert done.code == 0
    assert "│ look    │ yes  │ oob: s1, s2" in done.out
    assert "✗ path bastion → sso:okta → dns:corp → network:corp: s1 → ssh/pg1" in done.out
    assert "Jackline's chat is down too: jackline:chat → slack\n" in done.out
    assert "name server: unsaid, unsaid-pinned" in done.out
    assert (
        "database is down too: run from the go-bag"
        in house("access", "whatif", "--down", "orders").out
    )


def test_whatif_as_json(house: Cli) -> None:
    """All of it, for a machine; one runbook if it is named."""
    found = house("access", "whatif", "fence", "--down", "sso:okta, network:oob", "--json").json()
    assert found["down"] == ["sso:okta", "network:oob"]
    assert {"path:bastion", "path:oob", "jackline:identity"} <= set(found["falls"])
    assert found["jackline"] == {
        "identity": {"vital": False, "chain": ["jackline:identity", "sso:okta"]}
    }
    (fenced,) = found["runbooks"]
    assert (fenced["id"], fenced["runs"], fenced["partly"]) == ("fence", False, False)
    assert fenced["steps"] == [
        {
            "step": "s1", "role": "action", "action": "ssh.read", "target": "ssh/pg1",
            "path": None, "why": "path bastion → sso:okta",
        }
    ]  # fmt: skip


def test_cuts(house: Cli) -> None:
    """The smallest sets, single ones first; the targets themselves in a line of their own."""
    done = house("access", "whatif", "look", "--cuts")
    assert done.code == 0
    for line in (
        "network:oob",
        "path:oob",
        "service:edge",
        "or one target itself: http/deaf, http/shop",
    ):
        assert f"│ {line} " in done.out
    found = house("access", "whatif", "--cuts", "--most", "1", "--json").json()
    by_name = {row["id"]: row for row in found["runbooks"]}
    assert found["most"] == 1
    assert by_name["fence"]["complete"] is True
    assert by_name["fence"]["cuts"] == [
        ["dns:corp"], ["network:corp"], ["path:bastion"], ["sso:okta"], ["target:ssh/pg1"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--down", "dns:crop"], 2, "Nothing in the catalog is 'dns:crop'; did you mean 'dns:corp'?"),
        (["--down", "slack,shp"], 2, "Nothing in the catalog is 'shp'; did you mean 'shop'?"),
        (["--down", "zzz:zzz"], 2, "Nothing in the catalog is 'zzz:zzz'."),
        (["--down", ","], 2, "Nothing in the catalog is ''."),
        ([], 2, "Say either --down or --cuts."),
        (["--down", "slack", "--cuts"], 2, "Say either --down or --cuts."),
        (["--cuts", "fnce"], 1, "There is no runbook 'fnce'; did you mean 'fence'?"),
    ],
)  # fmt: skip
def test_refused(house: Cli, words: list[str], code: int, expected: str) -> None:
    """With the nearest name, on stderr alone."""
    assert house("access", "whatif", *words).refused(code).startswith(expected)


def test_most_is_bounded(house: Cli) -> None:
    """A set of nine failures is not worth the wait."""
    assert house("access", "whatif", "--cuts", "--most", "9").code == 2


def test_graph(house: Cli) -> None:
    """An SVG alone on stdout; what is down is red, and must exist."""
    plain, down = house("access", "graph"), house("access", "graph", "--down", "sso:okta")
    assert plain.out.startswith("<svg ")
    assert "path bastion → sso:okta" in down.out
    assert "path bastion → sso:okta" not in plain.out
    assert "did you mean 'sso:okta'" in house("access", "graph", "--down", "sso:otka").refused(2)


def test_check_tells_loops_as_it_tells_all_else(house: Cli) -> None:
    """With file, line and column, in words, JSON and SARIF, and exit code 1."""
    text = runbook(fence("pg1"), name="fence", front=repairs("network:corp"))
    (house.folder / "runbooks" / "fence.md").write_text(text)
    line = 1 + text.splitlines().index('with: {host: "pg1", command: fenced}')
    said = (
        "step s1 has no way to ssh/pg1: path bastion → sso:okta → dns:corp → network:corp, "
        "which this runbook repairs"
    )
    folder = str(house.folder / "runbooks")
    done = house("check", folder)
    assert done.code == 1
    assert f"fence.md:{line}:1: {said}\n" in done.out
    assert json.loads(house("check", folder, "--json").out)["problems"] == [
        {"path": f"{folder}/fence.md", "line": line, "column": 1, "message": said}
    ]
    (result,) = json.loads(house("check", folder, "--sarif").out)["runs"][0]["results"]
    assert result["message"]["text"] == said
