"""Questions about alerts in chat: what is shown, who may answer, and private incidents."""

from typing import Any

import pytest

from bot.alerts import Question
from bot.alerts.questions import about
from bot.chat import Reply
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.store import now
from tests.chat.asked import ask
from tests.chat.room import ChatRoom, words
from tests.slackstub.blocks import check_message

EVIL = "<!channel> *x* `y` <http://e.example|z> &amp; \u202e" + "n" * 500


async def posed(room: ChatRoom, *names: str, **opening: Any) -> Question:
    return await ask(room.store, room.clicks.questions, *names, **opening)


def buttons(blocks: list[dict[str, Any]]) -> list[str]:
    rows = [b["elements"] for b in blocks if b["type"] == "actions"]
    return [button["action_id"] for row in rows for button in row]


async def test_what_a_question_shows(room: ChatRoom) -> None:
    """What fires, what is proposed, when it is declared by itself, and two buttons."""
    await posed(room, "Slow", "Slow", "Errors", services=["shop"])
    card = await room.card(0, "question", question=1)
    assert card.text == "🟠 SEV2 · Is it an incident? Shop is slow"
    said = words(card.blocks)
    assert "Slow (2)\nErrors" in said
    assert "Shop &lt;!here&gt; &amp; co (p0)" in said
    assert "If nobody answers, it is declared by itself at 20" in str(card.blocks)
    assert buttons(card.blocks) == ["question_declare", "question_refuse"]


async def test_a_hostile_alert_is_shown_inert(room: ChatRoom) -> None:
    names = [f"{n}{EVIL}" for n in range(30)]
    await posed(room, *names, title=EVIL[:200].replace("\u202e", ""))  # as the router makes it
    card = await room.card(0, "question", question=1)
    assert "<!channel>" not in words(card.blocks)
    assert "<!channel>" not in card.text
    assert "<http" not in words(card.blocks[:-1])
    assert "\u202e" not in str(card.blocks)
    assert "more" in words(card.blocks)


async def test_answered_by_a_click_and_once(room: ChatRoom) -> None:
    """The second click hears who answered what and when; the card has no buttons any more."""
    await posed(room)
    reply = await room.click("question_declare", "1", "ana")
    assert reply == Reply("#1 is declared.", incident_id=1)
    for again in ("question_declare", "question_refuse"):
        with pytest.raises(Conflict, match=r"is not open any more\. Ana declared #1 at 20"):
            await room.click(again, "1", "ben")
    card = await room.card(0, "question", question=1)
    assert buttons(card.blocks) == []
    assert "Ana declared #1 at" in str(card.blocks)
    assert (await room.incident()).declared_by == "person:ana"


async def test_refused_by_a_click(room: ChatRoom) -> None:
    await posed(room)
    said = (await room.click("question_refuse", "1", "ana")).text
    assert said.startswith("Noted: Ana said at 20")
    assert "nobody is asked again before" in said
    assert buttons((await room.card(0, "question", question=1)).blocks) == []


async def test_who_may_answer(room: ChatRoom) -> None:
    """Responders and commanders; the role counts at the click."""
    await posed(room)
    for action in ("question_declare", "question_refuse"):
        with pytest.raises(NotAllowed, match="needs the role"):
            await room.click(action, "1", "eli")
        with pytest.raises(NotAllowed, match="do not know you"):
            await room.click(action, "1", "nobody")
        for value in ("", "x", "-1", "1|2", "9" * 30):
            with pytest.raises(BadInput):
                await room.click(action, value)
        with pytest.raises(NotFound, match="no question 77"):
            await room.click(action, "77")


async def test_a_private_question_tells_nothing_where_everybody_reads(room: ChatRoom) -> None:
    """Neither what fires nor a button; who may see it answers in the console."""
    await posed(room, "Leak", title="Keys on a pastebin", private=True, people=["ben"])
    card = await room.card(0, "question", question=1)
    for secret in ("Leak", "Keys"):
        assert secret not in str(card.blocks) + card.text
    assert buttons(card.blocks) == []
    inside = room.cards.question(about_stored(await posed(room, "L", open_key="h", private=True)))
    check_message(inside.blocks, [])
    assert "Shop is slow" in str(inside.blocks)
    with pytest.raises(NotFound, match="no question 1"):
        await room.click("question_declare", "1", "ana")
    await room.click("question_declare", "1", "ben")
    assert (await room.incident()).private


def about_stored(question: Question) -> Question:
    assert about(question).private
    return question


async def private(room: ChatRoom) -> None:
    """Number 1 is ben's alone."""
    async with room.store.write() as session:
        await room.incidents.declare(
            session, title="Keys leaked", severity="sev1", actor="source:siem", origin="leak",
            people=["ben"], private=True,
        )  # fmt: skip


async def test_the_digest_has_no_title_of_a_private_one(room: ChatRoom) -> None:
    await private(room)
    digest = await room.card(1, "digest")
    assert "Keys" not in str(digest.blocks) + digest.text
    assert "#1 🔒 a private incident" in digest.text
    assert "🔒 🔴 SEV1 · Keys leaked" in str((await room.card(1)).blocks)


async def test_commands_of_others_find_no_private_incident(room: ChatRoom) -> None:
    """As if it were not there, in every form; for who belongs it is as always."""
    await private(room)
    assert (await room.type_("/incident list", "ana")).text == "No incident is open."
    for text in ("status", "lead", "severity sev2", "note hello", "resolve"):
        verb, _, rest = text.partition(" ")
        with pytest.raises(NotFound, match=r"^There is no incident 1\."):
            await room.type_(f"/incident {verb} #1 {rest}".strip(), "ana")
        with pytest.raises(BadInput):
            await room.type_(f"/incident {text}", "ana")
    with pytest.raises(NotFound, match="no incident 1"):
        await room.type_("/runbook run #1 fix", "ana")
    run = await room.plan(state="waiting")
    with pytest.raises(NotFound, match="no incident 1"):
        await room.type_(f"/runbook override {run} because", "ana")
    assert "Keys leaked" in str((await room.type_("/incident list", "ben")).blocks)
    assert "Keys leaked" in (await room.type_("/incident status", "ben")).text
    assert "Keys leaked" in (await room.type_("/incident list", "dora")).blocks[0]["text"]["text"]
    assert [r.kind for r in await room.rows()] == ["incident_declared"]


async def test_in_its_channel_people_are_inside(room: ChatRoom) -> None:
    """Who was let into the private channel sees it anyway."""
    await private(room)
    assert "Keys leaked" in (await room.type_("/incident status", "ana", at=1)).text
    assert "Keys leaked" in (await room.type_("/incident status #1", "ana", at=1)).text


async def test_clicks_in_the_console_of_those_who_do_not_belong(room: ChatRoom) -> None:
    """Buttons of a page that they cannot see, forged; in Slack they stand in the private channel."""
    await private(room)
    run = await room.plan(state="waiting", requester="ben")
    forged = (("incident_lead", "1"), ("incident_resolve", "1"), ("run_approve", f"{run}|pd"),
              ("step_confirm", f"{run}|s"))  # fmt: skip
    for action, value in forged:
        async with room.store.write() as session:
            with pytest.raises(NotFound, match="no incident 1"):
                await room.clicks.handle(session, action, value, room.person("cleo"), "console")
    async with room.store.write() as session:
        await room.clicks.handle(session, "incident_lead", "1", room.person("ben"), "console")
    assert (await room.incident()).commander == "ben"
    assert (await room.incident()).declared_at < now()
