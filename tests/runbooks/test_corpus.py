"""A good runbook, broken in one way at a time: the place that is named is the one to edit.

Each case replaces one piece of the good text by another; the finding must begin exactly at
``mark``, line and column, and say ``said``.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.catalog import Catalog
from bot.cli.commands import app
from bot.located import Problem
from bot.registry import Registry
from bot.runbooks.check import check
from bot.runbooks.read import read
from bot.runbooks.schema import json_schema
from tests.runbooks.room import PEOPLE

GOOD = """\
---
schema: runbook/v1
id: roll
title: Roll the shop's settings out
triggers: [service:shop, alert:ShopDown]
severity: [sev1, sev2]
inputs:
  mode: {type: enum, values: [safe, fast], required: true}
  share: {type: integer, default: 10, min: 1, max: 100}
  zones: {type: string, pattern: '[a-z,]+', required: true}
target: "http/shop"
blast_radius: {max_targets: 1, max_changes: 9, max_share: 0.5}
approvals: {count: 1, from: approver, ttl: 30m}
freeze: {honour: true, override: commander}
timeout: 20m
owner: shop
---
# Roll the shop's settings out

Use it when the shop is slow.

## 1. The shop is well

```yaml step
id: well
action: http.check
with: {target: shop, path: /health, count: 3}
via: [direct]
verify:
  - {expect: "out.ok", else: "The shop is not well"}
```

## 2. Each zone

```yaml step
id: zones
action: http.put
with: {target: shop, path: "/{{ item }}", body: "{{ inputs.mode }}"}
foreach: {items: "{{ inputs.zones }}", concurrency: 2, max_errors: 0}
stages: [1, 50%, 100%]
gate:
  - {action: http.check, with: {target: shop, path: /health}, expect: "out.ok", within: 10s}
guards:
  - {expect: "steps.well.ok", else: "It was not well a moment ago"}
retry: {attempts: 3, backoff: 1s}
undo: auto
on_failure: undo
```

## 3. Once

```yaml step
id: restart
action: http.call
with: {target: shop, path: /restart, body: {share: "{{ inputs.share }}"}}
verify:
  - {action: http.check, with: {target: shop, path: /health}, expect: "out.ok", hold: 5s}
undo: {none: a restart stays a restart}
approval: {count: 1, from: approver}
```

## 4. By hand

```yaml step
id: bank
manual: {checklist: [Call the bank], by: commander}
needs: [zones]
```

## 5. Wait and tell

```yaml step
id: rest
wait: 5m
needs: [restart, bank]
```

```yaml step
id: tell
notify: "The shop runs in mode {{ inputs.mode }}"
```
"""

# what is replaced, by what, where the finding begins, what it says
BROKEN = [
    # the file and its front matter
    ("---\nschema", "schema", "schema: runbook/v1", "must begin with YAML front matter"),
    ("schema: runbook/v1\n", "", "id: roll", "schema: Field required"),
    ("schema: runbook/v1", "schema: runbook/v2", "schema: ", "Input should be 'runbook/v1'"),
    ("id: roll\n", "", "schema: ", "id: Field required"),
    ("id: roll", "id: Roll It", "id: Roll It", "should match pattern"),
    ("title: Roll", "titel: Roll", "titel: ", "unknown field; did you mean 'title'?"),
    ("title: Roll the shop's settings out\n", 'title: ""\n', 'title: ""', "at least 1 character"),
    ("owner: shop", "owner: shop\nowner: you", "owner: you", "'owner' is given twice"),
    ("owner: shop", "owner: [shop", "", "expected ',' or ']'"),
    ("owner: shop", "owner: a: b", ": b", "mapping values are not allowed here"),
    ("owner: shop", "\towner: shop", "\towner", "found character '\\t'"),
    ("owner: shop", "owner: *nobody", "*nobody", "found undefined alias"),
    ("owner: shop", "drilled: last week", "drilled: ", "valid date"),
    ("service:shop", "service:shpo", "service:shpo", "no service 'shpo'; did you mean 'shop'?"),
    ("alert:ShopDown", "ShopDown", "ShopDown", "must be alert:NAME, check:ID or service:ID"),
    ("alert:ShopDown", "check:shop-up", "check:shop-up", "there is no check 'shop-up'"),
    ("[sev1, sev2]", "[sev1, sev5]", "sev5", "severity.1: Input should be 'sev1'"),
    ("type: enum, values: [safe, fast]", "type: enum", "mode: ", "an enum needs its values"),
    ("type: enum, values", "type: enmu, values", "type: enmu", "inputs.mode.type: Input should be"),
    ("pattern: '[a-z,]+'", "pattern: '[a-z,'", "pattern: ", "unterminated character set"),
    (", pattern: '[a-z,]+'", "", "zones: ", "a string needs a pattern"),
    ("default: 10", "default: 0", "default: 0", "share: 0 is below 1"),
    ("min: 1, max: 100", "min: 100, max: 1", "min: 100", "100 is above max, 1"),
    ("default: 10", "defualt: 10", "defualt: ", "did you mean 'default'?"),
    ("{{ inputs.share }}", "10", "share: {type", "inputs.share: no step uses it"),
    ('target: "http/shop"', 'target: "{{ inputs.shop }}"', "target: ", "there is no input 'shop'"),
    ('target: "http/shop"', 'target: "{{ steps.well }}"', "target: ", "there is no name 'steps'"),
    ("max_targets: 1", "max_target: 1", "max_target: ", "did you mean 'max_targets'?"),
    ("max_share: 0.5", "max_share: 50", "max_share: ", "less than or equal to 1"),
    ("max_changes: 9", "max_changes: 0", "max_changes: ", "greater than or equal to 1"),
    ("count: 1, from: approver, ttl", "count: 9, from: approver, ttl", "count: 9", "less than or equal to 5"),
    ("count: 1, from: approver, ttl", "count: 4, from: approver, ttl", "count: 4", "nobody could give it: needs 4"),
    ("count: 1, from: approver, ttl", "count: 1, from: '@dba', ttl", "count: 1", "nobody could give it: needs 1 of '@dba', and the catalog has nobody"),
    ("from: approver, ttl", "from: approvers, ttl", "from: approvers", "should match pattern"),
    ("ttl: 30m", "ttl: 30", "ttl: 30", "must be a duration such as 30s"),
    ("override: commander", "override: boss", "override: ", "freeze.override: Input should be"),
    ("timeout: 20m", "timeout: 9000h", "timeout: ", "less than or equal to 604800"),
    # fences and kinds of steps
    ("```yaml step\nid: well", "```yaml stpe\nid: well", "```yaml stpe", "write ```yaml step for a step"),
    ("## 1. The shop is well\n", "", "```yaml step", "a step must stand under a ## heading"),
    ("id: well", "id: zones", "id: zones", "'zones' is given twice"),
    ("action: http.call\n", "", "id: restart", "this one has none"),
    ("wait: 5m\n", "", "id: rest", "a step is one of action, manual, wait, notify, runbook"),
    ("wait: 5m", "wait: 5m\nnotify: hello", "id: rest", "this one has wait and notify"),
    ("wait: 5m", "wait: 5m\nretry: {attempts: 2}", "id: rest", "retry: only a step with an action"),
    ("wait: 5m", "wait: five minutes", "wait: ", "must be a duration"),
    ("checklist: [Call the bank]", "checklist: []", "checklist: ", "at least 1 item"),
    ("by: commander", "by: '@night'", "by: ", "nobody in the catalog is '@night'"),
    # actions and their arguments
    ("action: http.check\nwith: {target: shop, path: /health, count", "action: http.chek\nwith: {target: shop, path: /health, count", "action: http.chek", "did you mean 'http.check'?"),
    ("count: 3", "cuont: 3", "cuont: 3", "http.check has no such argument; did you mean 'count'?"),
    ("count: 3", "count: three", "count: three", "with.count: Input should be a valid integer"),
    ("path: /health, count: 3", "count: 3", "with: {target: shop, count", "with.path: http.check needs it"),
    ("path: /health, count: 3", "path: /../etc, count: 3", "path: /../etc", "'.' and '..' are not allowed"),
    ("with: {target: shop, path: /health, count", "with: {target: shpo, path: /health, count", "with: ", "there is no target 'http/shpo'"),
    ("via: [direct]", "via: [dierct]", "dierct", "did you mean 'direct'?"),
    ("via: [direct]", "via: {all: [direct]}", "all: ", "at least 2 items"),
    ("via: [direct]", "via: {all: [direct, oob]}", "oob", "there is no access path 'oob'"),
    ("retry: {attempts: 3, backoff: 1s}", "via: {all: [direct, dead]}", "via: ", "over all paths one can only read"),
    ("retry: {attempts: 3", "retry: {attempts: 99", "attempts: 99", "less than or equal to 10"),
    ("undo: {none: a restart stays a restart}\n", "", "id: restart", "undo: http.call has effect 'once': say how it is taken back"),
    ("undo: auto\n", "", "id: zones", "undo: http.put may have no way back: say undo: auto"),
    ("undo: {none: a restart stays a restart}", "undo: {none: no}", "none: ", "valid string"),
    ("undo: {none: a restart stays a restart}", "undo: {action: http.put, with: {target: shop}}", "with: {target: shop}}", "undo.with.path: http.put needs it"),
    ("undo: {none: a restart stays a restart}", "undo: {action: http.putt}", "action: http.putt", "undo.action: there is no action 'http.putt'"),
    ('verify:\n  - {action: http.check, with: {target: shop, path: /health}, expect: "out.ok", hold: 5s}\n', "", "id: restart", "an action with effect 'once' needs a verify"),
    ("verify:\n  - {action: http.check, with: {target: shop, path: /health}", "verify:\n  - {action: http.put, with: {target: shop, path: /health}", "action: http.put", "may only read; http.put changes things"),
    ("on_failure: undo", "on_failure: retry", "on_failure: ", "Input should be 'stop', 'ask', 'undo' or 'continue'"),
    # expressions and names
    ('expect: "steps.well.ok"', 'expect: "steps.well.ok and"', 'expect: "steps.well.ok and"', "unexpected 'end of template'"),
    ('expect: "steps.well.ok"', 'expect: "steps.wel.ok"', 'expect: "steps.wel.ok"', "there is no earlier step 'wel'; did you mean 'well'?"),
    ('expect: "steps.well.ok"', 'expect: "steps.restart.ok"', 'expect: "steps.restart.ok"', "there is no earlier step 'restart'"),
    ('expect: "steps.well.ok"', 'expect: "inputs.mod"', 'expect: "inputs.mod"', "there is no input 'mod'; did you mean 'mode'?"),
    ('expect: "steps.well.ok"', 'expect: "output.ok"', 'expect: "output.ok"', "there is no name 'output'"),
    ('expect: "steps.well.ok"', 'expect: "out.ok"', 'expect: "out.ok"', "there is no name 'out'"),
    ('expect: "steps.well.ok"', 'expect: "steps.well | tojson"', 'expect: "steps.well | tojson"', "No filter named 'tojson'"),
    ('expect: "steps.well.ok"', 'expect: "1 > 2"', 'expect: "1 > 2"', "is never true: the step can never begin"),
    ('expect: "steps.well.ok"', 'expect: "false"', "id: restart", "can never begin: it waits for 'zones', which never can"),
    ('{expect: "steps.well.ok", else', '{expect: "steps.well.ok", via: [direct], else', "via: [direct], else", "needs an action beside it"),
    ('body: "{{ inputs.mode }}"', 'body: "{{ stage }}"', "with: ", "there is no name 'stage'"),
    ("The shop runs in mode {{ inputs.mode }}", "The shop runs in mode {{ mode }}", "notify: ", "there is no name 'mode'"),
    # how steps hang together
    ("needs: [restart, bank]", "needs: [restrat, bank]", "restrat", "there is no step 'restrat' above this one; did you mean 'restart'?"),
    ("needs: [restart, bank]", "needs: [rest]", "rest]", "a step cannot wait for itself"),
    ("needs: [zones]", "needs: [tell]", "tell]", "there is no step 'tell' above this one"),
    ("wait: 5m\nneeds: [restart, bank]", 'notify: "{{ steps.restart.status }}"\nneeds: [bank]', "notify: ", "step 'restart' may not be done by then: add it to needs"),
    ('items: "{{ inputs.zones }}"', "items: []", "items: []", "is empty: the step would act on nothing"),
    ("pattern: '[a-z,]+', required: true", "pattern: '[a-z,]+'", "items: ", "may be empty: make the input 'zones' required"),
    ("pattern: '[a-z,]+'", "pattern: '[a-z,]*'", "items: ", "the pattern of 'zones' allows no text"),
    ("concurrency: 2", "concurrency: two", "concurrency: ", "foreach.concurrency"),
    ("stages: [1, 50%, 100%]", "stages: [1, 50%]", "50%", "must be 100%: the other items would be left out"),
    ("stages: [1, 50%, 100%]", "stages: [1, 50%, 20%, 100%]", "20%", "stages must grow"),
    ("stages: [1, 50%, 100%]", "stages: [1, half, 100%]", "half", "stages.1"),
    ("stages: [1, 50%, 100%]\n", "", "id: zones", "gate: it stands between stages, and there are none"),
    ('foreach: {items: "{{ inputs.zones }}", concurrency: 2, max_errors: 0}\n', "", "with: ", "there is no name 'item'"),
    ("approval: {count: 1, from: approver}", "approval: {count: 1, from: '@ops'}", "count: 1", "nobody could give it"),
]  # fmt: skip


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.model_validate(
        {
            "services": [{"id": "shop", "title": "Shop", "tier": "p0"}],
            "people": PEOPLE,
            "targets": [{"name": "http/shop", "url": "http://127.0.0.1:9"}],
            "paths": [{"name": "direct"}, {"name": "dead"}],
        }
    )


def problems_of(text: str, registry: Registry, catalog: Catalog) -> list[Problem]:
    runbook, problems = read(text, "roll.md")
    return check(runbook, registry, catalog) if runbook else problems


def test_the_good_one_is_good(registry: Registry, catalog: Catalog) -> None:
    assert problems_of(GOOD, registry, catalog) == []


def test_the_corpus_is_large() -> None:
    assert len(BROKEN) >= 60
    assert len({(old, new) for old, new, *_ in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize(("old", "new", "mark", "said"), BROKEN, ids=range(len(BROKEN)))
def test_the_place_to_edit(
    registry: Registry, catalog: Catalog, old: str, new: str, mark: str, said: str
) -> None:
    """Line and column lead to the mark, and the words say what is wrong there."""
    assert GOOD.count(old) == 1, old
    text = GOOD.replace(old, new)
    lines = text.splitlines()
    found = problems_of(text, registry, catalog)
    told = [(lines[p.line - 1][p.column - 1 :], p.message) for p in found]
    assert any(place.startswith(mark) and said in message for place, message in told), told


def parts(text: str) -> tuple[Any, list[Any]]:
    front, rest = text.removeprefix("---\n").split("\n---\n", 1)
    blocks = [b.split("```")[0] for b in rest.split("```yaml step\n")[1:]]
    return json.loads(json.dumps(yaml.safe_load(front), default=str)), [
        yaml.safe_load(b) for b in blocks
    ]


@pytest.mark.slow
def test_the_schema_takes_what_is_good(registry: Registry) -> None:
    """For editors: generated from the models that `jackline check` uses."""
    front, steps = parts(GOOD)
    for part in ("front", "step"):
        jsonschema.Draft202012Validator.check_schema(json_schema(part, registry))
    jsonschema.validate(front, json_schema("front", registry))
    for step in steps:
        jsonschema.validate(step, json_schema("step", registry))


@pytest.mark.parametrize(
    ("old", "new"),
    [("titel", "x"), ("count: 3", "cuont: 3"), ("ttl: 30m", "ttl: 30"), ("max_share: 0.5", "max_share: 50"),
     ("action: http.call", "action: http.cal"), ("via: [direct]", "vai: [direct]")],
)  # fmt: skip
def test_the_schema_refuses_what_an_editor_can_see(registry: Registry, old: str, new: str) -> None:
    """A typo is red while it is typed."""
    text = GOOD.replace("title: Roll", "titel: Roll") if old == "titel" else GOOD.replace(old, new)
    front, steps = parts(text)
    validators = {
        part: jsonschema.Draft202012Validator(json_schema(part, registry))
        for part in ("front", "step")
    }
    seen = [*validators["front"].iter_errors(front)]
    seen += [error for step in steps for error in validators["step"].iter_errors(step)]
    assert seen


def test_the_pre_commit_hook_is_our_command() -> None:
    """What it runs exists."""
    root = Path(__file__).parents[2]
    (hook,) = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())
    assert hook["pass_filenames"] is False
    assert hook["entry"] == "jackline check"
    assert "check" in [command.callback.__name__ for command in app.registered_commands]
