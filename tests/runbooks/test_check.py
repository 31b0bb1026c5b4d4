"""Names that do not exist and guards that cannot work are found before the incident."""

from pathlib import Path

import pytest

from bot.catalog import Catalog, load_catalog
from bot.errors import BadInput
from bot.located import Problem
from bot.registry import Registry
from bot.runbooks.check import check, require_valid
from bot.runbooks.read import read
from tests.plainly import without_columns
from tests.runbooks.room import CALL, runbook, write_folder

LOOK = "action: http.check\nwith: {target: shop, path: /}"
SHIPPED = Path(__file__).parents[2] / "runbooks"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder = write_folder(tmp_path_factory.mktemp("runbooks"), "")
    return load_catalog(folder / "catalog")


def problems_of(text: str, registry: Registry, catalog: Catalog) -> list[Problem]:
    found, problems = read(text, "fix.md")
    assert problems == []
    assert found is not None
    return check(found, registry, catalog)


def test_what_ships_is_without_problems(registry: Registry) -> None:
    """The runbooks of this repository pass their own check."""
    catalog = load_catalog(SHIPPED / "catalog")
    for path in SHIPPED.glob("*.md"):
        assert problems_of(path.read_text("utf-8"), registry, catalog) == []


def test_a_good_runbook_passes(registry: Registry, catalog: Catalog) -> None:
    """Inputs, guards over earlier steps, an undo of its own."""
    guarded = 'guards: [{expect: "steps.s1.ok and inputs.n > 1"}]'
    undo = "undo: {action: http.put, with: {target: shop, path: /m, body: {{v}}}}".replace(
        "{{v}}", '"{{ steps.s2.status }}"'
    )
    text = runbook(LOOK, f"{CALL}\n{guarded}\n{undo}", front="inputs: {n: {type: integer}}")
    assert problems_of(text, registry, catalog) == []


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        (
            runbook("action: http.chek\nwith: {}"),
            "action: http.chek",
            "action: there is no action 'http.chek'; did you mean 'http.check'?",
        ),
        (
            runbook(LOOK, "action: nothing.at_all"),
            "action: nothing.at_all",
            "action: there is no action 'nothing.at_all'",
        ),
        (
            runbook(f"{CALL}\nundo:\n  action: http.cal"),
            "  action: http.cal",
            "undo.action: there is no action 'http.cal'; did you mean 'http.call'?",
        ),
        (
            runbook(f"{LOOK}\nverify:\n  - expect: out.ok\n    action: http.chekc"),
            "    action: http.chekc",
            "verify.0.action: there is no action 'http.chekc'",
        ),
        (
            runbook("action: http.check\nwith:\n  target: shop\n  pth: /"),
            "  pth: /",
            "with.pth: http.check has no such argument; did you mean 'path'?",
        ),
        (
            runbook("action: http.check\nwith: {target: shop}", LOOK),
            "with: {target: shop}",
            "with.path: http.check needs it",
        ),
        (
            runbook("action: http.check", LOOK),
            "id: s1",
            "with.target: http.check needs it",
        ),
        (
            runbook("action: http.check\nwith:\n  target: shop\n  path: /\n  count: many"),
            "  count: many",
            "with.count: Input should be a valid integer",
        ),
        (
            runbook("action: http.check\nwith: {target: shop, path: /../etc}"),
            "with: {target: shop, path: /../etc}",
            "with.path: '.' and '..' are not allowed in a path",
        ),
        (
            runbook("action: http.check\nwith: {target: shp, path: /}"),
            "with: {target: shp, path: /}",
            "with: there is no target 'http/shp' in the catalog; did you mean 'http/shop'?",
        ),
        (
            runbook(LOOK, front="triggers: [alert:Down, service:shp]"),
            "triggers: [alert:Down, service:shp]",
            "triggers.1: there is no service 'shp'; did you mean 'shop'?",
        ),
        (
            runbook(LOOK, front="triggers:\n  - alert:Down\n  - when it hurts"),
            "  - when it hurts",
            "triggers.1: 'when it hurts' must be alert:NAME, check:ID or service:ID",
        ),
        (
            runbook(LOOK, f'{CALL}\nguards:\n  - {{expect: "steps.s1.ok and"}}'),
            '  - {expect: "steps.s1.ok and"}',
            "guards.0.expect: 'steps.s1.ok and': ",
        ),
        (
            runbook(f'{LOOK}\nverify:\n  - expect: "out.ok | nope"'),
            '  - expect: "out.ok | nope"',
            "verify.0.expect: 'out.ok | nope': No filter named 'nope'",
        ),
        (
            runbook(f'{LOOK}\nverify:\n  - expect: "{"(" * 5000}"'),
            f'  - expect: "{"(" * 5000}"',
            "is longer than 2000 characters",
        ),
        (
            runbook(f'{LOOK}\nverify:\n  - expect: "{"(" * 900}1{")" * 900}"'),
            f'  - expect: "{"(" * 900}1{")" * 900}"',
            "is nested too deeply",
        ),
        (
            runbook(f'{LOOK}\nguards:\n  - expect: "inputs.zoen > 1"\n  - expect: "inputs.zone"',
                    front="inputs: {zone: {type: integer}}"),
            '  - expect: "inputs.zoen > 1"',
            "guards.0.expect: there is no input 'zoen'; did you mean 'zone'?",
        ),
        (
            runbook('action: http.check\nwith: {target: shop, path: "/{{ inputs.zone }}"}'),
            'with: {target: shop, path: "/{{ inputs.zone }}"}',
            "with: there is no input 'zone'",
        ),
        (
            runbook(f'{LOOK}\nguards:\n  - expect: "steps.s2.ok"', LOOK),
            '  - expect: "steps.s2.ok"',
            "guards.0.expect: there is no earlier step 's2'",
        ),
        (
            runbook(LOOK, front="inputs:\n  title: {type: integer}"),
            "  title: {type: integer}",
            "inputs.title: no step uses it",
        ),
        (
            runbook(f"{LOOK}\nvia: [direct, dierct]"),
            "via: [direct, dierct]",
            "via.1: there is no access path 'dierct'; did you mean 'direct'?",
        ),
        (
            runbook("action: http.call\nwith: {target: shop, path: /x}"),
            "id: s1",
            "verify: an action with effect 'once' needs a verify",
        ),
        (
            runbook(f"{LOOK}\nundo: {{none: it only looks}}"),
            "undo: {none: it only looks}",
            "undo: a reading step changes nothing, so leave undo out",
        ),
        (
            runbook(f"{LOOK}\nverify:\n  - expect: out.ok\n    action: http.call\n"
                    "    with: {target: shop, path: /}"),
            "    action: http.call",
            "verify.0.action: may only read; http.call changes things",
        ),
    ],
)  # fmt: skip
def test_a_wrong_name(
    text: str, mark: str, expected: str, registry: Registry, catalog: Catalog
) -> None:
    """One problem, on the very line that is wrong, with the near miss."""
    (problem,) = [p for p in problems_of(text, registry, catalog) if expected in str(p)]
    assert str(problem).startswith(f"fix.md:{problem.line}:{problem.column}: ")
    assert text.splitlines()[problem.line - 1] == mark


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{type: enum}", "inputs.zone.values: an enum needs its values"),
        ("{type: string}", "inputs.zone.pattern: a string needs a pattern"),
        ("{type: string, pattern: '['}", "inputs.zone.pattern: unterminated character set"),
        ("{type: enum, values: [a], default: b}", "inputs.zone.default: zone: 'b' is not one of a"),
        ("{type: integer, max: 3, default: 5}", "inputs.zone.default: zone: 5 is above 3"),
        ("{type: integer, min: 5, max: 3}", "inputs.zone.min: 5 is above max, 3"),
    ],
)
def test_an_input_that_cannot_work(
    spec: str, expected: str, registry: Registry, catalog: Catalog
) -> None:
    """Said on the input's own line, even if another input is wrong as well."""
    use = 'action: http.check\nwith: {target: shop, path: "/{{ inputs.zone }}/{{ inputs.a }}"}'
    text = runbook(use, front=f"inputs:\n  a: {{type: enum}}\n  zone: {spec}")
    first, second = problems_of(text, registry, catalog)
    assert without_columns(first) == "fix.md:6: inputs.a.values: an enum needs its values"
    assert without_columns(second).startswith(f"fix.md:7: {expected}")


def test_problems_become_one_error_for_the_caller() -> None:
    """All of them, one a line; none is no error."""
    require_valid([])
    with pytest.raises(BadInput, match=r"(?s)fix.md:1:1: a\nfix.md:2:1: b"):
        require_valid([Problem("fix.md", 1, "a"), Problem("fix.md", 2, "b")])
