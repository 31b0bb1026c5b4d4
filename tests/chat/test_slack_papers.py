"""Publishing from Slack: the final postmortem's card has a button for each place, and says how it went."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from bot.access import Dialer
from bot.catalog import Catalog
from bot.chat.outside import PaperSurface
from bot.delivery import DeliveryWorker
from bot.postmortems import Postmortem
from bot.postmortems.editing.tables import Reviewer
from bot.postmortems.exports import Exports
from bot.registry import load
from tests.chat.room import ChatRoom, words
from tests.chat.slack_room import SlackRoom, slack_room
from tests.delivery.conftest import stop
from tests.servers.google_drive import EMAIL, FOLDER, GoogleDrive, google_drive
from tests.slackstub import U_ANA, U_BEN, SlackStub

pytestmark = pytest.mark.server


@pytest.fixture
def drive() -> Iterator[GoogleDrive]:
    with google_drive() as app:
        yield app
        assert app.wrong == []


@pytest.fixture
async def at(room: ChatRoom, slack: SlackStub, drive: GoogleDrive) -> AsyncIterator[SlackRoom]:
    """#1 is over; Ana owns its postmortem, Ben facilitates and reviews it."""
    async with slack_room(room, slack) as made:
        given = {
            "targets": [{"name": "d/x", "url": drive.url, "settings": {"key": drive.key_file, "folder": FOLDER}}],
            "paper_places": [{"id": "docs", "title": "Google <Docs>", "integration": "googledocs", "target": "d/x"}],
        }  # fmt: skip
        people = room.library.catalog.people
        room.library.catalog = Catalog.model_validate({**given, "people": people})
        await made.declare("Down")
        await room.type_("/incident resolve #1")
        async with room.store.write() as session:
            session.add(Postmortem(
                incident_id=1, state="in review", markdown="# P\n\n## Summary\n\nWords.\n", html="<p>",
                drawn_from=7, owner="ana", facilitator="ben",
            ))  # fmt: skip
            session.add(Reviewer(incident_id=1, person="ben", asked_by="ana"))
        await made.settled()
        yield made


def worker(room: ChatRoom) -> DeliveryWorker:
    catalog = lambda: room.library.catalog  # noqa: E731 - as the app hands it in
    exports = Exports(catalog, room.library.folder)
    surface = PaperSurface(room.store, room.incidents, load(), Dialer(catalog), exports)
    return DeliveryWorker(room.store, surface, "papers")


async def test_published_from_its_card(at: SlackRoom, drive: GoogleDrive) -> None:
    """Its message is edited as it goes: on its way, refused and why, and then with the link."""
    slack = at.slack
    channel = next(c.id for c in slack.ws.channels.values() if c.name.startswith("inc-1-"))
    for step, who in (("approve", U_BEN), ("final", U_ANA)):
        assert not slack.messages(channel, contains="Google &lt;Docs&gt;")
        done = await slack.command(f"/incident postmortem {step}", who, channel, wait=20)
        assert "postmortem of #1 is" in str(done.responses)
    await at.settled()
    (card,) = slack.messages(channel, contains="Google &lt;Docs&gt;*: not published")
    refused = await slack.click(channel, card.ts, "paper_publish", U_BEN, wait=20)
    assert "needs the role 'commander'" in str(refused.responses)
    drive.shared_with.clear()
    clicked = await slack.click(channel, card.ts, "paper_publish", U_ANA, wait=20)
    assert "version 1 is on its way" in str(clicked.responses)
    await at.until(lambda: "⏳ version 1 is on its way" in words(card.blocks))
    assert "paper_publish" not in str(card.blocks)
    working = asyncio.create_task(worker(at.room).run())
    try:
        await at.until(lambda: f"with {EMAIL} as Contributor" in words(card.blocks))
        assert "'Publish again'" in str(card.blocks)
        drive.shared_with.add(EMAIL)
        again = await slack.command("/incident postmortem publish docs", U_ANA, channel, wait=20)
        assert "is on its way" in str(again.responses)
        await at.until(lambda: "has <https://docs.google.com/" in words(card.blocks))
        await at.until(lambda: slack.messages(channel, contains="The postmortem is published: Google &lt;Docs&gt;"))  # fmt: skip
    finally:
        await stop(working)
    assert "|version 1> since" in words(card.blocks)
    assert "by Ana" in words(card.blocks)
    rows = [row for row in await at.room.rows() if row.kind == "postmortem_published"]
    assert [(r.actor, r.link) for r in rows] == [("person:ana", drive.documents[0]["webViewLink"])]


async def test_what_is_typed_wrong(at: SlackRoom) -> None:
    room = at.room
    for text, said in (
        ("publish docs", "it is not published, and nothing of it"),
        ("publish doc", "did you mean 'docs'"),
        ("publish docs docs", "one place at a time"),
    ):
        with pytest.raises(Exception, match=said):
            await room.type_(f"/incident postmortem {text}", at=1)
    with pytest.raises(Exception, match="role 'commander'"):
        await room.type_("/incident postmortem publish docs", "ben", at=1)
