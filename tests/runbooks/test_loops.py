"""A runbook that needs what it repairs is found before the incident, and told by its loop."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.catalog import load_catalog
from bot.registry import Registry
from bot.runbooks import Library
from bot.runbooks.loops import lint_loops
from tests.plainly import without_columns
from tests.runbooks.ground import NODES, PATHS, TARGETS, check, fence, loops, parsed, put, repairs
from tests.runbooks.room import PEOPLE, runbook

SHIPPED = Path(__file__).parents[2] / "runbooks"


CALLED = runbook(check("http/inband"), name="called")
CALLED_HOST = runbook(
    fence("{{ inputs.host }}"), name="called", front="inputs: {host: {type: host, required: true}}"
)
LOOPS = {
    "the path itself": (
        runbook(check("http/inband"), front=repairs("path:direct")),
        "step s1 has no way to http/inband: path direct",
    ),
    "one hop": (
        runbook(check("http/inband"), front=repairs("network:corp")),
        "step s1 has no way to http/inband: path direct → network:corp",
    ),
    "four hops": (
        runbook(fence("pg1"), front=repairs("network:corp")),
        "step s1 has no way to ssh/pg1: path bastion → sso:okta → dns:corp → network:corp",
    ),
    "a credential": (
        runbook(check("http/shop", "via: [keyed]"), front=repairs("sso:okta")),
        "step s1 has no way to http/shop: path keyed → credential:issued → sso:okta",
    ),
    "a credential of the target": (
        runbook(check("http/token"), front=repairs("sso:okta")),
        "step s1 has no way to http/token: target http/token → credential:issued → sso:okta",
    ),
    "a secret out of Vault": (
        runbook(check("http/shop", "via: [sealed]"), front=repairs("jackline:secrets")),
        "step s1 has no way to http/shop: path sealed → credential:sealed → jackline:secrets",
    ),
    "a bastion's own DNS": (
        runbook(check("http/shop", "via: [named]"), front=repairs("dns:ops")),
        "step s1 has no way to http/shop: path named → dns:ops",
    ),
    "a proxy's credential, by a check's service": (
        runbook(check("http/shop", "via: [proxied]"), front="triggers: ['check:edge-up']"),
        "step s1 has no way to http/shop: path proxied → credential:proxy → service:edge",
    ),
    "a provider, by its region": (
        runbook(check("http/far"), front=repairs("provider:cloud")),
        "step s1 has no way to http/far: target http/far → region:eu-1 → provider:cloud",
    ),
    "a service that the target needs": (
        runbook(check("http/deaf"), front=repairs("service:edge")),
        "step s1 has no way to http/deaf: target http/deaf → service:edge",
    ),
    "a list that overrides the catalog's": (
        runbook(check("http/shop", "via: [direct, bastion]"), front=repairs("network:corp")),
        ("step s1 has no way to http/shop: path direct → network:corp; "
        "path bastion → sso:okta → dns:corp → network:corp"),
    ),
    "one of the paths that must all be there": (
        runbook(check("http/shop", "via: {all: [direct, oob]}"), front=repairs("network:corp")),
        "step s1 has no way to http/shop: path direct → network:corp",
    ),
    "a guard": (
        runbook(
            put("http/shop", "undo: auto\nguards: [{action: http.check, "
                "with: {target: http/inband, path: /}, expect: out.ok}]"),
            front=repairs("network:corp"),
        ),
        "step s1 has no way to http/inband for its guard: path direct → network:corp",
    ),
    "a guard's own path": (
        runbook(
            put("http/shop", "undo: auto\nguards: [{action: http.check, "
                "with: {target: http/shop, path: /}, via: [bastion], expect: out.ok}]"),
            front=repairs("sso:okta"),
        ),
        "step s1 has no way to http/shop for its guard: path bastion → sso:okta",
    ),
    "a verify": (
        runbook(
            check("http/shop", "verify: [{action: http.check, "
                  "with: {target: http/inband, path: /}, expect: out.ok}]"),
            front=repairs("network:corp"),
        ),
        "step s1 has no way to http/inband for its verify: path direct → network:corp",
    ),
    "an undo": (
        runbook(
            put("http/shop", "undo: {action: http.put, with: {target: http/inband, path: /}}"),
            front=repairs("network:corp"),
        ),
        "step s1 has no way to http/inband for its undo: path direct → network:corp",
    ),
    "the hosts of a list": (
        runbook(fence("{{ item }}", "foreach: {items: [pg2, pg1]}"), front=repairs("sso:okta")),
        "step s1 has no way to ssh/pg1: path bastion → sso:okta",
    ),
    "every choice of an enum": (
        runbook(
            check("{{ inputs.at }}"),
            front=repairs(
                "network:corp", "region:eu-1",
                more="inputs: {at: {type: enum, values: [inband, far]}}",
            ),
        ),
        "step s1 has no way to http/inband (nor to 1 more): path direct → network:corp",
    ),
    "every host there is": (
        runbook(
            fence("{{ inputs.host }}"),
            front=repairs("sso:okta", "network:oob", more="inputs: {host: {type: host}}"),
        ),
        "step s1 has no way to ssh/pg1 (nor to 1 more): path bastion → sso:okta",
    ),
    "whatever host an earlier step finds": (
        runbook(
            check("http/shop", "via: [immune]"), fence("{{ steps.s1.host }}"),
            front=repairs("sso:okta", "network:oob"),
        ),
        "step s2 has no way to ssh/pg1 (nor to 1 more): path bastion → sso:okta",
    ),
    "a path of which nobody said what it stands on": (
        runbook(check("http/unsaid"), front=repairs("dns:ops")),
        "step s1 has no way to http/unsaid: path unsaid → dns:ops",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), LOOPS.values(), ids=LOOPS)
def test_loop(registry: Registry, text: str, expected: str) -> None:
    """Each kind is one error, with the whole chain."""
    found = [
        p.message
        for p in loops(registry, text)
        if not p.message.startswith("this runbook repairs what")
    ]
    assert found == [f"{expected}, which this runbook repairs"]


@pytest.mark.parametrize(
    ("called", "with_", "expected"),
    [
        (CALLED, "", "whose step s1 has no way to http/inband: path direct → network:corp"),
        (CALLED_HOST, "with: {host: pg1}", "whose step s1 has no way to ssh/pg1: path bastion → sso:okta → dns:corp → network:corp"),
    ],
)  # fmt: skip
def test_a_called_runbook(registry: Registry, called: str, with_: str, expected: str) -> None:
    """Its steps count for the caller, with the inputs that it is given; alone it is well."""
    text = runbook(f"runbook: called\n{with_}", front=repairs("network:corp"))
    (found,) = loops(registry, text, called)
    assert (found.path, found.message) == (
        "0.md",
        f"step s1 calls called, {expected}, which this runbook repairs",
    )


NO_LOOPS = {
    "nothing is said to be down": runbook(check("http/inband")),
    "another path is left": runbook(check("http/shop"), front=repairs("network:corp")),
    "slack alone": runbook(check("http/inband"), fence("pg1"), front=repairs("slack")),
    "sign-in alone": runbook(check("http/inband"), front=repairs("jackline:identity")),
    "the repaired service's own balancer": runbook(
        put("http/shop"), front="triggers: [service:shop, 'check:shop-up']"
    ),
    "one choice is left": runbook(
        fence("{{ inputs.host }}"), front=repairs("sso:okta", more="inputs: {host: {type: host}}")
    ),
    "one choice of an enum is left": runbook(
        check("{{ inputs.at }}"),
        front=repairs("network:corp", more="inputs: {at: {type: enum, values: [shop, inband]}}"),
    ),
    "any target at all may be meant": runbook(
        check("{{ inputs.at }}"),
        front=repairs("network:corp", more="inputs: {at: {type: string, pattern: '.+'}}"),
    ),
    "people and times need no path": runbook(
        "manual: {checklist: [Walk there]}", "wait: 5s", "notify: Done",
        front=repairs("network:corp", "network:oob"),
    ),
    "nobody said, but it asks no name server": runbook(
        check("http/pinned"), front=repairs("dns:ops")
    ),
    "somebody said that it needs nothing": runbook(
        check("http/inband", "via: [immune]"), front=repairs("network:corp", "dns:ops")
    ),
    "a sealed credential in the go-bag": runbook(
        check("http/shop", "via: [sealed]"),
        front=repairs("jackline:secrets", more="from_bag: true"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", NO_LOOPS.values(), ids=NO_LOOPS)
def test_no_loop(registry: Registry, text: str) -> None:
    """What only looks like one is none."""
    assert loops(registry, text) == []


def test_a_typo_in_repairs_switches_nothing_off(registry: Registry) -> None:
    """A name that the catalog does not know is an error with the nearest one."""
    (found,) = loops(registry, runbook(check("http/shop"), front=repairs("slack", "dns:crop")))
    assert (found.line, found.message) == (
        5,
        "repairs: nothing in the catalog is 'dns:crop'; did you mean 'dns:corp'?",
    )


def test_a_loop_stands_where_its_paths_do(registry: Registry) -> None:
    """At the step's `via`, else at its `with`; at the guard's own; at `repairs` for the bot's."""
    guard = (
        "guards:\n  - action: http.check\n    with: {target: http/inband, path: /}\n"
        "    expect: out.ok"
    )
    text = runbook(
        check("http/shop", "via: [bastion]"),
        put("http/shop", f"undo: auto\n{guard}"),
        fence("pg1"),
        front=repairs("network:corp", "service:orders"),
    )
    marks = ["repairs: [", "via: [bastion]", "    with: {target: http/inband", 'with: {host: "pg1"']
    lines = text.splitlines()
    expected = [next(n for n, line in enumerate(lines, 1) if line.startswith(m)) for m in marks]
    assert sorted(p.line for p in loops(registry, text)) == expected


def test_a_loop_leaves_the_runbook_in_force(registry: Registry, tmp_path: Path) -> None:
    """It may be all there is. The problem is told until either file mends it."""
    folder = tmp_path / "runbooks"
    (folder / "catalog").mkdir(parents=True)
    catalog: dict[str, Any] = {"people": PEOPLE, "nodes": NODES[:2], "targets": TARGETS[1:2]}
    file = folder / "catalog" / "all.yaml"
    file.write_text(yaml.safe_dump({**catalog, "paths": PATHS[:2]}))
    (folder / "fix.md").write_text(runbook(check("inband"), front=repairs("network:corp")))
    library = Library(folder, registry)
    assert set(library.runbooks) == {"fix"}
    ((problem,),) = library.problems.values()
    assert library.words(problem).startswith("There is an error, and a run may fail by it: ")
    assert without_columns(problem).endswith(
        "step s1 has no way to http/inband: path direct → network:corp, which this runbook repairs"
    )
    mended = {**catalog, "paths": [{"name": "direct", "depends_on": ["network:oob"]}]}
    file.write_text(yaml.safe_dump(mended))
    assert library.reload()
    assert library.problems == {}


def test_what_ships_has_no_loop(registry: Registry) -> None:
    """And it says what it stands on: no path of it leaves that out."""
    catalog = load_catalog(SHIPPED / "catalog")
    files = sorted(SHIPPED.glob("*.md"))
    books = {b.id: b for b in (parsed(f.read_text("utf-8"), str(f)) for f in files)}
    assert lint_loops(books, catalog, registry) == []
    assert all("depends_on" in path.model_fields_set for path in catalog.paths)
    assert {"jackline:store", "jackline:placement"} <= {node.id for node in catalog.nodes}
