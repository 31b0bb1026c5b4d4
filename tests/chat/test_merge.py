"""Two incidents become one by hand, and two again: shown first, done once, whole or not at all."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from bot.delivery import Delivery, Message
from bot.errors import BadInput, Conflict, JacklineError, NotAllowed, NotFound
from bot.incidents.merging import UNMERGE_WITHIN
from bot.runbooks import Proposer
from bot.store import now
from tests.chat.hands import Hands, shown
from tests.chat.room import words

pytestmark = pytest.mark.slow


async def refused(work: Any, kind: type[JacklineError] = Conflict) -> str:
    with pytest.raises(kind) as caught:
        await work
    return str(caught.value)


async def test_shown_first(two: Hands) -> None:
    """What goes where, with counts and names; and nothing has changed."""
    before = await two.rows(1), await two.rows(2)
    reply, (action_id, value) = await two.types("merge #1 into #2")
    assert shown(reply) == [
        "Merge #1 ShopDown fires (sev1, declared) into #2 BlogDown fires (sev3, declared)?",
        "#2 gets 2 alerts: ShopDown (1), ShopSlow (1)",
        "#2 becomes sev1, and is about shop as well",
        "further alerts of service:shop join #2",
        "the people of #1 are asked into the channel of #2; its own is left standing",
        "24 hours long /incident unmerge #1 takes it back",
    ]
    assert action_id == "incident_merge"
    assert value.startswith("1|")
    assert (await two.rows(1), await two.rows(2)) == before
    reply, _ = await two.types("merge into #2", at=1)
    assert reply.text.startswith("Merge #1 ")
    reply, _ = await two.types("merge #2 into HERE", at=1)
    assert reply.text.startswith("Merge #2 ")


async def test_picked_from_the_open_ones(two: Hands) -> None:
    """Without a number: each other open incident, with a button that says what it does."""
    await two.alert("DbDown", "db", labels={"team": "<!here>"})
    await two.become(3, "resolved")
    async with two.store.write() as session:
        await two.room.incidents.declare(
            session, title="Practice", severity="sev4", actor="person:ana", origin="d", drill=True
        )
    reply = await two.room.type_("/incident merge", at=1)
    head, choice = reply.blocks
    assert "Into which incident is #1 " in head["text"]["text"]
    assert choice["text"]["text"] == "#2 BlogDown fires (sev3, declared)"
    button = choice["accessory"]
    assert button["confirm"]["text"]["text"] == (
        "#2 becomes sev1 and gets 2 alerts: ShopDown (1), ShopSlow (1)."
    )
    await two.press((button["action_id"], button["value"]))
    assert (await two.incident(1)).merged_into == 2
    said = await refused(two.room.type_("/incident merge", at=2), NotFound)
    assert said == "No other incident is open."


async def test_merged(two: Hands) -> None:
    """Alerts, services, severity and people go along; both timelines and channels say so."""
    said = await two.does("merge #1 into #2")
    assert (said.text, said.incident_id) == ("#1 is part of #2 now.", 2)
    source, target = await two.incident(1), await two.incident(2)
    assert (source.status, source.merged_into, source.standing) == ("merged", 2, "merged into #2")
    assert (target.severity, target.services) == ("sev1", ["blog", "shop"])
    assert await two.where() == {"ShopDown": 2, "ShopSlow": 2, "BlogDown": 2}
    (there,) = [row for row in await two.rows(1) if row.kind == "incident_merged"]
    (here,) = [row for row in await two.rows(2) if row.kind == "incident_merged"]
    assert there.text == "Merged into #2: BlogDown fires"
    assert here.text == "#1 was merged into this one: ShopDown fires (sev1, declared, 2 alerts)"
    assert (here.actor, here.data["from"], here.data["into"], here.data["alerts"]) == (
        "person:ana", 1, 2, 2,
    )  # fmt: skip
    assert (await two.kinds(1)).count("alert_received") == 2
    async with two.store.read() as session:
        messages = select(Message).where(Message.kind == "regrouped").order_by(col(Message.id))
        told = (await session.execute(messages)).scalars().all()
        invites = select(Delivery).where(Delivery.op == "invite").order_by(col(Delivery.id).desc())
        invited = (await session.execute(invites)).scalars().first()
    assert [(m.incident_id, m.payload["other"]) for m in told] == [(1, 2), (2, 1)]
    assert invited is not None
    assert (invited.incident_id, invited.payload["people"]) == (2, ["ben", "ana"])


async def test_what_comes_after_joins_the_whole(two: Hands) -> None:
    """By the merged one's group, and by what stands on it; its alerts' ends as well."""
    await two.does("merge #1 into #2")
    await two.alert("ShopErrors")
    await two.alert("ShopDown", status="resolved")
    assert (await two.where())["ShopErrors"] == 2
    assert (await two.rows(2))[-1].text == "ShopDown resolved: ShopDown fires"
    assert len(await two.all()) == 2


async def test_pressed_twice_is_once(two: Hands) -> None:
    """Also long after it was taken back: a button does its thing once."""
    _, button = await two.types("merge #1 into #2")
    assert (await two.press(button)).text == "#1 is part of #2 now."
    assert (await two.press(button)).text == "That was done before. #1 is merged into #2."
    await two.does("unmerge #1")
    said = (await two.press(button, "ben")).text
    assert said == "That was done before. #1 is declared."
    assert (await two.incident(1)).status == "declared"
    assert (await two.kinds(2)).count("incident_merged") == 1


async def test_only_reading_is_left(two: Hands) -> None:
    """Each command says where it is done now; the channel's talk stays on the record."""
    await two.does("merge #1 into #2")
    where = "#1 is merged into #2. Do it there, or /incident unmerge #1."
    for typed in ("status resolved", "severity sev4", "lead", "note hello", "resolve"):
        assert await refused(two.room.type_(f"/incident {typed}", at=1)) == where
    assert await refused(two.room.type_("/runbook plan fix", at=1)) == where
    for click in ("incident_lead", "incident_monitoring", "incident_resolve"):
        assert await refused(two.room.click(click, "1")) == where
    async with two.store.write() as session:
        source = await two.room.incidents.get(session, 1)
        await two.room.incidents.note(session, source, "still slow", "person:ben", key="said")
    assert (await two.rows(1))[-1].text == "still slow"
    told = await two.room.type_("/incident status", at=1)
    assert told.text == "#1 sev1, merged into #2: ShopDown fires. Commander: nobody."
    listed = words((await two.room.type_("/incident list all")).blocks)
    assert "*#1* sev1 · merged into #2 · " in listed
    assert "#1" not in words((await two.room.type_("/incident list")).blocks)


async def test_unmerged(two: Hands) -> None:
    """Again what it was, with its group, its alerts and those that came meanwhile for it."""
    await two.become(1, "mitigating")
    await two.does("merge #1 into #2")
    await two.alert("ShopErrors")
    await two.alert("BlogSlow", "blog")
    await two.alert("ShopSlow", status="resolved")
    reply, button = await two.types("unmerge", at=1)
    assert shown(reply) == [
        "Take #1 out of #2 BlogDown fires (sev1, declared) again?",
        "#1 becomes mitigating again, with its alerts and its group",
        "#2 stays sev1, and what was recorded there stays there",
    ]
    for _ in range(2):
        await two.press(button, "ben")
    source, target = await two.incident(1), await two.incident(2)
    assert (source.status, source.merged_into, source.merge) == ("mitigating", None, {})
    assert (target.severity, target.services) == ("sev1", ["blog"])
    assert await two.where() == {
        "ShopDown": 1, "ShopSlow": 1, "BlogDown": 2, "ShopErrors": 1, "BlogSlow": 2,
    }  # fmt: skip
    (back,) = [row for row in await two.rows(1) if row.kind == "incident_unmerged"]
    assert back.text == "By itself again, mitigating: 3 alerts came back from #2"
    assert (await two.kinds(2)).count("incident_unmerged") == 1
    await two.alert("ShopAgain")
    assert (await two.where())["ShopAgain"] == 1


async def test_one_in_another_in_a_third(hands: Hands) -> None:
    """Alerts find the outermost; each step is taken back with what was in it."""
    for name, service in (("A", "shop"), ("B", "blog"), ("C", "db")):
        await hands.alert(name, service, labels={"team": name})
    await hands.become(1, "investigating")
    await hands.does("merge #1 into #2")
    await hands.does("merge #2 into #3")
    assert set((await hands.where()).values()) == {3}
    await hands.alert("A2")
    assert (await hands.where())["A2"] == 3
    said = await refused(hands.types("unmerge #1"))
    assert said == "#2 is merged into #3: what is merged into it stays. Unmerge #2 first."
    await hands.does("unmerge #2")
    assert await hands.where() == {"A": 2, "B": 2, "C": 3, "A2": 2}
    await hands.does("unmerge #1")
    assert await hands.where() == {"A": 1, "B": 2, "C": 3, "A2": 1}
    assert (await hands.incident(1)).status == "investigating"


async def test_a_merged_group_ends_with_the_whole(two: Hands) -> None:
    """The next alert is a new incident; opened again, the whole has its groups again."""
    await two.does("merge #1 into #2")
    await two.become(2, "resolved")
    assert (await two.incident(1)).open_key is None
    said = await refused(two.types("unmerge #1"))
    assert said == "#2 is resolved: what is merged into it stays."
    await two.become(2, "investigating")
    assert (await two.incident(1)).open_key == "service:shop"
    await two.become(2, "resolved")
    await two.alert("ShopAgain")
    assert (await two.where())["ShopAgain"] == 3
    await two.become(2, "investigating")
    assert (await two.incident(1)).open_key is None
    await two.alert("ShopThird")
    assert (await two.where())["ShopThird"] == 3


WRONG = [
    ("merge #1 into", "Say into which incident. Usage: /incident merge [#N] [into #M]"),
    ("merge #1 #2", "Say into which incident."),
    ("merge #1 into here", "Say into which incident."),
    ("merge #1 into #²", "Say into which incident."),
    ("merge #1 into #1", "#1 cannot be merged into itself."),
    ("unmerge #1 now", "I did not understand 'now'. Usage: /incident unmerge [#N]"),
]


async def test_typed_wrongly(two: Hands) -> None:
    for typed, said in WRONG:
        assert (await refused(two.types(typed), BadInput)).startswith(said)
    said = await refused(two.types("mrege #1 into #2"), BadInput)
    assert said.startswith("I do not know 'mrege'; did you mean 'merge'?")
    for typed in ("merge #1 into #77", "merge #77 into #1", "unmerge #77"):
        assert (await refused(two.types(typed), NotFound)).startswith("There is no incident 77.")
    assert await refused(two.types("unmerge #1")) == "#1 is not merged into another incident."


async def test_what_cannot_be_merged(two: Hands) -> None:
    """One that has ended, that is part of another already, practice with the real: also if it
    became so after it was shown."""
    _, button = await two.types("merge #1 into #2")
    await two.become(2, "resolved")
    assert await refused(two.types("merge #1 into #2")) == "#2 is resolved."
    assert await refused(two.press(button)) == "#2 is resolved."
    await two.become(2, "investigating")
    await two.does("merge #1 into #2")
    said = await refused(two.types("merge #2 into #1"))
    assert said == "#1 is merged into #2. Take #2 instead."
    async with two.store.write() as session:
        await two.room.incidents.declare(
            session, title="Practice", severity="sev4", actor="person:ana", origin="d", drill=True
        )
    said = await refused(two.types("merge #3 into #2"), BadInput)
    assert said == "#3 is a drill and #2 is not: they stay apart."


async def test_taken_back_in_time_only(two: Hands) -> None:
    await two.does("merge #1 into #2")
    async with two.store.write() as session:
        source = await two.room.incidents.get(session, 1)
        ago = now() - UNMERGE_WITHIN - timedelta(minutes=1)
        source.merge = {**source.merge, "at": ago.isoformat()}
    said = await refused(two.types("unmerge #1"))
    assert said == "#1 was merged more than 24 hours ago: it stays so."
    card = await two.room.card(1)
    assert "actions" not in [block["type"] for block in card.blocks]


async def test_who_may(two: Hands) -> None:
    """At the command, and at the click whoever typed it; each with their name on the record."""
    _, button = await two.types("merge #1 into #2", "dora")
    for typed in ("merge #1 into #2", "unmerge #1", "split #1", "join #1 a=b"):
        said = await refused(two.room.type_(f"/incident {typed}", "eli"), NotAllowed)
        assert said.startswith("You have no role")
    await refused(two.press(button, "eli"), NotAllowed)
    said = await refused(two.press(button, "mallory"), NotAllowed)
    assert said.startswith("I do not know you")
    await two.press(button, "cleo")
    assert (await two.rows(2))[-1].actor == "person:cleo"


@pytest.mark.parametrize(
    "state", ["approved", "running", "held", "paused", "unknown", "waiting", "planning"]
)
async def test_a_run_that_somebody_asked_for_comes_first(two: Hands, state: str) -> None:
    """It is named; a merge that was shown before is refused as well."""
    _, button = await two.types("merge #1 into #2")
    run = await two.room.plan(state=state, requester="ana")
    said = f"The runbook 'Fix the shop' is {state} in #1."
    assert (await refused(two.types("merge #1 into #2"))).startswith(said)
    assert (await refused(two.press(button))).startswith(said)
    async with two.store.write() as session:
        await two.room.runs.abort(session, run, two.person("ben"))
        ended = await two.room.runs.get(session, run)
        ended.state = "aborted"
    await two.press(button)
    assert (await two.incident(1)).status == "merged"


async def test_what_was_proposed_is_withdrawn_and_proposed_anew(two: Hands) -> None:
    """In the merged one its button is gone and does nothing; unmerged, it is there again."""
    async with two.store.write() as session:
        for number in (1, 2):
            (await two.room.incidents.get(session, number)).proposed_at = now()
    run = await two.room.plan(state="proposed")
    reply, button = await two.types("merge #1 into #2")
    assert "withdrawn in #1: Fix the shop; what fits is proposed in #2" in shown(reply)
    await two.press(button)
    card = await two.room.card(1, "run", run_id=run)
    assert "actions" not in [block["type"] for block in card.blocks]
    assert "Withdrawn: #1 is merged into #2" in str(card.blocks)
    assert (await refused(two.room.click("run_request", f"{run}|pd"))).startswith("#1 is merged")
    assert (await two.incident(2)).proposed_at is None
    assert await Proposer(two.store, two.room.runs).propose_next()
    assert (await two.incident(2)).proposed_at is not None
    assert not await Proposer(two.store, two.room.runs).propose_next()
    await two.does("unmerge #1")
    await two.room.click("run_request", f"{run}|pd")
    card = await two.room.card(1, "run", run_id=run)
    assert "Withdrawn" not in str(card.blocks)


async def test_a_merged_ones_runs_hold_the_whole(two: Hands) -> None:
    """What it did can be taken back there; the whole is not resolved meanwhile, nor closed before
    a forced approval was reviewed."""
    run = await two.room.plan(
        state="succeeded", requester="ana",
        overrides={"break_glass": {"by": "ana", "reason": "the shop was down"}},
    )  # fmt: skip
    await two.does("merge #1 into #2")
    assert (await two.room.click("run_undo", f"{run}|pd")).text == "Fix the shop: approved."
    said = await refused(two.room.type_("/incident resolve", at=2))
    assert said.startswith("The runbook 'Fix the shop' is still running.")
    await two.room.click("run_abort", f"{run}|pd")
    await two.room.type_("/incident resolve", at=2)
    said = await refused(two.room.type_("/incident status closed", at=2))
    assert "was forced and nobody has reviewed that" in said


async def test_cards(two: Hands) -> None:
    """The merged one's says where all goes on, and has the way back; the whole's names it."""
    await two.does("merge #1 into #2")
    card = await two.room.card(1)
    text = words(card.blocks)
    assert "*Status*\nmerged into #2" in text
    assert "All goes on in *#2*, <https://jackline.example.com/incidents/2|in the console>" in text
    (buttons,) = [block for block in card.blocks if block["type"] == "actions"]
    (button,) = buttons["elements"]
    assert (button["text"]["text"], button["action_id"]) == ("Unmerge", "incident_unmerge")
    assert "Merged into it: #1 ShopDown fires" in words((await two.room.card(2)).blocks)
    assert "sev1, merged into #2, since" in words((await two.room.card(1, "digest")).blocks)
    told = await two.room.card(1, "regrouped", text="Merged <!here>", other=2, author="person:ana")
    assert "🔀 Merged &lt;!here&gt;" in words(told.blocks)
    for _ in range(2):
        await two.press((button["action_id"], button["value"]))
    assert (await two.incident(1)).status == "declared"
    await two.does("merge #1 into #2")
    said = (await two.press((button["action_id"], button["value"]))).text
    assert said == "That was done before. #1 is merged into #2."


async def test_forged_buttons(two: Hands) -> None:
    """None of them breaks anything."""
    before = await two.rows(1)
    for value in ("1", "1|", "1|x", "1|x|", "1|x|²", "1|x|9|", '1|x|9|{"a":', "1|x|9|[]",
                  "1|x|9|null", '1|x|9|{"a": "*"}', "1|x y|2", "1|x|" + "9" * 30,
                  "1|x|9|" + "[" * 5000):  # fmt: skip
        for action_id in ("incident_merge", "incident_split", "incident_join"):
            with pytest.raises((BadInput, Conflict, NotFound)):
                await two.press((action_id, value))
    for value in ("", "x", "-1|x", "²|x", "9" * 30):
        with pytest.raises(BadInput, match="I do not know the button"):
            await two.press(("incident_merge", value))
    assert await two.rows(1) == before
