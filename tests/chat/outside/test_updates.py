"""Updates by notifiers and in an audience's channel: in the author's words, once, Slack up or down."""

import pytest

from bot.catalog import AudiencePlace
from bot.incidents.updates import Updates
from tests.chat.outside.conftest import Outside
from tests.slackstub import C_GENERAL

pytestmark = pytest.mark.server
CALM = {"after": 3600}  # Slack may be slow here, which is no outage


async def tell(room: Outside, audience: str, text: str, *, correcting: bool = False) -> None:
    """Written and sent."""
    updates = Updates(room.incidents)
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        update = await updates.write(
            session, incident, audience, text, "person:ana", key=text, correcting=correcting,  # type: ignore[arg-type]
        )  # fmt: skip
        await updates.send(session, update.number, "person:ana")


async def test_each_audience_where_it_reads(room: Outside) -> None:
    """Also by a notifier that is else for the day when Slack is down; a correction is told too."""
    room.enter({"to": ["board", "ceo"], **CALM}, {"to": ["status@example.com"], **CALM})
    places = [
        AudiencePlace(id="executives", notifiers=["n0"]),
        AudiencePlace(id="customers", channels=[C_GENERAL], notifiers=["n1"]),
    ]
    room.catalog = room.catalog.model_copy(update={"audiences": places})
    await room.slack.join(C_GENERAL, room.slack.bot_user_id)
    async with room.working():
        await room.declare("Kafka burns")
        await tell(room, "executives", "It burns")
        await room.told(2)
        await tell(room, "customers", "We look at <it>")
        await room.told(3)
        await room.slack.wait_message(C_GENERAL, contains="We look at &lt;it&gt;")
        await tell(room, "customers", "All is well", correcting=True)
        await room.told(4)
        await room.slack.wait_message(C_GENERAL, contains="All is well")
    said = [(to, notice.subject, notice.text) for notice, to, _ in room.fake.told]
    assert sorted(to for to, _, _ in said[:2]) == ["board", "ceo"]
    assert said[0][1:] == ("#1 SEV1 update: Kafka burns", "It burns\nhttp://bot.test/incidents/1")
    assert [to for to, _, _ in said[2:]] == ["status@example.com"] * 2
    assert [text for _, _, text in said[2:]] == ["We look at <it>", "All is well"]
    assert said[3][1].startswith("Correction of ")
    for _, subject, text in said[2:]:
        assert "Kafka" not in subject + text
        assert "bot.test" not in text
    assert len(room.slack.messages(C_GENERAL)) == 1
    assert len(await room.timeline("notice_delivered")) == 4


async def test_a_private_title_leaves_by_no_notifier(room: Outside) -> None:
    room.enter({"to": ["board"], **CALM})
    places = [AudiencePlace(id="executives", notifiers=["n0"])]
    room.catalog = room.catalog.model_copy(update={"audiences": places})
    async with room.working(slack=False):
        await room.declare("Hush hush")
        async with room.store.write() as session:
            (await room.incidents.get(session, 1)).private = True
        await tell(room, "executives", "It goes on")
        (notice,) = await room.told(1)
    assert notice.subject == "#1 SEV1 update: private"
