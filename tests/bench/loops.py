"""The loop lint of a large house, beside reading its catalog and runbooks."""

import random
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from bot import registry
from bot.catalog import load_catalog
from bot.runbooks.loops import lint_loops
from bot.runbooks.read import read
from tests.bench.table import Row

SERVICES, HOSTS, RUNBOOKS = 5000, 2000, 1000
_STEP = """## {number}. Step
```yaml step
id: s{number}
action: {action}
with: {with_}
{more}
```
"""
_KINDS = (
    ("ssh.read", '{{host: "{{{{ inputs.host }}}}", command: processes}}', ""),
    ("ssh.read", '{{host: "{{{{ item }}}}", command: logs}}',
     "foreach: {{items: [h{a}, h{b}, h{c}]}}"),
    ("ssh.read", '{{host: "{{{{ steps.s1.host }}}}", command: logs}}', ""),
    ("http.check", "{{target: api{a}, path: /}}", "via: [bastion{d}, direct]"),
    ("http.put", "{{target: api{b}, path: /, body: {{}}}}",
     ("undo: auto\nguards:\n"
     "  - {{action: http.check, with: {{target: api{c}, path: /}}, expect: out.ok}}")),
)  # fmt: skip


def loops() -> list[Row]:
    """Seconds of the lint alone, and of the reading that comes before it."""
    chance = random.Random(4)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "all.yaml").write_text(yaml.dump(_catalog(chance), Dumper=yaml.CDumper))
        for number in range(RUNBOOKS):
            (folder / f"r{number}.md").write_text(_runbook(number, chance))
        integrations = registry.load()
        began = time.monotonic()
        catalog = load_catalog(folder)
        found = [read(path.read_text(), str(path))[0] for path in sorted(folder.glob("*.md"))]
        loading = time.monotonic() - began
    runbooks = {runbook.id: runbook for runbook in found if runbook is not None}
    assert len(runbooks) == RUNBOOKS
    began = time.monotonic()
    problems = lint_loops(runbooks, catalog, integrations)
    ours = time.monotonic() - began
    assert problems  # it had something to look at
    what = f"loop lint, {SERVICES} services, {RUNBOOKS} runbooks, {len(problems)} loops"
    return [Row(what, ours, "s", "5x", loading, "reading them")]


def _catalog(chance: random.Random) -> dict[str, Any]:
    """Services in layers, hosts in regions, bastions behind DNS and sign-in."""
    nodes = [{"id": f"region:r{n}", "depends_on": [f"provider:p{n % 5}"]} for n in range(50)]
    nodes += [{"id": f"dns:d{n}", "depends_on": [f"region:r{n}"]} for n in range(50)]
    nodes += [{"id": f"sso:s{n}", "depends_on": [f"dns:d{n}"]} for n in range(20)]
    nodes += [
        {"id": "jackline:store", "depends_on": ["service:svc0", "target:http/api0"]},
        {"id": "jackline:placement", "depends_on": ["region:r49"]},
    ]
    paths = [{"name": f"bastion{n}", "depends_on": [f"sso:s{n}"]} for n in range(20)]
    paths += [{"name": f"oob{n}", "depends_on": [f"network:oob{n}"]} for n in range(20)]
    services = [
        {
            "id": f"svc{n}", "title": f"Service {n}", "tier": "p1",
            "depends_on": [f"svc{chance.randrange(n)}" for _ in range(min(n, 3))]
            + [f"region:r{n % 50}"],
        }
        for n in range(SERVICES)
    ]  # fmt: skip
    for service in services:
        service["depends_on"] = sorted(set(service["depends_on"]))
    targets = [
        {"name": f"ssh/h{n}", "url": f"ssh://ops@h{n}", "of": [f"region:r{n % 50}"],
         "via": [f"bastion{n % 20}", f"oob{n % 20}"]}
        for n in range(HOSTS)
    ] + [
        {"name": f"http/api{n}", "url": f"http://api{n}", "of": [f"service:svc{n}"],
         "via": ["direct", f"bastion{n % 20}"], "depends_on": [f"region:r{n % 50}"]}
        for n in range(HOSTS)
    ]  # fmt: skip
    direct = {"name": "direct", "depends_on": ["network:corp"]}
    return {
        "nodes": nodes, "paths": [direct, *paths], "services": services, "targets": targets
    }  # fmt: skip


def _runbook(number: int, chance: random.Random) -> str:
    repairs = [f"service:svc{chance.randrange(SERVICES)}", f"dns:d{chance.randrange(50)}"]
    if number % 10 == 0:
        repairs.append("network:corp")
    names = {letter: chance.randrange(HOSTS) for letter in "abc"} | {"d": chance.randrange(20)}
    steps = [
        _STEP.format(
            number=at, action=action, with_=with_.format(**names), more=more.format(**names)
        )
        for at, (action, with_, more) in enumerate(_KINDS, start=1)
    ]
    if number % 10 == 5:
        steps.append(f"## Call\n```yaml step\nid: call\nrunbook: r{number - 1}\n```\n")
    front = (
        f"---\nschema: runbook/v1\nid: r{number}\ntitle: Repair {number}\nrepairs: {repairs}\n"
        "inputs: {host: {type: host, required: true}}\n---\n"
    )
    return front + "\n".join(steps)
