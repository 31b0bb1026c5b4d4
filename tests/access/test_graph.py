"""What stands on what, what falls with it, and the picture of that."""

import itertools
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.access.cuts import cuts
from bot.access.graph import Graph, graph_of, shown
from bot.access.picture import picture
from bot.catalog import Catalog, load_catalog
from tests.runbooks.ground import CATALOG, EVERYTHING

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
NAMES = [f"n:{letter}" for letter in "abcdefg"]


def edges(**more: object) -> set[tuple[str, str]]:
    graph = graph_of(Catalog.model_validate(EVERYTHING | more))
    return {(node, need) for node, needs in graph.needs.items() for need in needs}


@pytest.mark.parametrize(
    "edge",
    [
        ("service:shop", "service:edge"),
        ("service:shop", "dns:corp"),
        ("service:orders", "target:patroni/orders"),
        ("dns:corp", "network:corp"),
        ("path:bastion", "sso:okta"),
        ("path:keyed", "credential:issued"),
        ("path:proxied", "credential:proxy"),
        ("credential:issued", "sso:okta"),
        ("credential:issued", "jackline:secrets"),
        ("target:http/deaf", "service:edge"),
        ("target:http/token", "credential:issued"),
        ("jackline:store", "service:orders"),
    ],
)
def test_stands_on(edge: tuple[str, str]) -> None:
    """Everything that the catalog says, or that a reference implies."""
    assert edge in edges()


def test_of_is_no_need() -> None:
    """A service that is down does not make its balancer deaf; a path is an alternative, no need."""
    found = edges()
    assert ("target:http/shop", "service:shop") not in found
    assert ("target:http/shop", "path:direct") not in found


def test_credentials_are_found_in_settings_and_not_in_texts() -> None:
    """The whole value, or the end of a header; a Vault path by itself needs the secrets."""
    settings = {
        "password": "credential:proxy",
        "key": "vault:ssh/key",
        "commands": '{"echo": "credential:issued is not used"}',
    }
    found = edges(targets=[{"name": "ssh/x", "url": "ssh://a@x", "settings": settings}])
    needed = {need for node, need in found if node == "target:ssh/x"}
    assert needed == {"credential:proxy", "jackline:secrets"}


def test_a_path_that_says_nothing_is_not_immune() -> None:
    """It falls with every carrier there is; one that asks no name server, not with those."""
    graph = graph_of(CATALOG)
    carriers = {"internet", "network:corp", "network:oob", "dns:corp", "dns:ops"}
    assert set(graph.needs["path:unsaid"]) == carriers
    assert set(graph.needs["path:unsaid-pinned"]) == carriers - {"dns:corp", "dns:ops"}
    assert graph.needs["path:immune"] == ()
    assert {path for path, _ in graph.assumed} == {"path:unsaid", "path:unsaid-pinned"}


@pytest.mark.parametrize(
    ("kind", "url", "pins", "asks"),
    [
        ("pinned", "http://a:1", {"a": "192.0.2.1"}, False),
        ("pinned", "http://b", {"a": "192.0.2.1"}, True),
        ("pinned", "http://b", {"b": "oob.example.com"}, True),
        ("interface", "ssh://me@host", {}, True),
        ("interface", "ssh://me@192.0.2.7:22", {}, False),
        ("bmc", "https://[2001:db8::1]", {}, False),
        ("bmc", "https://bmc.oob.example.com", {}, True),
        ("direct", "http://192.0.2.7", {}, True),
    ],
)
def test_a_path_by_address_asks_for_names_all_the_same(
    kind: str, url: str, pins: dict[str, str], asks: bool
) -> None:
    """Where a target is called by a name that the path has no address for, it falls with DNS."""
    bind = {"bind": "oob0"} if kind in ("interface", "bmc") else {}
    path = {"name": "way", "kind": kind, "connect_to": pins} | bind
    found = edges(
        targets=[
            {"name": "http/x", "url": url, "via": ["way"]},
            {"name": "http/y", "url": "http://elsewhere", "via": ["direct"]},
        ],
        paths=[{"name": "direct", "depends_on": []}, path],
    )
    assert (("path:way", "dns:corp") in found) is asks


def test_what_falls_says_why() -> None:
    """The shortest chain down to what failed; what stands on other things stays."""
    fall = graph_of(CATALOG).down(["network:corp"])
    assert shown(fall.chain("path:bastion")) == (
        "path bastion → sso:okta → dns:corp → network:corp"
    )
    assert fall.chain("network:corp") == ["network:corp"]
    assert "path:oob" not in fall


def test_an_emergency_credential_lies_in_the_bag() -> None:
    """Without Vault, then; an issued one does not."""
    bag = graph_of(CATALOG, bag=True)
    assert "jackline:secrets" not in bag.under("path:sealed")
    assert "jackline:secrets" in bag.under("path:keyed")
    assert "jackline:secrets" in graph_of(CATALOG).under("path:sealed")


@given(
    st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3)),
    st.sets(st.sampled_from(NAMES), max_size=3),
)
def test_falls_exactly_what_stands_on_it(needs: dict[str, list[str]], failed: set[str]) -> None:
    """`down` and `under` are each other's mirror, in circles too, and each chain is made of edges."""
    graph = Graph({node: tuple(on) for node, on in needs.items()})
    fall = graph.down(failed)
    for node in NAMES:
        assert (node in fall) == bool(graph.under(node) & failed)
        if node in fall:
            chain = fall.chain(node)
            assert chain[-1] in failed
            assert all(two in needs[one] for one, two in itertools.pairwise(chain))


def test_a_search_that_would_not_end_says_so() -> None:
    """Many ways with little in common: what was found is right, and it is said to be not all."""
    ways = frozenset(frozenset(f"n:{w}.{i}" for i in range(60)) for w in range(5))
    found = cuts([ways], most=5)
    assert not found.whole
    assert all(all(way & cut for way in ways) for cut in found.sets)


@pytest.mark.parametrize("failed", [(), ("network:corp",)])
def test_picture(failed: tuple[str, ...]) -> None:
    """Every node that stands on something, or is stood on, once; no two boxes overlap."""
    svg = ET.fromstring(picture(CATALOG, failed))
    boxes = [
        (shape.get("x"), shape.get("y"))
        for group in svg.iter(f"{SVG}g")
        for shape in group.iter(f"{SVG}rect")
    ]
    assert len(set(boxes)) == len(boxes) > 10
    texts = [text.text for text in svg.iter(f"{SVG}text")]
    for name in ("shop", "direct", "ssh/pg1", "dns:corp", "jackline:store"):
        assert texts.count(name) == 1
    titles = [title.text for title in svg.iter(f"{SVG}title")]
    assert ("sso:okta → dns:corp → network:corp" in titles) == bool(failed)
    assert ("target:http/inband has no path left" in titles) == bool(failed)


def test_picture_escapes_and_takes_nothing_from_outside() -> None:
    """No style, script or link: the console's policy would refuse it."""
    text = picture(CATALOG)
    assert "style=" not in text
    assert "href" not in text
    assert {node.tag.removeprefix(SVG) for node in ET.fromstring(text).iter()} == {
        "svg", "title", "rect", "marker", "path", "polygon", "text", "g"
    }  # fmt: skip


def test_picture_of_a_circle_and_of_nothing() -> None:
    """Nodes may stand on each other; a catalog may be empty."""
    circle = [{"id": "vpn:a", "depends_on": ["sso:b"]}, {"id": "sso:b", "depends_on": ["vpn:a"]}]
    drawn = picture(Catalog.model_validate({"nodes": circle}))
    assert drawn.count("sso:b") == 2
    assert ET.fromstring(picture(Catalog())).tag == f"{SVG}svg"


def test_the_page_shows_what_ships() -> None:
    """docs/access.svg is drawn from the shipped catalog: `jackline access graph` writes it anew."""
    drawn = picture(load_catalog(ROOT / "runbooks" / "catalog"))
    assert (ROOT / "docs" / "access.svg").read_text("utf-8") == drawn, (
        "jackline access graph > docs/access.svg"
    )
