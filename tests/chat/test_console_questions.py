"""The console's front page asks; private incidents are not there for those who do not belong."""

import itertools

from bot.alerts.questions import Questions
from bot.catalog import Person
from bot.incidents import Incident
from tests.chat.asked import ask
from tests.chat.console_world import AMIR, HTMX, ORIGIN, ROSA, World

LOOKER = Person(id="lou", name="Lou", roles=[])


def questions(world: World) -> Questions:
    return Questions(world.incidents)


async def test_the_front_page_asks_and_a_click_leads_to_the_incident(world: World) -> None:
    await ask(world.store, questions(world), "Slow <b>", "Slow <b>", title="Shop <i> is slow")
    browser = await world.signed_in()
    page = (await browser.get("/")).text
    assert "Is it an incident?" in page
    assert "Slow &lt;b&gt; (2)" in page
    assert "Shop &lt;i&gt; is slow" in page
    assert 'name="action_id" value="question_declare"' in page
    answer = await browser.post(
        "/click", data={"action_id": "question_declare", "value": "1"}, headers=HTMX
    )
    assert answer.headers["hx-redirect"] == "/incidents/1"
    assert "Is it an incident?" not in (await browser.get("/list")).text
    assert "Rosa Diaz declared #1 at" in (await browser.get("/incidents/1")).text
    again = await browser.post(
        "/click", data={"action_id": "question_refuse", "value": "1"}, headers=HTMX
    )
    assert again.status_code == 409
    assert "Rosa Diaz declared #1 at" in again.text


async def test_refused_without_scripts(world: World) -> None:
    await ask(world.store, questions(world))
    browser = await world.signed_in()
    answer = await browser.post(
        "/click", data={"action_id": "question_refuse", "value": "1"}, headers=ORIGIN
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    assert "Is it an incident?" not in (await browser.get("/")).text


async def test_who_may_not_answer_is_told(world: World) -> None:
    world.people = [ROSA, LOOKER]
    await ask(world.store, questions(world))
    browser = await world.signed_in("lou")
    answer = await browser.post(
        "/click", data={"action_id": "question_declare", "value": "1"}, headers=HTMX
    )
    assert answer.status_code == 403
    assert "needs the role" in answer.text


async def test_the_list_is_drawn_anew_for_every_question(world: World) -> None:
    """Also for one that stands in no channel for want of room."""
    browser = await world.signed_in()

    async def stamp() -> str:
        page = (await browser.get("/")).text
        return page.partition("/events?seen=")[2].partition('"')[0]

    seen = [await stamp()]
    question = await ask(world.store, questions(world))
    seen.append(await stamp())
    async with world.store.write() as session:
        session.add(question)
        question.posted, question.fired = False, 2
    seen.append(await stamp())
    await browser.post("/click", data={"action_id": "question_refuse", "value": "1"}, headers=HTMX)
    seen.append(await stamp())
    assert all(before != after for before, after in itertools.pairwise(seen))


async def leak(world: World) -> Incident:
    async with world.store.write() as session:
        return await world.incidents.declare(
            session, title="Keys leaked", severity="sev1", actor="source:siem", origin="leak",
            people=["rosa"], private=True,
        )  # fmt: skip


async def test_a_private_incident_is_not_there_for_others(world: World) -> None:
    """Neither in the list nor by any address; a picture of it neither."""
    world.people = [ROSA, AMIR]
    await leak(world)
    await ask(world.store, questions(world), title="More keys", private=True, people=["rosa"])
    (world.folder / "evidence").mkdir()
    (world.folder / "evidence" / "inc-1-ab12.png").write_bytes(b"\x89PNG")
    rosa, amir = await world.signed_in("rosa"), await world.signed_in("amir")
    for path in ("/", "/list"):
        assert "Keys leaked" in (await rosa.get(path)).text
        assert "More keys" in (await rosa.get(path)).text
        other = (await amir.get(path)).text
        assert "keys" not in other.lower()
        assert "/incidents/1" not in other
    for path in ("/incidents/1", "/incidents/1/feed", "/incidents/1/events",
                 "/incidents/1/postmortem.md", "/evidence/inc-1-ab12.png"):  # fmt: skip
        answer = await amir.get(path)
        assert answer.status_code == 404, path
        assert "Keys" not in answer.text
    for path in ("/incidents/1", "/incidents/1/feed", "/evidence/inc-1-ab12.png"):
        assert (await rosa.get(path)).status_code == 200, path
    said = {"incident": "1", "text": "hello", "key": "k" * 12}
    assert (await amir.post("/say", data=said, headers=HTMX)).status_code == 404
    lead = {"action_id": "incident_lead", "value": "1"}
    assert (await amir.post("/click", data=lead, headers=HTMX)).status_code == 404
    assert (await rosa.post("/say", data=said, headers=HTMX)).status_code == 200
    assert (await rosa.post("/click", data=lead, headers=HTMX)).status_code == 200
