"""Names in the catalog lead somewhere, once, and never in a circle."""

from pathlib import Path

import pytest

from bot.catalog import load_catalog
from tests.catalog.test_load import refused, write

SERVICES = """services:
  - {id: shop, title: Shop, tier: p0}
  - {id: web, title: Web, tier: p1}
"""
PEOPLE = "people:\n  - {id: ana, name: Ana, groups: [security]}\n"
PAGES = """targets:
  - {name: a/b, url: 'https://x.org'}
status_pages:
  - {id: public, integration: cstate, target: a/b}
"""
LONG = "services:\n  - id: shop\n    title: S\n    tier: p0\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "services:\n  - id: shop\n    title: S\n    tier: p0\n    depends_on:\n      - pay",
            "6: depends_on: there is no 'pay'",
        ),
        (
            f"{SERVICES}  - {{id: x, title: X, tier: p2, depends_on: [shop, shp]}}",
            "4: depends_on: there is no 'shp'; did you mean 'shop'?",
        ),
        (
            f"{SERVICES}rules:\n  - {{service: wbe}}",
            "5: service: there is no 'wbe'; did you mean 'web'?",
        ),
        (
            f"{LONG}    evidence:\n      - {{integration: http, target: http/gone, queries: {{}}}}",
            "6: evidence.0.target: there is no 'http/gone'",
        ),
        (
            "targets:\n  - {name: http/a, url: 'http://a', via: [direct, bastion]}",
            "2: via: there is no 'bastion'",
        ),
        (
            "paths:\n  - {name: pinned}\ntargets:\n  - {name: http/a, url: 'http://a'}",
            "4: via: there is no 'direct'",
        ),
        (
            "sources:\n  - {name: a, integration: sns, via: [bastion]}",
            "2: via: there is no 'bastion'",
        ),
        (
            f"{SERVICES}freezes:\n  - {{name: peak, since: 2026-12-01, until: 2026-12-24, services: [shop, wbe]}}",
            "5: services: there is no 'wbe'; did you mean 'web'?",
        ),
        (
            f"{PAGES}audiences:\n  - {{id: customers, status_pages: [publik]}}",
            "6: status_pages: there is no 'publik'; did you mean 'public'?",
        ),
        (
            f"{PEOPLE}rules:\n  - people:\n      - ana\n      - anna",
            "6: people: there is no 'anna'; did you mean 'ana'?",
        ),
        (
            f"{PEOPLE}rules:\n  - people: [ana, '@security', '@securty']",
            "4: people: there is no '@securty'; did you mean '@security'?",
        ),
        (
            f"{PEOPLE}rules:\n  - people: ['@ana']",
            "4: people: there is no '@ana'",
        ),
        (
            "notifiers:\n  - {id: mail, integration: smtp, target: smtp/gone, to: [a@b.c]}",
            "2: target: there is no 'smtp/gone'",
        ),
    ],
    ids=[
        "service",
        "near",
        "rule",
        "evidence",
        "path",
        "default-path",
        "source",
        "freeze",
        "audience's page",
        "person",
        "group",
        "a person is no group",
        "notifier",
    ],
)
def test_a_name_that_leads_nowhere(tmp_path: Path, text: str, said: str) -> None:
    assert refused(write(tmp_path, text)) == f"all.yaml:{said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"{SERVICES}  - {{id: shop, title: Again, tier: p2}}",
            "4: id: service 'shop' is defined twice",
        ),
        (
            "people:\n  - {id: ana, name: Ana}\n  - {id: ana, name: Ana B}",
            "3: id: person 'ana' is defined twice",
        ),
        (
            "people:\n  - {id: ana, name: A, slack: ['T:U']}\n  - {id: ben, name: B, slack: ['T:U']}",
            "3: slack: Slack user 'T:U' is defined twice",
        ),
        (
            "targets:\n  - {name: http/a, url: 'http://a'}\n  - {name: http/a, url: 'http://b'}",
            "3: name: target 'http/a' is defined twice",
        ),
        (
            "paths:\n  - {name: direct}\n  - {name: direct}",
            "3: name: path 'direct' is defined twice",
        ),
        (
            f"{LONG}    checks:\n      - {{id: up, url: 'http://a'}}\n      - {{id: up, url: 'http://b'}}",
            "7: checks.1.id: check 'up' is defined twice",
        ),
        (
            "targets: [{name: smtp/r, url: 'tcp://a'}]\nnotifiers:\n"
            + 2 * "  - {id: m, integration: smtp, target: smtp/r, to: [a]}\n",
            "4: id: notifier 'm' is defined twice",
        ),
    ],
    ids=["service", "person", "slack", "target", "path", "check", "notifier"],
)
def test_a_name_defined_twice(tmp_path: Path, text: str, said: str) -> None:
    """Which one is meant would depend on the order of files; a Slack user is one person."""
    assert refused(write(tmp_path, text)) == f"all.yaml:{said}"


def test_a_name_defined_in_two_files(tmp_path: Path) -> None:
    """The second file is the one named."""
    write(tmp_path, SERVICES, "a.yaml")
    write(tmp_path, "\n" + SERVICES, "b.yaml")
    assert refused(tmp_path) == "b.yaml:3: id: service 'shop' is defined twice"


@pytest.mark.parametrize(
    ("needs", "circle"),
    [
        ({"a": ["a"]}, ["a → a"]),
        ({"a": ["b"], "b": ["a"]}, ["a → b → a", "b → a → b"]),
        (
            {"a": ["b"], "b": ["c"], "c": ["b"]},
            ["b → c → b", "c → b → c"],
        ),
    ],
)
def test_services_that_need_each_other_in_a_circle(
    tmp_path: Path, needs: dict[str, list[str]], circle: list[str]
) -> None:
    """The circle is printed, so that one can see where to cut it."""
    rows = [f"  - {{id: {k}, title: T, tier: p0, depends_on: {v}}}" for k, v in needs.items()]
    said = refused(write(tmp_path, "\n".join(["services:", *rows]).replace("'", "")))
    place, _, printed = said.partition(": depends_on: runs in a circle: ")
    assert printed in circle
    assert place == f"all.yaml:{list(needs).index(printed[0]) + 2}"


def test_a_long_chain_is_no_circle(tmp_path: Path) -> None:
    """Two thousand services in a row, deeper than Python recurses."""
    rows = [f"- {{id: s{n}, title: T, tier: p2, depends_on: [s{n + 1}]}}" for n in range(2000)]
    write(tmp_path, "services:\n" + "\n".join([*rows, "- {id: s2000, title: T, tier: p2}"]))
    assert len(load_catalog(tmp_path).services) == 2001


def test_a_check_of_a_target_that_speaks_something_else(tmp_path: Path) -> None:
    """And what a step names may be a setting of the target, if it has that."""
    steps = "target: http/a, steps: [{path: '/$user'}]"
    text = f"{LONG}    checks:\n      - {{id: up, %s}}\ntargets:\n  - {{name: http/a, %s}}"
    write(tmp_path, text % (steps, "url: 'http://a', settings: {user: jack}"))
    assert load_catalog(tmp_path).services[0].checks[0].steps[0].uses == {"user"}
    said = refused(write(tmp_path, text % (steps, "url: 'http://a', settings: {users: jack}")))
    assert said == (
        "all.yaml:6: checks.0.steps: no step before it saves 'user'; did you mean 'users'?"
    )
    said = refused(write(tmp_path, text % ("target: http/a", "url: 'tcp://a:1'")))
    assert said == "all.yaml:6: checks.0.target: a check of kind http cannot speak with tcp://a:1"
