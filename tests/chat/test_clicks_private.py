"""A private incident's buttons, pressed elsewhere than in its channel by who does not belong."""

import pytest

from bot.chat.regroup import REGROUP_CLICKS
from bot.errors import NotAllowed, NotFound
from bot.incidents.due_tables import Update
from bot.paging.tables import Page
from tests.chat.room import ChatRoom
from tests.chat.test_cards import a_plan, a_step

ELSEWHERE = ("question_declare", "question_refuse")  # about alerts: test_private has theirs


@pytest.fixture
async def hidden(room: ChatRoom) -> ChatRoom:
    """#1, of Ana's: its run, its page and its update are number 1, too. Ben does not belong."""
    await room.type_("/incident declare Keys leaked")
    await room.plan(state="waiting", requester="ana", plan=a_plan(a_step()))
    async with room.store.write() as session:
        session.add(
            Page(incident_id=1, origin="p", name="Ana", levels=[], repeat=0, opened_by="jackline")
        )
        session.add(Update(incident_id=1, audience="internal", text="So it is", author="person:ana",
                           key="u", severity="sev2"))  # fmt: skip
        (await room.incidents.get(session, 1)).private = True
    return room


async def test_no_button_of_a_private_incident_works_for_others(hidden: ChatRoom) -> None:
    """As one in the channel from before it was private: it says no more than that there is none."""
    before = len(await hidden.rows())
    for action_id in hidden.clicks.handlers:
        if action_id in ELSEWHERE:
            continue
        with pytest.raises((NotFound, NotAllowed)) as caught:
            await hidden.click(action_id, value_of(action_id), "ben")
        assert "Keys leaked" not in str(caught.value), action_id
        assert caught.type is NotFound, f"{action_id}: {caught.value}"
    assert len(await hidden.rows()) == before


def value_of(action_id: str) -> str:
    numbered = ("incident_lead", "incident_monitoring", "incident_resolve", "incident_reopen",
                "incident_close", "incident_resolve_export", "page_ack")  # fmt: skip
    return "1" if action_id in numbered else "1|1|2" if action_id in REGROUP_CLICKS else "1|2"
