"""What the console allows to whom: one entry for each route, button and verb that is not for all.

A route without an entry fails `test_console_allowed`; a verb or button without one needs a role.
"""

from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlmodel import SQLModel, func, select

from bot.catalog import Person
from bot.chat.clicks import (
    INCIDENT_CLICKS,
    QUESTION_CLICKS,
    REGROUP_CLICKS,
    RUN_CLICKS,
    STEP_CLICKS,
)
from tests.chat.console_world import World

VERA = Person(id="vera", name="Vera", roles=[])
ROSA = Person(id="rosa", name="Rosa", roles=["responder"])
CARL = Person(id="carl", name="Carl", roles=["commander"])
AMIR = Person(id="amir", name="Amir", roles=["approver"])
DORA = Person(id="dora", name="Dora", roles=["admin"])
PEOPLE = [VERA, ROSA, CARL, AMIR, DORA]
SIGNED_IN = [person.id for person in PEOPLE]
NOBODY = ["nobody", "gone"]  # no cookie; a good cookie of a person the catalog no longer has

EVERYBODY = {*SIGNED_IN, *NOBODY}
KNOWN = set(SIGNED_IN)
WITH_ROLE = KNOWN - {"vera"}
RESPONDERS = {"rosa", "carl", "dora"}
COMMANDERS = {"carl", "dora"}
APPROVERS = {"amir", "dora"}


@dataclass(frozen=True)
class Allowed:
    """Who may ask for a route. ``private``: it shows one incident, and hides a private one."""

    who: set[str]
    url: str = ""  # an example, where the path has parameters
    form: dict[str, str] = field(default_factory=dict)
    private: bool = False


_NOTE = {"incident": "1", "text": "DNS is fine", "key": "k" * 12}
ROUTES: dict[tuple[str, str], Allowed] = {
    ("GET", "/"): Allowed(KNOWN),
    ("GET", "/list"): Allowed(KNOWN),
    ("GET", "/events"): Allowed(KNOWN),
    ("GET", "/incidents/{id:int}"): Allowed(KNOWN, "/incidents/1", private=True),
    ("GET", "/incidents/{id:int}/feed"): Allowed(KNOWN, "/incidents/1/feed", private=True),
    ("POST", "/incidents/{id:int}/feed"): Allowed(KNOWN, "/incidents/1/feed", private=True),
    ("GET", "/incidents/{id:int}/events"): Allowed(KNOWN, "/incidents/1/events", private=True),
    ("GET", "/incidents/{id:int}/postmortem"): Allowed(
        KNOWN, "/incidents/1/postmortem", private=True
    ),
    ("GET", "/incidents/{id:int}/postmortem.{kind}"): Allowed(
        KNOWN, "/incidents/1/postmortem.md", private=True
    ),
    ("GET", "/incidents/{id:int}/postmortem/edit"): Allowed(
        KNOWN, "/incidents/1/postmortem/edit", private=True
    ),
    ("GET", "/incidents/{id:int}/postmortem/edit/{section}"): Allowed(
        KNOWN, "/incidents/1/postmortem/edit/summary", private=True
    ),
    ("POST", "/incidents/{id:int}/postmortem/edit/{section}"): Allowed(
        RESPONDERS,
        "/incidents/1/postmortem/edit/summary",
        {"text": "Mine", "seen": "s"},
        private=True,
    ),
    ("POST", "/incidents/{id:int}/postmortem/preview"): Allowed(
        RESPONDERS,
        "/incidents/1/postmortem/preview",
        {"section": "summary", "text": "*a*"},
        private=True,
    ),
    ("GET", "/incidents/{id:int}/postmortem/history"): Allowed(
        KNOWN, "/incidents/1/postmortem/history", private=True
    ),
    ("POST", "/incidents/{id:int}/postmortem/do/{what}"): Allowed(  # by step: `STEPS`
        RESPONDERS, "/incidents/1/postmortem/do/owner", {"person": "rosa"}, private=True
    ),
    ("GET", "/incidents/{id:int}/customers.{kind}"): Allowed(
        KNOWN, "/incidents/1/customers.md", private=True
    ),
    ("GET", "/evidence/{file}"): Allowed(KNOWN, "/evidence/inc-1-a.png", private=True),
    ("GET", "/incidents/{id:int}/export.{kind}"): Allowed(
        KNOWN, "/incidents/1/export.md", private=True
    ),
    ("GET", "/figures"): Allowed(KNOWN),
    ("GET", "/figures.png"): Allowed(KNOWN),
    ("GET", "/digest"): Allowed(KNOWN),
    ("GET", "/search"): Allowed(KNOWN, "/search?q=zebras", private=False),
    ("GET", "/oncall"): Allowed(KNOWN),
    ("GET", "/ack"): Allowed(EVERYBODY),  # its link is the proof: tests/chat/test_paging
    ("POST", "/ack"): Allowed(set()),
    ("POST", "/update"): Allowed(
        RESPONDERS,
        form={"incident": "1", "audience": "internal", "text": "We look", "key": "u" * 12},
        private=True,
    ),
    ("GET", "/runbooks"): Allowed(KNOWN),
    ("GET", "/runbooks/{runbook}"): Allowed(KNOWN, "/runbooks/warm"),
    ("GET", "/settings"): Allowed({"dora"}),
    # what they do besides: tests/e2e/test_install_story
    ("GET", "/slack/install"): Allowed({"dora"}),
    ("GET", "/slack/oauth_redirect"): Allowed({"dora"}),
    ("GET", "/access"): Allowed(KNOWN),
    ("GET", "/access.svg"): Allowed(KNOWN),
    ("GET", "/incidents/{id:int}/do/{what}"): Allowed(KNOWN, "/incidents/1/do/run", private=True),
    ("POST", "/incidents/{id:int}/do/{what}"): Allowed(
        KNOWN, "/incidents/1/do/note", {"text": "DNS is fine", "key": "n" * 12}, private=True
    ),
    ("GET", "/declare"): Allowed(KNOWN),
    ("POST", "/declare"): Allowed(
        KNOWN, form={"severity": "sev2", "title": "Mail is late", "key": "d" * 12}
    ),
    ("POST", "/click"): Allowed(  # by button: `CLICKS`
        WITH_ROLE, form={"action_id": "incident_lead", "value": "1"}, private=True
    ),
    ("POST", "/say"): Allowed(KNOWN, form=_NOTE, private=True),  # by verb: `VERBS`
    ("POST", "/complete"): Allowed(KNOWN, form={"incident": "1", "text": "/"}, private=True),
    ("POST", "/signout"): Allowed(KNOWN),
    ("GET", "/signin"): Allowed(EVERYBODY),
    ("POST", "/signin"): Allowed(set()),  # with a password and a code alone: tests/chat/signin
    ("GET", "/me/signin"): Allowed(KNOWN),
    ("POST", "/me/signin"): Allowed(KNOWN),
    ("POST", "/me/signout"): Allowed(KNOWN),
    ("GET", "/static/{file}"): Allowed(EVERYBODY, "/static/console.css"),
}

CLICKS: dict[str, set[str]] = {
    **dict.fromkeys(("question_declare", "question_refuse"), RESPONDERS),
    **dict.fromkeys(
        ("incident_merge", "incident_unmerge", "incident_split", "incident_join"), RESPONDERS
    ),
    "run_approve": APPROVERS,
    "step_approve": APPROVERS,
    "step_confirm": {"rosa", "dora"},  # the step of the test is a responder's
    "step_cannot": {"rosa", "dora"},
}

# Each step of a postmortem's way, with the form that gets as far as the role.
PAPER_STEPS: dict[str, tuple[set[str], dict[str, str]]] = {
    "review": (RESPONDERS, {"person": "rosa"}),
    "owner": (RESPONDERS, {"person": "rosa"}),
    "facilitator": (RESPONDERS, {"person": "rosa"}),
    "meeting": (RESPONDERS, {"at": "in 3d"}),
    "regenerate": (RESPONDERS, {}),
    "restore": (RESPONDERS, {"number": "1"}),
    "keep": (RESPONDERS, {"number": "1"}),
    "take": (RESPONDERS, {"number": "1"}),
    "actions": (RESPONDERS, {"pick": "x"}),
    "action": (
        RESPONDERS,
        {
            "text": "Alert",
            "kind": "detect",
            "owner": "rosa",
            "due": "2027-01-31",
            "done_when": "it fired",
        },
    ),
    "final": (COMMANDERS, {}),
    "draft": (RESPONDERS, {}),
    "publish": (COMMANDERS, {"place": "wiki"}),
    "approve": ({"dora"}, {"number": "0"}),  # the one who is asked to review it
    "note": (RESPONDERS, {"section": "summary", "text": "Why?", "key": "p" * 12}),
    "resolve": (RESPONDERS, {"number": "1"}),
}

# What is typed after the verb where it needs words to get as far as the role.
WORDS = {
    "override": "1 nobody else is awake", "break-glass": "1 nobody else is awake",
    "review": "1 it was right to do so", "status": "mitigating", "silence": "here for 2h rest",
    "severity": "sev3", "drill": "slack", "whatif": "slack", "declare": "Mail is late",
    "note": "DNS is fine", "unsilence": "1", "page": "rosa we need you",
}  # fmt: skip
VERBS: dict[str, set[str]] = {
    **dict.fromkeys(
        ("incident declare", "incident list", "incident search", "incident digest", "incident similar",
         "incident note", "incident silences",
         "incident this", "incident catchup", "incident postmortem", "incident tasks",
         "incident clocks", "incident oncall", "runbook search",
         "incident help", "runbook list", "runbook status", "runbook help", "access status",
         "access whatif", "access drills", "access help"), KNOWN,
    ),
    **dict.fromkeys(
        ("incident merge", "incident unmerge", "incident split", "incident join",
         "incident silence", "incident unsilence", "access drill", "incident handover",
         "incident task", "incident followup", "incident rename", "incident private",
         "incident update", "incident correct", "incident snooze", "incident page",
         "incident ack"), RESPONDERS,
    ),
    "runbook override": COMMANDERS,
    "runbook break-glass": COMMANDERS,
    "runbook review": APPROVERS,
}  # fmt: skip

GONE = Person(id="gone", name="Gone", roles=["admin"])
WARM = """---
schema: runbook/v1
id: warm
title: Warm it
approvals: {count: 0}
---
## 1. By hand
```yaml step
id: hand
wait: 5s
```
"""
BUTTONS = [*QUESTION_CLICKS, *INCIDENT_CLICKS, *REGROUP_CLICKS, *RUN_CLICKS, *STEP_CLICKS]


def meet(world: World) -> None:
    """The world has these people, and a runbook that needs no approval."""
    world.people[:] = [person.model_copy() for person in PEOPLE]
    (world.folder / "runbooks" / "warm.md").write_text(WARM)
    world.runs.library.reload()


async def browser_of(world: World, who: str) -> httpx.AsyncClient:
    """Signed in, or not; who is ``gone`` was."""
    if who == "nobody":
        return world.browser()
    if who == "gone":
        world.people.append(GONE)
    browser = await world.signed_in(who)
    world.people[:] = [p for p in world.people if p.id != "gone"]
    return browser


ROWS = select(
    *(
        select(func.count()).select_from(table).scalar_subquery().label(table.name)
        for table in SQLModel.metadata.sorted_tables
    )
)


async def counts(world: World) -> Any:
    """How many rows each table has."""
    async with world.store.read() as session:
        return (await session.execute(ROWS)).mappings().one()
