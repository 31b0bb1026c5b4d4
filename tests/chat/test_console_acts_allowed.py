"""Every button and verb of the console for everybody; a demoted person's clicks, and clicks again."""

from datetime import timedelta

import pytest

from bot.chat.clicks import REGROUP_CLICKS
from bot.chat.console import signin_link
from bot.chat.verbs import FORMS
from bot.incidents import Incident
from bot.runbooks import Run, StepAttempt
from bot.store import now
from bot.timeline import entries
from tests.chat.console_allowed import (
    AMIR,
    BUTTONS,
    CLICKS,
    NOBODY,
    SIGNED_IN,
    VERBS,
    WITH_ROLE,
    WORDS,
    browser_of,
    counts,
    meet,
)
from tests.chat.console_world import BASE, HTMX, KEY, World

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def people(world: World) -> None:
    meet(world)


async def waiting(world: World, incident: Incident, button: str) -> Run:
    """A run for which the button is there."""
    run = await world.waiting_run(incident)
    phase, action = {
        "step_confirm": ("do", "manual"), "step_cannot": ("do", "manual"),
        "step_approve": ("approve", "approval"), "step_refuse": ("approve", "approval"),
    }.get(button, ("ask", "decision"))  # fmt: skip
    states = {
        "run_request": "proposed", "run_undo": "succeeded", "run_happened": "unknown",
        "run_not_happened": "unknown", "run_pause": "running", "run_resume": "paused",
    }  # fmt: skip
    async with world.store.write() as session:
        found = await session.get_one(Run, run.number)
        found.state = states.get(button, "held" if button.startswith("step_") else "waiting")
        found.requester, found.pause = "carl", found.state == "paused"
        found.started_at = now() - timedelta(seconds=9)
        output = {"by": "responder", "from": "approver", "count": 2, "error": "it broke",
                  "checklist": ["Turn the key"]}  # fmt: skip
        step = StepAttempt(
            run_id=run.number, step="drain", phase=phase, attempt=1, epoch=0, action=action,
            target="", output=output, state="intent" if found.state == "unknown" else "waiting",
        )  # fmt: skip
        if found.state == "unknown":
            step.state, step.phase = "unknown", "do"
        session.add(step)
    return found


def value_of(button: str, incident: Incident, run: Run | None) -> str:
    if run is not None:
        of_step = button.startswith("step_") or button.endswith("happened")
        return f"{run.number}|{'drain' if of_step else run.plan_digest}"
    return str(incident.number)


@pytest.mark.parametrize("who", [*NOBODY, *SIGNED_IN])
async def test_every_button_for_everybody(world: World, who: str) -> None:
    """Who has not the role gets 403 and nothing changes; for the others it is not refused."""
    browser = await browser_of(world, who)
    for number, button in enumerate(BUTTONS):
        incident = await world.incident(f"Incident {number}")
        run = None
        if button.startswith(("run_", "step_")):
            run = await waiting(world, incident, button)
        before = await counts(world)
        form = {"action_id": button, "value": value_of(button, incident, run)}
        answer = await browser.post("/click", data=form, headers=HTMX)
        allowed = who in CLICKS.get(button, WITH_ROLE)
        told = f"{who} {button}: {answer.status_code} {answer.text}"
        assert answer.status_code not in (500, 502, 503), told
        assert (answer.status_code in (401, 403)) is not allowed, told
        if not allowed:
            assert await counts(world) == before, told


@pytest.mark.parametrize("who", SIGNED_IN)
async def test_every_verb_for_everybody(world: World, who: str) -> None:
    """A verb that no entry mentions needs a role: deny by default."""
    browser, wrong = await browser_of(world, who), []
    for name, forms in FORMS.items():
        for form in {form.verb: form for form in forms}.values():
            incident = await world.incident(f"{name} {form.verb}")
            run = await world.waiting_run(incident)
            await glass(world, run, broken=form.verb == "review")
            words = WORDS.get(form.verb, "").replace("1 ", f"{run.number} ", 1)
            text = f"/{name} {form.verb} {words}".strip()
            say = {"incident": str(incident.number), "text": text, "key": "k" * 12 + form.verb}
            answer = await browser.post("/say", data=say, headers=HTMX)
            told = f"{who} {text}: {answer.status_code} {answer.text}"
            assert answer.status_code not in (500, 502, 503), told
            allowed = who in VERBS.get(f"{name} {form.verb}", WITH_ROLE)
            if (answer.status_code == 403) is allowed:
                wrong.append(told[:200])
    assert not wrong, "\n".join(wrong)


async def glass(world: World, run: Run, *, broken: bool) -> None:
    async with world.store.write() as session:
        found = await session.get_one(Run, run.number)
        forced = {"by": "eve", "reason": "nobody was there", "at": now().isoformat()}
        found.overrides = {"break_glass": forced} if broken else {}


async def test_the_old_button_of_a_demoted_person_does_nothing(world: World) -> None:
    """What a person may do is read at the click, not when the page was drawn."""
    incident = await world.incident()
    run = await world.waiting_run(incident)
    amir = await world.signed_in("amir")
    assert "run_approve" in (await amir.get("/incidents/1")).text
    world.people[:] = [
        p.model_copy(update={"roles": []}) if p.id == AMIR.id else p for p in world.people
    ]
    before = await counts(world)
    for button, value in (
        ("run_approve", f"{run.number}|{run.plan_digest}"), ("run_refuse", str(run.number)),
        ("incident_lead", "1"), ("incident_resolve", "1"),
    ):  # fmt: skip
        answer = await amir.post("/click", data={"action_id": button, "value": value}, headers=HTMX)
        assert answer.status_code == 403, button
    assert await counts(world) == before
    assert (await amir.get("/incidents/1")).status_code == 200


@pytest.mark.parametrize("button", [b for b in BUTTONS if not b.startswith("question_")])
async def test_a_click_replayed_does_nothing_twice(world: World, button: str) -> None:
    """The same request again, as a bad line or a tired finger sends it: no second row."""
    await world.incident("Another")
    incident = await world.incident()
    if button in ("incident_reopen", "incident_close"):
        async with world.store.write() as session:
            found = await world.incidents.get(session, incident.number)
            await world.incidents.set_status(session, found, "resolved", "person:rosa")
    run = None
    if button.startswith(("run_", "step_")):
        run = await waiting(world, incident, button)
    browser = await world.signed_in("dora")
    form = {"action_id": button, "value": value_of(button, incident, run)}
    first = await browser.post("/click", data=form, headers=HTMX)
    if button not in REGROUP_CLICKS:  # theirs need what their command showed: test_console_regroup
        assert first.status_code == 200, first.text
    after = await rows(world)
    for _ in range(2):
        again = await browser.post("/click", data=form, headers=HTMX)
        assert again.status_code in (200, 409, 422), again.text
    assert await rows(world) == after


async def rows(world: World) -> list[tuple[int, int, str]]:
    async with world.store.read() as session:
        return [(e.incident_id, e.seq, e.kind) for e in await entries(session, None)]


# Sessions


async def test_a_planted_cookie_is_not_what_somebody_signs_in_to(world: World) -> None:
    """Who had a session of their own put it into another's browser: signing in makes a new one."""
    mallory = await world.signed_in("vera")
    planted = mallory.cookies["jackline_session"]
    victim = world.browser()
    victim.cookies.set("jackline_session", planted)
    await victim.get(signin_link(KEY, "rosa", BASE))
    assert "Rosa" in (await victim.get("/")).text
    assert "Rosa" not in (await mallory.get("/")).text
    assert mallory.cookies["jackline_session"] == planted
