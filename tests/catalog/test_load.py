"""The catalog's files are read whole or refused with file, line and field."""

from pathlib import Path
from textwrap import dedent

import pytest

from bot.catalog import Catalog, load_catalog
from bot.errors import BadInput
from tests.plainly import without_columns

SERVICE = "{id: shop, title: Shop, tier: p0}"


def write(folder: Path, text: str | bytes, name: str = "all.yaml") -> Path:
    data = text if isinstance(text, bytes) else dedent(text).encode()
    (folder / name).write_bytes(data)
    return folder


def refused(folder: Path) -> str:
    """What the loader says, without the folder; it is one line that a person can act on."""
    with pytest.raises(BadInput) as caught:
        load_catalog(folder)
    message = str(caught.value)
    assert message.startswith(str(folder))
    assert "\n" not in message
    return without_columns(message).removeprefix(f"{folder}/")


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "---\n", "services: []\n", "{}"])
def test_an_empty_file_is_an_empty_catalog(tmp_path: Path, text: str) -> None:
    assert load_catalog(write(tmp_path, text)) == Catalog()


def test_an_absent_folder_is_an_empty_catalog(tmp_path: Path) -> None:
    """Jackline starts without a catalog: alerts still become incidents."""
    assert load_catalog(tmp_path / "nowhere") == Catalog()
    assert load_catalog(tmp_path / "nowhere").path("direct") is not None


def test_sections_of_several_files_are_one_catalog(tmp_path: Path) -> None:
    """References may lead from one file into another, whatever their order."""
    write(tmp_path, "services: [{id: web, title: Web, tier: p1, depends_on: [shop]}]", "a.yaml")
    write(tmp_path, f"services: [{SERVICE}]\nrules: [{{service: web}}]", "b.yaml")
    write(tmp_path, "not: [read", "c.yaml.orig")
    catalog = load_catalog(tmp_path)
    assert [s.id for s in catalog.services] == ["web", "shop"]
    assert catalog.service("shop") is not None
    assert catalog.service("gone") is None


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    write(tmp_path, b"\xef\xbb\xbfservices: [" + SERVICE.encode() + b"]")
    assert load_catalog(tmp_path).services[0].id == "shop"


def test_a_person_is_found_by_workspace_and_user(tmp_path: Path) -> None:
    write(tmp_path, "people: [{id: ana, name: Ana, slack: ['T1:U1']}]")
    catalog = load_catalog(tmp_path)
    assert catalog.person_of_slack("T1", "U1") == catalog.person("ana")
    assert catalog.person_of_slack("T2", "U1") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text", "1: must be a mapping of services, people, rules, targets, paths, credentials, nodes, freezes, maintenance, sources, heartbeats, notifiers, contacts, drills, schedules, escalations, status_pages, paper_places, severities, audiences, regulations, redactions, trackers, digests"),
        ("- a", "1: must be a mapping of services, people, rules, targets, paths, credentials, nodes, freezes, maintenance, sources, heartbeats, notifiers, contacts, drills, schedules, escalations, status_pages, paper_places, severities, audiences, regulations, redactions, trackers, digests"),
        ("\nservcies: []", "2: servcies: unknown section; did you mean 'services'?"),
        ("1: []", "1: 1: unknown section; use services, people, rules, targets, paths, credentials, nodes, freezes, maintenance, sources, heartbeats, notifiers, contacts, drills, schedules, escalations, status_pages, paper_places, severities, audiences, regulations, redactions, trackers, digests"),
        ("? [a]\n: []", "1: a key must be plain text"),
        ("services:\n  shop: {title: Shop}", "1: services: must be a list"),
        ("people:\n", "1: people: must be a list"),
        ("services: !!set {a}", "1: services: must be a list"),
        ("services:\n  - shop", "2: must be a mapping"),
        ("services: [~]", "1: must be a mapping"),
        ("services:\n  - [shop]", "2: must be a mapping"),
        ("services:\n  - id: shop\n    title: Shop", "2: tier: is missing"),
        ("services: !!omap [id: shop]", "1: title: is missing"),
    ],
)  # fmt: skip
def test_a_wrong_shape(tmp_path: Path, text: str, said: str) -> None:
    assert refused(write(tmp_path, text)) == f"all.yaml:{said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"services: []\n# \xff", "2: is not UTF-8 text"),
        ("services: [\x01]", "1: has a character that YAML does not allow"),
        ("services:\n  - {id: [}", "2: "),
        ("services:\n\t- a", "2: found character '\\t' that cannot start any token"),
        ("services: *gone", "1: found undefined alias 'gone'"),
        ("services: []\n---\npeople: []", "2: but found another document"),
        ("services:\n  - id: 2026-13-45", "2: '2026-13-45' cannot be read: month must be in 1..12"),
        ("services:\n  - id: !!bool perhaps", "2: 'perhaps' cannot be read: "),
        (f"services:\n  - id: {'9' * 5000}", "2: '9999"),
        ("services: [!!python/object:os.system {}]", "1: could not determine a constructor"),
        ("services: [{<<: 1}]", "1: expected a mapping"),
        (f"services: {'[' * 3000}{']' * 3000}", "1: is nested too deeply"),
        ("services: " + "[" * 300_000, "1: is nested too deeply"),
        ("services:\n  - &a {id: a, title: *a}", "2: found unconstructable recursive node"),
        ("services: &a [*a]", "1: must be a mapping"),
    ],
    ids=[
        "latin-1", "control", "syntax", "tab", "alias", "documents", "date", "bool", "digits",
        "python", "merge", "deep", "abysmal", "recursive-map", "recursive-list",
    ],
)  # fmt: skip
def test_not_readable_as_yaml(tmp_path: Path, text: str | bytes, said: str) -> None:
    """Each of these is an error of another kind inside the YAML library."""
    assert refused(write(tmp_path, text)).startswith(f"all.yaml:{said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services:\n  - id: a\n    title: A\n    title: B", "4: 'title' is given twice"),
        ("services: []\npeople: []\nservices: []", "3: 'services' is given twice"),
        ("rules:\n  - match:\n      a: b\n      a: c", "4: 'a' is given twice"),
    ],
)
def test_a_key_given_twice(tmp_path: Path, text: str, said: str) -> None:
    """The last one would win silently."""
    assert refused(write(tmp_path, text)) == f"all.yaml:{said}"


HTTP = "url: 'http://x', steps: "
CHECKS = [  # what is wrong with each, and what is said
    ("kind: ping, url: 'tcp://x:1'", "checks.0.kind: Input should be 'http', 'tcp', 'tls'"),
    ("kind: tcp", "checks: url: a check has either it or a target"),
    ("url: 'http://x', target: http/x", "checks: url: a check has either it or a target"),
    ("url: 'tcp://x:1'", "checks.0.url: a check of kind http begins with http:// or https://"),
    ("kind: tcp, url: 'http://x'", "checks.0.url: a check of kind tcp begins with tcp://"),
    ("kind: tcp, url: 'tcp://x'", "checks.0.url: it names no host and port"),
    ("kind: tcp, url: 'tcp://x:99999'", "checks.0.url: Port out of range 0-65535"),
    ("kind: postgres, url: 'tcp://x:1'", "checks.0.url: a check of kind postgres needs a target"),
    ("kind: postgres, target: http/x", "checks.0.target: a check of kind postgres needs a target postgres/…"),
    ("kind: tcp, url: 'tcp://x:1', steps: []", "checks.0.steps: a check of kind tcp has none"),
    ("url: 'http://x', expires_within: 3d", "checks.0.expires_within: a check of kind http has none"),
    ("kind: tls, url: 'https://x', expires_within: 14", "checks.0.expires_within: must be a duration"),
    ("kind: dns, url: 'tcp://x:53'", "checks: name: a check of kind dns needs it"),
    ("kind: dns, url: 'tcp://x:53', name: a..b", "checks.0.name: 'a..b' is none that DNS knows"),
    ("kind: dns, url: 'tcp://x:53', name: a, type: Z!", "checks.0.type: 'Z!' is none that DNS knows"),
    ("kind: dns, url: 'tcp://x:53', name: a, expect: [b]", "checks.0.expect: no values of type A: "),
    (HTTP + "[{path: x}]", "checks.0.steps.0.path: must match "),
    (HTTP + "[{path: /a}, {path: '/$id'}]", "checks.0.steps: no step before it saves 'id'"),
    (HTTP + "[{path: /, save: {ids: a}}, {path: /, body: {a: ['$id']}}]",
     "checks.0.steps: no step before it saves 'id'; did you mean 'ids'?"),
    (HTTP + "[{path: '/$id', save: {id: a}}]", "checks.0.steps: no step before it saves 'id'"),
    (HTTP + "[{path: /, body: '5 $ 6'}]", "checks.0.steps.0.body: a $ must be followed by"),
    (HTTP + "[{path: /, save: {id: 'a['}}]", "checks.0.steps.0.save: id: "),
    (HTTP + "[{path: /, save: {id: '/a(/'}}]", "checks.0.steps.0.save: id: "),
    (HTTP + "[{path: /, save: {id: '/a/'}}]", "checks.0.steps.0.save: id: the expression must have one group"),
    (HTTP + "[{path: /, metod: GET}]", "checks.0.steps.0.metod: unknown field; did you mean 'method'?"),
    ("url: 'http://x', via: [gone]", "checks.0.via: there is no 'gone'"),
    ("target: http/gone", "checks.0.target: there is no 'http/gone'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("section", "entry", "said"),
    [
        ("services", "{id: a, title: A, tier: p0, teir: p1}", "teir: unknown field; did you mean 'tier'?"),
        ("services", "{id: a, title: A, tier: p0, xyzzy: 1}", "xyzzy: unknown field"),
        ("services", "{id: a, title: A, tier: p9}", "tier: Input should be 'p0', 'p1' or 'p2'"),
        ("services", "{id: A B, title: A, tier: p0}", "id: must match "),
        ("services", "{id: 12, title: A, tier: p0}", "id: Input should be a valid string"),
        ("services", "{id: a, title: A, tier: p0, slo: 99.9}", "slo: Input should be less than 1"),
        ("services", "{id: a, title: A, tier: p0, cost_per_minute: .inf}", "cost_per_minute: "),
        ("services", "{id: a, title: A, tier: p0, cost_per_minute: .nan}", "cost_per_minute: "),
        ("services", "{id: a, title: A, tier: p0, checks: [{id: c, url: 'ftp://x'}]}", "checks.0.url: must match ^(https?|tcp)://"),
        ("services", "{id: a, title: A, tier: p0, checks: [{id: c, url: 'http://x', evry: 5}]}", "checks.0.evry: unknown field; did you mean 'every'?"),
        ("services", "{id: a, title: A, tier: p0, checks: [{id: c, url: 'http://x', every: 0}]}", "checks.0.every: "),
        *(
            ("services", f"{{id: a, title: A, tier: p0, checks: [{{id: c, {check}}}]}}", said)
            for check, said in CHECKS
        ),
        ("people", "{id: ana, name: Ana, slack: [U1]}", "slack: 'U1' must be workspace:user, such as T012:U345"),
        ("people", "{id: ana, name: Ana, role: admin}", "role: unknown field; did you mean 'roles'?"),
        ("people", "{id: ana, name: Ana, roles: [root]}", "roles: Input should be 'responder'"),
        ("rules", "{match: {a: 1}}", "match.a: Input should be a valid string"),
        ("rules", "{declare: no}", "declare: Input should be 'auto', 'ask' or 'no'"),
        ("targets", "{name: edge, url: 'http://x'}", "name: must match "),
        ("targets", "{name: envoy/edge, url: 'http://x', via: []}", "via: List should have at least 1 item"),
        ("paths", "{name: direct, kind: vpn}", "kind: Input should be 'direct', 'pinned', 'proxy', 'ssh'"),
        ("paths", "{name: p, kind: proxy}", "proxy: a path of kind proxy needs it"),
        ("paths", "{name: p, kind: ssh, proxy: 'socks5://p:1'}", "proxy: a path of kind ssh has none"),
        ("paths", "{name: p, kind: ssh, hops: [{url: 'ssh://h', key: k, host_key: k}]}", "hops.0.url: must match "),
        ("paths", "{name: p, kind: direct, bind: eth1}", "bind: a path of kind direct has none"),
        ("paths", "{name: p, credential: c}", "credential: a path of kind direct has none"),
        ("paths", "{name: p, depends_on: [dns]}", "depends_on: 'dns' must be kind:name, such as dns:corp"),
        ("paths", "{name: p, depends_on: ['path:q']}", "depends_on: there is no 'q'"),
        ("credentials", "{name: c, ref: hunter2}", "ref: must match "),
        ("nodes", "{id: 'dns:corp', depends_on: ['service:gone']}", "depends_on: there is no 'gone'"),
    ],
)  # fmt: skip
def test_a_wrong_field(tmp_path: Path, section: str, entry: str, said: str) -> None:
    """The line is the entry's, the field is named down to its place in a list."""
    write(tmp_path, f"# first line\n{section}:\n\n  - {entry}\n")
    assert refused(tmp_path).startswith(f"all.yaml:4: {said}")


def test_the_line_is_the_fields_own(tmp_path: Path) -> None:
    """In a long entry the line of the entry would not help."""
    write(
        tmp_path,
        """\
        services:
          - id: a
            title: A
            tier: p0
            checks:
              - {id: fine, url: "http://x"}
              - id: slow
                url: http://x
                timeout: long
    """,
    )
    assert refused(tmp_path).startswith("all.yaml:9: checks.1.timeout: ")


def test_the_first_wrong_file_is_named(tmp_path: Path) -> None:
    write(tmp_path, f"services: [{SERVICE}]", "a.yaml")
    write(tmp_path, "services:\n  - {id: b}", "b.yaml")
    assert refused(tmp_path).startswith("b.yaml:2: title: ")


@pytest.mark.parametrize("make", ["folder", "link"])
def test_a_file_that_cannot_be_opened(tmp_path: Path, make: str) -> None:
    if make == "folder":
        (tmp_path / "all.yaml").mkdir()
    else:
        (tmp_path / "all.yaml").symlink_to(tmp_path / "gone")
    assert refused(tmp_path).startswith("all.yaml:1: cannot be read: ")


def test_both_endings_of_a_yaml_file_are_read(tmp_path: Path) -> None:
    """A catalog file that is left out without a word is how a target goes missing at night."""
    (tmp_path / "a.yaml").write_text("services: [{id: shop, title: Shop, tier: p0}]")
    (tmp_path / "b.yml").write_text("services: [{id: till, title: Till, tier: p1}]")
    assert [s.id for s in load_catalog(tmp_path).services] == ["shop", "till"]


LAYERS = "  layers: [{people: [ana], since: 2026-01-01}]\n  timezone: America/New_York\n"
ONE = f"people: [{{id: ana, name: Ana}}]\nschedules:\n- id: s\n{LAYERS}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"{ONE}  overrides:\n  - person: ana\n    since: 2026-01-01\n    until: 9999-12-31T23:59\n",
            "9: overrides.0.until: is no time that there is in UTC",
        ),
        (
            f"{ONE}  overrides:\n  - person: ana\n    since: 0001-01-01T00:00+02:00\n    until: 2026-01-01T00:00+02:00\n",
            "8: overrides.0.since: is no time that there is in UTC",
        ),
        (ONE.replace("2026-01-01", "0001-01-01"), "4: layers.0.since: Input should be greater"),
        (
            "freezes:\n- name: f\n  since: 2026-01-01\n  until: 9999-12-31T23:59:00-05:00\n",
            "4: until: is no time that there is in UTC",
        ),
    ],
)
def test_either_end_of_the_calendar(tmp_path: Path, text: str, said: str) -> None:
    """What is meant to be for ever is an error with its line, and no fault that ends the process."""
    assert refused(write(tmp_path, text)).startswith(f"all.yaml:{said}")
