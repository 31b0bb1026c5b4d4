"""Buttons: the same door for every surface; twice is once; nothing a value holds can break it."""

import pytest

from bot.chat.clicks import INCIDENT_CLICKS, RUN_CLICKS
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from tests.chat.room import ChatRoom


@pytest.fixture
async def declared(room: ChatRoom) -> ChatRoom:
    await room.type_("/incident declare Down")
    return room


async def test_a_card_leads_an_incident_to_its_end(declared: ChatRoom) -> None:
    room = declared
    assert (await room.click("incident_lead", "1")).text == "You are the incident commander."
    assert (await room.click("incident_monitoring", "1")).text == "The incident is monitoring."
    assert (await room.click("incident_resolve", "1")).text == "The incident is resolved."
    incident = await room.incident()
    assert (incident.commander, incident.status) == ("ana", "resolved")


async def test_a_second_click_changes_nothing(declared: ChatRoom) -> None:
    for action_id in INCIDENT_CLICKS:
        if action_id == "incident_close":  # the one that needs another before it
            await declared.click("incident_resolve", "1")
        await declared.click(action_id, "1")
        before = len(await declared.rows())
        await declared.click(action_id, "1")
        assert len(await declared.rows()) == before


async def test_what_was_resolved_is_opened_again(declared: ChatRoom) -> None:
    """Once; later the button says where it stands, and of what is closed it says why not."""
    room = declared
    await room.click("incident_resolve", "1")
    assert (await room.click("incident_reopen", "1")).text == "The incident is investigating."
    assert (await room.click("incident_reopen", "1")).text == "The incident is open: investigating."
    await room.click("incident_resolve", "1")
    await room.type_("/incident status closed", at=1)
    with pytest.raises(Conflict, match="closed cannot become investigating"):
        await room.click("incident_reopen", "1")


async def test_a_run_is_asked_for_approved_and_taken_back(declared: ChatRoom) -> None:
    """By two persons: who asks does not approve."""
    room = declared
    run = await room.plan(state="proposed")
    assert (await room.click("run_request", f"{run}|pd")).text == "Fix the shop: waiting."
    with pytest.raises(NotAllowed, match="another person"):
        await room.click("run_approve", f"{run}|pd", "ana")
    with pytest.raises(NotAllowed, match="role"):
        await room.click("run_approve", f"{run}|pd", "eli")
    with pytest.raises(Conflict, match="plan has changed"):
        await room.click("run_approve", f"{run}|older", "ben")
    assert (await room.click("run_approve", f"{run}|pd", "ben")).text == "Fix the shop: approved."
    assert (await room.click("run_abort", f"{run}|pd")).text == "Fix the shop: aborted."
    assert (await room.click("run_undo", f"{run}|pd")).text == "Fix the shop: approved."


async def test_a_run_is_refused(declared: ChatRoom) -> None:
    run = await declared.plan(state="waiting", requester="ana")
    assert (await declared.click("run_refuse", f"{run}|pd", "ben")).text == "Fix the shop: refused."
    with pytest.raises(Conflict):
        await declared.click("run_refuse", f"{run}|pd", "ben")


async def test_somebody_unknown_clicks_in_vain(declared: ChatRoom) -> None:
    run = await declared.plan(state="proposed")
    before = await declared.rows()
    for action_id in (*INCIDENT_CLICKS, *RUN_CLICKS):
        value = "1" if action_id in INCIDENT_CLICKS else f"{run}|pd"
        with pytest.raises(NotAllowed, match="I do not know you"):
            await declared.click(action_id, value, "mallory")
    assert len(await declared.rows()) == len(before)


async def test_a_forged_value_is_refused(room: ChatRoom) -> None:
    """None of them reaches the database, which could not hold some of them."""
    for action_id in (*INCIDENT_CLICKS, *RUN_CLICKS):
        for value in ("", "x", "-1", "²", "1.0", "9" * 30, "|", " 1", "1\n"):
            with pytest.raises(BadInput, match="I do not know the button"):
                await room.click(action_id, value)


async def test_a_button_that_is_not_ours(room: ChatRoom) -> None:
    for action_id in ("nope", "", "x" * 9000):
        with pytest.raises(BadInput, match="I do not know the button") as caught:
            await room.click(action_id, "1")
        assert len(str(caught.value)) < 100


async def test_what_is_gone(room: ChatRoom) -> None:
    for action_id, value in (("incident_lead", "77"), ("run_approve", "77|pd")):
        with pytest.raises(NotFound):
            await room.click(action_id, value)


@pytest.mark.parametrize("state", ["approved", "running"])
async def test_nothing_is_resolved_while_a_run_goes_on(declared: ChatRoom, state: str) -> None:
    """Its end would be missing in the postmortem."""
    await declared.plan(state=state)
    with pytest.raises(Conflict, match="'Fix the shop' is still running"):
        await declared.click("incident_resolve", "1")
    with pytest.raises(Conflict, match="abort it"):
        await declared.type_("/incident resolve", at=1)
    assert (await declared.incident()).status == "declared"
