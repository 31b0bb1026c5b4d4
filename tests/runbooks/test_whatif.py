"""Which runbooks still run, and what would leave one dead: compared with trying everything."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.catalog import Catalog
from bot.registry import Registry, load
from bot.runbooks.whatif import WhatIf
from tests.runbooks.ground import CATALOG, check, fence, parsed, put, repairs
from tests.runbooks.room import runbook

REGISTRY = load()
NODES = [f"dns:{letter}" for letter in "abcde"]
PATHS = ["p", "q", "r"]
TARGETS = ["http/x", "http/y"]


def asked(registry: Registry, text: str, *others: str) -> WhatIf:
    books = [parsed(each) for each in (text, *others)]
    return WhatIf({book.id: book for book in books}, CATALOG, registry)


def test_first_path_that_survives(registry: Registry) -> None:
    """For each step and what it looks at; a dead one says why."""
    guard = "guards: [{action: http.check, with: {target: inband, path: /}, expect: out.ok}]"
    question = asked(registry, runbook(check("http/shop"), put("shop", f"undo: auto\n{guard}")))
    found = question.down(question.scope.runbooks["fix"], ["network:corp"])
    assert [(r.step, r.role, r.target, r.path, r.why) for r in found.reaches] == [
        ("s1", "", "http/shop", "oob", ""),
        ("s2", "", "http/shop", "oob", ""),
        ("s2", "guard", "http/inband", "", "path direct → network:corp"),
    ]
    assert (found.runs, found.partly, found.untold) == (False, False, ())


def test_the_path_is_the_one_that_a_run_would_take(registry: Registry) -> None:
    """By rank first, as `Dialer.paths` has it, then as the target lists them."""
    question = asked(registry, runbook(check("http/shop")))
    paths = [p.model_copy(update={"rank": 5 * (p.name != "oob")}) for p in CATALOG.paths]
    ranked = CATALOG.model_copy(update={"paths": paths})
    books = question.scope.runbooks
    for catalog, first in ((CATALOG, "direct"), (ranked, "oob")):
        found = WhatIf(books, catalog, registry).down(books["fix"], [])
        assert [reach.path for reach in found.reaches] == [first]


def test_in_part(registry: Registry) -> None:
    """A host out of reach is not the end while another may be chosen."""
    text = runbook(fence("{{ inputs.host }}"), front="inputs: {host: {type: host}}")
    question = asked(registry, text)
    book = question.scope.runbooks["fix"]
    for down, expected in (
        (["slack"], (True, False)),
        (["sso:okta"], (True, True)),
        (["sso:okta", "network:oob"], (False, False)),
    ):
        found = question.down(book, down)
        assert (found.runs, found.partly) == expected, down


def test_a_called_runbook_counts(registry: Registry) -> None:
    """Named with the step that calls it."""
    question = asked(registry, runbook("runbook: called"), runbook(check("inband"), name="called"))
    (reach,) = question.down(question.scope.runbooks["fix"], ["network:corp"]).reaches
    assert (reach.step, reach.path) == ("s1 → called → s1", "")


def test_the_bag_has_its_own_graph(registry: Registry) -> None:
    """What is sealed in it does not need the secrets' store."""
    sealed = check("http/shop", "via: [sealed]")
    for front, runs in (("", False), ("from_bag: true", True)):
        question = asked(registry, runbook(sealed, front=front))
        book = question.scope.runbooks["fix"]
        assert question.down(book, ["jackline:secrets"]).runs is runs


def test_jacklines_own_parts(registry: Registry) -> None:
    """Which fall, by which chain."""
    question = asked(registry, runbook(check("http/shop"), front=repairs("slack")))
    assert question.own(["network:corp"]) == {
        "chat": ["jackline:chat", "slack", "dns:corp", "network:corp"],
        "identity": ["jackline:identity", "sso:okta", "dns:corp", "network:corp"],
    }


def lists(names: list[str], least: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), min_size=least, max_size=3, unique=True)


STEPS = st.sampled_from(
    [
        check("x"),
        check("y"),
        check("x", "via: [r, p]"),
        check("y", "via: {all: [p, q]}"),
        check("{{ inputs.at }}"),
        check("{{ item }}", "foreach: {items: [x, y]}"),
    ]
)
FRONT = "inputs: {at: {type: enum, values: [x, y]}}"


@settings(max_examples=60)
@given(st.data())
def test_cuts_are_exactly_the_smallest_that_kill(data: st.DataObject) -> None:
    """Each kills, no part of it does, and there are no others: by trying every set of failures."""
    catalog = Catalog.model_validate({
        "nodes": [{"id": n, "depends_on": data.draw(lists(NODES))} for n in NODES],
        "paths": [{"name": p, "depends_on": data.draw(lists(NODES))} for p in PATHS],
        "targets": [
            {"name": t, "url": "http://x", "via": data.draw(lists(PATHS, 1)),
             "depends_on": data.draw(st.lists(st.sampled_from(NODES), max_size=1))}
            for t in TARGETS
        ],
    })  # fmt: skip
    book = parsed(runbook(*data.draw(st.lists(STEPS, min_size=1, max_size=3)), front=FRONT))
    question = WhatIf({book.id: book}, catalog, REGISTRY)
    all_nodes = [*NODES, *(f"path:{p}" for p in PATHS), *(f"target:{t}" for t in TARGETS)]
    smallest: set[frozenset[str]] = set()
    for size in (1, 2, 3):
        for each in combinations(all_nodes, size):
            failed = frozenset(each)
            if not any(s < failed for s in smallest) and not question.down(book, failed).runs:
                smallest.add(failed)
    found = question.cuts(book, 3)
    assert set(found.sets) == smallest
    assert found.whole
