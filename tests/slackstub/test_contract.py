# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated, import-untyped"
"""The stub against Slack's own (2021) description of its Web API: answers and error codes.

The description is old, and wrong in places; each departure is named here with its reason.
"""

import ast
import gc
import gzip
import json
import os
import time
from pathlib import Path

import jsonschema
import pytest

from tests.slackstub import C_GENERAL, C_INCIDENTS, U_ANA, U_BEN, SlackStub
from tests.slackstub.args import Args
from tests.slackstub.state import Grant
from tests.slackstub.webapi import METHODS

ROOT = Path(__file__).parents[2]
SPEC = ROOT.parent / "shared/specs/slack-web-api-2021.swagger2.json.gz"

# error codes that Slack has, and the description of 2021 lacks
NEWER_CODES = {
    "invalid_limit": "paging came to be checked alike on all methods",
    "invalid_cursor": "same",
    "invalid_types": "documented for conversations.list since",
    "not_in_channel": "documented since for reads, archive, pins and reactions",
    "is_archived": "documented since for pins and reactions",
    "invalid_blocks": "Block Kit's errors are not in the description",
    "invalid_blocks_format": "same",
    "invalid_attachments": "same, for attachments",
    "invalid_metadata_format": "message metadata came in 2022",
    "invalid_metadata_schema": "same",
    "thread_not_found": "documented since for posting into a thread",
    "no_such_subteam": "documented for usergroups.users.list",
    "no_pin": "what Slack's page of pins.remove shows now",
    "channel_not_found": "left out by the description for reactions",
}

# answers in which the description is wrong or incomplete: a part of the error's path -> reason
WRONG_ANSWERS = {
    "pins.list items/0/type": "a list's two kinds of item are written as a fixed pair: file, message",
}


@pytest.fixture(scope="module")
def spec():
    if not SPEC.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SPEC} is absent, and in CI it must not be")
        pytest.skip(f"Slack's API description is not at {SPEC}")
    return json.loads(gzip.decompress(SPEC.read_bytes()))


def _operation(spec, method):
    found = spec["paths"].get(f"/{method}")
    return next(iter(found.values())) if found else None


def _repaired(node):
    """The description writes "one of these" as `items: [...]`, which means that in no standard.

    Objects are closed in it too, so that any field younger than 2021 would fail: opened here.
    """
    if isinstance(node, list):
        return [_repaired(n) for n in node]
    if not isinstance(node, dict):
        return node
    made = {k: _repaired(v) for k, v in node.items()}
    if isinstance(made.get("items"), list) and made.get("type") != "array":
        made["anyOf"] = made.pop("items")
    if made.get("additionalProperties") is False:
        del made["additionalProperties"]
    return made


def _ask(slack, method, **values):
    return {"ok": True, **METHODS[method](slack.ws, Args(values))}


def answers(slack):
    """One good answer of each method, in an order in which each finds what it needs."""

    def ask(method, **values):
        found = _ask(slack, method, **values)
        given[method] = json.loads(json.dumps(found))
        return found

    given = {}
    _ask_about_people(slack, ask)
    channel = ask("conversations.create", name="inc-1")["channel"]["id"]
    here = {"channel": channel}
    ask("conversations.list", types="public_channel,private_channel,im")
    ask("users.conversations", types="public_channel,private_channel,im")
    ask("conversations.info", **here)
    ask("conversations.join", channel=C_INCIDENTS)
    ask("conversations.join", channel=C_GENERAL)
    ask("conversations.invite", **here, users=f"{U_ANA},{U_BEN}")
    ask("conversations.setTopic", **here, topic="t")
    ask("conversations.setPurpose", **here, purpose="p")
    ask("conversations.rename", **here, name="inc-1-db")
    ask("conversations.open", users=U_ANA)
    ask("conversations.members", **here)
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}]
    ts = ask("chat.postMessage", **here, text="x", blocks=blocks)["ts"]
    item = {"channel": channel, "timestamp": ts}
    ask("chat.postEphemeral", **here, text="x", user=U_ANA)
    ask("chat.update", **here, ts=ts, text="y")
    ask("chat.getPermalink", **here, message_ts=ts)
    ask("pins.add", **item)
    ask("pins.list", **here)
    ask("reactions.add", **item, name="eyes")
    ask("reactions.get", **item)
    _ask(slack, "chat.postMessage", **here, text="in thread", thread_ts=ts)
    ask("conversations.history", **here)
    ask("conversations.replies", **here, ts=ts)
    ask("reactions.remove", **item, name="eyes")
    ask("pins.remove", **item)
    ask("chat.delete", **here, ts=ts)
    ask("views.publish", user_id=U_ANA, view={"type": "home", "blocks": blocks})
    title = {"type": "plain_text", "text": "t"}
    view = {"type": "modal", "title": title, "blocks": blocks}
    opened = slack.begin("test", U_ANA)
    ident = ask("views.open", trigger_id=opened.trigger_id, view=view)["view"]["id"]
    pushing = slack.begin("test", U_ANA, view_id=ident)
    ask("views.push", trigger_id=pushing.trigger_id, view=view)
    ask("views.update", view_id=ident, view=view)
    ask("conversations.kick", **here, user=U_BEN)
    ask("conversations.archive", **here)
    ask("conversations.unarchive", **here)
    ask("conversations.leave", **here)
    return given


def _ask_about_people(slack, ask):
    for method in ("api.test", "auth.test", "team.info", "users.list", "apps.connections.open"):
        ask(method)
    app = slack.ws.app
    app.grants["code"] = Grant(slack.ws, "commands", "", U_ANA, time.monotonic())
    client = {"client_id": app.client_id, "client_secret": app.client_secret}
    ask("oauth.v2.access", **client, code="code")
    ask("users.info", user=U_ANA)
    ask("users.lookupByEmail", email="ana@example.test")
    group = slack.add_usergroup("oncall", [U_ANA])
    ask("usergroups.list", include_users="true")
    ask("usergroups.users.list", usergroup=group.id)


def departures(spec, given):
    """Where an answer lacks a required key or has another type than described."""
    found = []
    definitions = _repaired(spec["definitions"])
    for method, answer in given.items():
        operation = _operation(spec, method)
        if operation is None:
            continue
        schema = _repaired(operation["responses"]["200"]["schema"]) | {"definitions": definitions}
        for error in jsonschema.Draft4Validator(schema).iter_errors(answer):
            found += [f"{method} {leaf}" for leaf in _leaves(error)]
    return found


async def test_answers_hold_what_the_description_requires(spec):
    """Every required key is there with the described type, but for the named exceptions."""
    async with SlackStub() as slack:
        given = answers(slack)
    assert sum(_operation(spec, method) is not None for method in given) >= 35
    found = departures(spec, given)
    assert [f for f in found if not any(known in f for known in WRONG_ANSWERS)] == []
    assert all(any(known in f for f in found) for known in WRONG_ANSWERS), "an exception is idle"


async def test_the_contract_notices(spec):
    """A key left out or of another type is found, so an empty list of departures means something."""
    async with SlackStub() as slack:
        given = answers(slack)
    del given["conversations.create"]["channel"]["creator"]
    given["chat.postMessage"]["message"]["ts"] = 12
    del given["users.info"]["user"]["profile"]["avatar_hash"]
    found = {f.split()[0] for f in departures(spec, given)}
    assert found >= {"conversations.create", "chat.postMessage", "users.info"}


def _leaves(error):
    if not error.context:
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"]
    alternatives = {}
    for inner in error.context:
        alternatives.setdefault(inner.schema_path[0], []).append(inner)
    # of several alternatives, the one that came closest says most
    best = min(alternatives.values(), key=len)
    return [leaf for inner in best for leaf in _leaves(inner)]


def test_every_method_is_shown_a_good_answer(spec):
    """A method added to the stub must be added to the contract, or be newer than the description."""
    listed = set(ast.walk(ast.parse(Path(__file__).read_text())))
    named = {n.value for n in listed if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    assert {m for m in METHODS if f"/{m}" in spec["paths"]} <= named


def _functions():
    gc.collect()  # CPython 3.11 fails to parse if a collection in its midst runs Python code
    found = {}
    for path in Path(__file__).parent.glob("*.py"):
        if path.name.startswith("test_"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.setdefault(node.name, []).append((path.stem, node))
    return found


def _codes(name, module, functions, seen):
    """The codes that a function can raise, itself or by what it calls."""
    if name in seen:
        return set()
    seen.add(name)
    own = [n for m, n in functions.get(name, []) if m == module] or [
        n for _, n in functions.get(name, [])
    ]
    codes = set()
    for call in (c for node in own for c in ast.walk(node) if isinstance(c, ast.Call)):
        target = call.func
        called = target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")
        if called == "SlackError":
            codes |= {a.value for a in call.args[:1] if isinstance(a, ast.Constant)}
        elif called == "json":
            codes |= {a.value for a in call.args[1:] if isinstance(a, ast.Constant)}
        elif called == "number":
            codes.add("invalid_limit")
        elif isinstance(target, ast.Name):
            codes |= _codes(called, module, functions, seen)
        elif called in {"channel", "user", "message"}:
            codes |= _codes(called, "state", functions, seen)
    return codes


def test_error_codes_are_slacks(spec):
    """No code of the stub's own making: each is in the description, or named above as newer."""
    functions = _functions()
    strange, used = {}, set()
    for method, handler in METHODS.items():
        operation = _operation(spec, method)
        schema = (operation or {}).get("responses", {}).get("default", {}).get("schema", {})
        known = schema.get("properties", {}).get("error", {}).get("enum")
        if not known:
            continue
        module = handler.__module__.rpartition(".")[2]
        extra = _codes(handler.__name__, module, functions, set()) - set(known)
        used |= extra
        if unnamed := extra - set(NEWER_CODES):
            strange[method] = sorted(unnamed)
    assert strange == {}
    assert set(NEWER_CODES) - used == set(), "an exception is idle"
