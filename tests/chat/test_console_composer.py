"""What the composer offers, and what the console's forms make of their fields."""

import httpx
import pytest

from bot.chat.console.completion import Facts, completed
from bot.chat.verbs import FORMS
from bot.runbooks.model import Input
from tests.chat.console_world import BASE, HTMX, ORIGIN, World

OVER = {**HTMX, "hx-current-url": f"{BASE}/incidents/1"}  # the form is open over the page
FACTS = Facts(
    {
        "SEVERITY": [("sev1", ""), ("sev2", "now")],
        "STATUS": [("mitigating", ""), ("resolved", "")],
        "ID": [("drain-edge", "Drain an edge"), ("warm", "Warm it")],
        "#N": [("#7", "Mail is late")],
        "RUN": [("3", "Warm it: waiting")],
        "NODE": [("dns:corp", ""), ("slack", "")],
        "NAME": [("monthly", "slack")],
        "2h": [("2h", "")],
        "SERVICE": [("web", "Web")],
    },
    {
        "warm": {
            "percent": Input(type="integer", min=1, max=100, default=50, description="how much"),
            "mode": Input(type="enum", values=["gently", "fast"], required=True),
            "service": Input(type="service"),
        }
    },
)
OFFERED = [  # what is typed, and what the composer would then hold
    ("/incident sev", ["/incident severity "]),
    ("/incident commander", ["/incident lead"]),
    ("/incident lead", []),
    ("/incident severity ", ["/incident severity sev1 ", "/incident severity sev2 "]),
    ("/incident severity sev1 ", []),
    ("/incident status m", ["/incident status mitigating "]),
    ("/incident list a", ["/incident list all "]),
    ("/incident declare s", ["/incident declare sev1 ", "/incident declare sev2 "]),
    ("/incident declare Checkout is d", []),
    ("/incident merge ", ["/incident merge #7 ", "/incident merge into "]),
    ("/incident merge into ", ["/incident merge into #7 "]),
    ("/incident merge #7 into ", ["/incident merge #7 into #7 "]),
    ("/incident silence a=b f", ["/incident silence a=b for "]),
    ("/incident silence a=b for ", ["/incident silence a=b for 2h "]),
    ("/runbook run ", ["/runbook run drain-edge ", "/runbook run warm "]),
    ("/runbook run warm ", ["/runbook run warm mode=", "/runbook run warm percent=",
                            "/runbook run warm service="]),
    ("/runbook run warm mode=f", ["/runbook run warm mode=fast "]),
    ("/runbook run warm mode=fast p", ["/runbook run warm mode=fast percent="]),
    ("/runbook run warm percent=", ["/runbook run warm percent=50 "]),
    ("/runbook run warm service=", ["/runbook run warm service=web "]),
    ("/runbook run nothing ", []),
    ("/runbook override ", ["/runbook override 3 "]),
    ("/access whatif dns:corp,s", ["/access whatif dns:corp,slack "]),
    ("/access drill m", ["/access drill monthly "]),
    ("/fly ", []), ("/incident fly ", []), ("a note / of mine", []), ("", []),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "held"), OFFERED, ids=[t or "-" for t, _ in OFFERED])
def test_what_is_offered(typed: str, held: list[str]) -> None:
    """By the usages alone: verbs and synonyms, then what their placeholders can be."""
    assert [choice.text for choice in completed(typed, FORMS, FACTS)] == held


def test_every_verb_is_offered_after_a_slash() -> None:
    """All of them, and by their own name whatever the command: `/res` finds `/incident resolve`."""
    every = {f"/{name} {form.verb}" for name, forms in FORMS.items() for form in forms}
    assert {choice.label for choice in completed("/", FORMS, FACTS)} == every
    assert "/incident resolve" in [c.label for c in completed("/res", FORMS, FACTS)]
    for name, forms in FORMS.items():
        for form in forms:
            found = completed(f"/{name} {form.verb} ", FORMS, FACTS)
            assert all(choice.text.startswith(f"/{name} {form.verb} ") for choice in found)


def test_an_input_says_what_it_takes() -> None:
    """Its meaning, its type, its bounds, its default, and whether it is needed."""
    found = {c.label: c.what for c in completed("/runbook plan warm ", FORMS, FACTS)}
    assert found["percent="] == "how much, integer, 1…100, 50 if left out"
    assert found["mode="] == "gently | fast, needed"


async def test_the_list_is_drawn_inert_and_knows_the_person(world: World) -> None:
    """A title with markup stays text; a private incident and forbidden verbs are not offered."""
    await world.incident()
    await world.incident("<img src=x onerror=alert(1)>")
    secret = await world.incident("Hush")
    async with world.store.write() as session:
        (await world.incidents.get(session, secret.number)).private = True
    world.people[1] = world.people[1].model_copy(update={"roles": []})
    rosa, amir = await world.signed_in("rosa"), await world.signed_in("amir")

    async def offers(browser: httpx.AsyncClient, text: str) -> str:
        form = {"incident": "1", "text": text}
        return (await browser.post("/complete", data=form, headers=HTMX)).text

    mine = await offers(rosa, "/incident merge into ")
    assert "&lt;img src=x" in mine
    assert "<img" not in mine
    assert "#3" in mine  # she declared it
    assert "/incident resolve" in await offers(rosa, "/")
    theirs = await offers(amir, "/")
    assert "/incident resolve" not in theirs
    assert "/incident note" in theirs


async def test_forms_do_what_their_command_does(world: World) -> None:
    """Severity, status, command and a note, each by fields; sent twice they count once."""
    browser, incident = await world.signed_in(), await world.incident()
    sent = [
        ("severity", {"severity": "sev3"}), ("status", {"status": "mitigating"}), ("lead", {}),
        ("update", {"audience": "internal", "text": "We look at it", "next": "30m"}),
        ("note", {"text": "“/incident resolve” is *not* a command here"}),
    ]  # fmt: skip
    for number, (what, fields) in enumerate(sent):
        form = {"key": f"form-key-{number}", **fields}
        for _ in range(2):
            answer = await browser.post(f"/incidents/1/do/{what}", data=form, headers=OVER)
            assert answer.status_code in (200, 409), answer.text
            assert answer.status_code == 409 or answer.headers["hx-retarget"] == "#answer"
    kinds = [row.kind for row in await world.rows(incident)]
    assert kinds == ["incident_declared", "severity_changed", "status_changed",
                     "commander_assigned", "communication_sent", "note_added"]  # fmt: skip
    plain = await browser.post(
        "/incidents/1/do/note", data={"key": "k" * 12, "text": "x"}, headers=ORIGIN
    )
    assert (plain.status_code, plain.headers["location"]) == (303, "/incidents/1")
    alone = await browser.post(
        "/incidents/1/do/note", data={"key": "a" * 12, "text": "x"}, headers=HTMX
    )
    assert alone.headers["hx-redirect"] == "/incidents/1"


async def test_a_form_that_is_wrong_or_none(world: World) -> None:
    """Words for people, and no form is made up."""
    browser, _ = await world.signed_in(), await world.incident()
    assert (await browser.get("/incidents/1/do/fly")).status_code == 404
    wrong = {"severity": "sev1; resolve", "key": "k" * 12}
    answer = await browser.post("/incidents/1/do/severity", data=wrong, headers=HTMX)
    assert answer.status_code == 422
    assert "There is no severity" in answer.text
    fly = await browser.post("/incidents/1/do/fly", data={"key": "k" * 12}, headers=HTMX)
    assert fly.status_code == 404
    gone = await browser.post(
        "/incidents/1/do/run", data={"runbook": "nothing", "key": "k" * 12}, headers=HTMX
    )
    assert gone.status_code == 404
    old = await browser.post("/incidents/1/do/lead", data={}, headers=HTMX)
    assert "out of date" in old.text


async def test_resolving_by_the_form_waits_for_runs_too(world: World) -> None:
    """The status `resolved` is the command `resolve`: it does not pass by a run that goes on."""
    browser, incident = await world.signed_in(), await world.incident()
    run = await world.waiting_run(incident)
    async with world.store.write() as session:
        (await world.runs.get(session, run.number)).state = "running"
    for text in ("/incident status resolved", "/incident resolve"):
        say = {"incident": "1", "text": text, "key": "k" * 12}
        assert (await browser.post("/say", data=say, headers=HTMX)).status_code == 409
    form = {"status": "resolved", "key": "s" * 12}
    answer = await browser.post("/incidents/1/do/status", data=form, headers=HTMX)
    assert answer.status_code == 409
    assert "still running" in answer.text
