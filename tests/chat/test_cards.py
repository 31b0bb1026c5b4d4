"""Cards within Slack's limits, whatever an incident grows to; what people wrote stays data."""

from typing import Any

import pytest

from bot.catalog import Service
from bot.chat.blocks import clip, cut, escape, joined
from bot.chat.cards import Rendered
from bot.chat.run_card import run_blocks
from bot.contract import Effect
from bot.runbooks import Run, StepAttempt
from bot.runbooks.tables import TargetLock
from tests.chat.room import ChatRoom, words

HOSTILE = "<!channel> <@U012345> <#C1> <https://evil.test|click> & *bold* `code` ~x~ _y_"
SHOWN = "&lt;!channel&gt; &lt;@U012345&gt; &lt;#C1&gt; &lt;https://evil.test|click&gt; &amp; *bold*"


def harmless(text: str) -> bool:
    """No mention, no channel, no link of theirs: only our own times and links are tags."""
    tags = [part.split(">")[0] for part in text.split("<")[1:]]
    ours = ("!date^", "https://jackline.example.com/", "https://prometheus.test/")
    return all(tag.startswith(ours) for tag in tags)


def a_step(number: int = 1, changes: int = 1, **more: Any) -> dict[str, Any]:
    change = {"target": "t", "what": "weight", "before": "100", "after": "0", "share": 0.5}
    return {
        "id": f"s{number}", "heading": f"{number}. Step", "action": "http.call", "note": "",
        "effect": Effect.ONCE.value, "target": "http/shop", "paths": [], "undo": "back",
        "changes": [change | more.pop("change", {})] * changes,
    } | more  # fmt: skip


def a_plan(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"steps": list(steps), "approvals": {"count": 2, "from": "approver", "ttl": 1800}}


@pytest.mark.parametrize(
    "state", ["intent", "done", "failed", "not_sent", "unknown", "interrupted"]
)
def test_a_run_shows_every_state_of_a_step(state: str) -> None:
    """Also the one that a crash leaves for a moment, before the step is tried again."""
    run = Run(incident_id=1, runbook_id="fix", title="Fix", text="", digest="", path="",
              origin="o", state="running", plan=a_plan(a_step(1)))  # fmt: skip
    attempt = StepAttempt(run_id=1, step="s1", attempt=1, epoch=1, action="http.call",
                          target="http/shop", state=state)  # fmt: skip
    said = words(run_blocks(run, [attempt], [], "", []))
    assert "1. Step" in said
    assert "▫️" not in said  # it has been begun


def test_a_run_shows_what_a_step_waits_for() -> None:
    """Before it begins, and while it is being taken back; not once the run is over."""
    run = Run(incident_id=1, runbook_id="fix", title="Fix", text="", digest="", path="",
              origin="o", state="running", plan=a_plan(a_step(1)))  # fmt: skip

    def row(phase: str, state: str, error: str = "") -> StepAttempt:
        return StepAttempt(run_id=1, step="s1", phase=phase, attempt=1, epoch=1, target="http/shop",
                           action="http.call", state=state, error=error)  # fmt: skip

    waits = row("look", "looking", "http/shop is held by run 7")
    said = words(run_blocks(run, [waits], [], "", []))
    assert "⏳ *1. Step*" in said
    assert "_http/shop is held by run 7_" in said
    done = [waits, row("do", "done")]
    assert "held by" not in words(run_blocks(run, done, [], "", []))
    back = words(run_blocks(run, [*done, row("undo", "intent")], [], "", []))
    assert "⏳ *1. Step*" in back
    assert "_is being taken back_" in back
    run.state = "aborted"
    assert "held by" not in words(run_blocks(run, [waits], [], "", []))


async def declare(room: ChatRoom, title: str = "Down", **more: Any) -> None:
    async with room.store.write() as session:
        given = {"severity": "sev1", "actor": "person:ana", "origin": title} | more
        await room.incidents.declare(session, title=title, **given)


def buttons(drawn: Rendered) -> list[str]:
    """The action ids of its one row of buttons."""
    (row,) = [block for block in drawn.blocks if block["type"] == "actions"]
    return [each["action_id"] for each in row["elements"]]


async def test_a_card_says_what_is_known(room: ChatRoom) -> None:
    await declare(room, "Down", services=["s1", "s2"])
    drawn = await room.card(1)
    said = words(drawn.blocks)
    assert drawn.blocks[0]["text"]["text"] == "🔴 SEV1 · Down"
    assert "*Status*\ndeclared" in said
    assert "_nobody yet_" in said
    assert "Service &amp; number 1 (p2), Service &amp; number 2 (p2)" in said
    assert "<https://jackline.example.com/incidents/1|Open in the console>" in said
    ids = buttons(drawn)
    assert ids == [
        "incident_lead",
        "incident_monitoring",
        "incident_resolve",
        "incident_resolve_export",
    ]


async def test_buttons_are_those_that_make_sense(room: ChatRoom) -> None:
    """None on an ended incident: a click would only be refused."""
    await declare(room)
    await room.click("incident_lead", "1")
    await room.click("incident_monitoring", "1")
    ids = buttons(await room.card(1))
    assert ids == ["incident_resolve", "incident_resolve_export"]
    await room.click("incident_resolve", "1")
    ids = [e["action_id"] for e in (await room.card(1)).blocks[2]["elements"]]
    assert ids == ["incident_close", "incident_reopen"]
    await room.click("incident_close", "1")
    assert [b["type"] for b in (await room.card(1)).blocks] == ["header", "section", "context"]


async def test_an_incident_of_500_services(room: ChatRoom) -> None:
    """As many as fit, whole, and how many more."""
    many = [Service(id=f"m{n}", title=f"Service & number {n}", tier="p2") for n in range(500)]
    room.library.catalog = room.library.catalog.model_copy(update={"services": many})
    await declare(room, "x" * 200, services=[s.id for s in many])
    drawn = await room.card(1)
    (services,) = (f["text"] for f in drawn.blocks[1]["fields"] if "Services" in f["text"])
    named = services.count("(p")
    assert services.endswith(f", … and {500 - named} more")
    assert named > 40
    await room.card(1, "digest")


@pytest.mark.parametrize("kind", ["card", "digest"])
async def test_a_title_is_data(room: ChatRoom, kind: str) -> None:
    """It cannot wake a channel, mention a person or hide a link, in blocks and in the fallback."""
    await declare(room, HOSTILE, services=["shop"])
    drawn = await room.card(1, kind)
    assert harmless(words(drawn.blocks))
    assert SHOWN in drawn.text
    assert harmless(drawn.text)


@pytest.mark.parametrize("kind", ["line", "note", "alert", "evidence", "whatever"])
async def test_what_was_written_is_data(room: ChatRoom, kind: str) -> None:
    await declare(room)
    payload = {"text": HOSTILE, "title": HOSTILE, "missing": [HOSTILE], "file": "f.png"}
    drawn = await room.card(1, kind, author=f"source:{HOSTILE}", **payload)
    assert SHOWN in words(drawn.blocks)
    assert harmless(words(drawn.blocks))
    assert harmless(drawn.text)


@pytest.mark.parametrize("kind", ["logs", "changes", "similar"])
async def test_what_evidence_found_is_data(room: ChatRoom, kind: str) -> None:
    """Every text of every part, and a link that is none."""
    await declare(room)
    line = {"text": HOSTILE, "link": "javascript:alert(1)", "count": 3, "at": "2026-11-26T10:00:00+00:00"}  # fmt: skip
    part = {"kind": kind, "title": HOSTILE, "name": HOSTILE, "lines": [line], "link": HOSTILE,
            "more": 7, "cut": True}  # fmt: skip
    payload = {"title": HOSTILE, "file": "", "parts": [part], "unmeasured": [HOSTILE],
               "missing": [HOSTILE], "waiting": [HOSTILE]}  # fmt: skip
    drawn = await room.card(1, "evidence", **payload)
    said = words(drawn.blocks)
    assert harmless(said)
    assert "javascript" not in said
    assert "3x" in said
    assert "and 7 more" in said


@pytest.mark.parametrize("kind", ["line", "note", "alert", "evidence"])
async def test_long_words_are_cut_between_signs(room: ChatRoom, kind: str) -> None:
    """An escaped sign counts five characters, and half of one would show as letters."""
    await declare(room)
    link = "https://prometheus.test/" + "a=1&" * 100
    for text in ("<" * 3000, "x" * 9000, "&" * 2998 + "<!here>"):
        payload = {"text": text, "title": text, "missing": [text] * 200, "file": "f", "link": link}
        said = words((await room.card(1, kind, **payload)).blocks)
        for entity in ("&lt;", "&gt;", "&amp;"):
            said = said.replace(entity, "")
        assert "&" not in said
        assert harmless(said)


async def test_what_jackline_resolved_can_be_taken_back(room: ChatRoom) -> None:
    """The line has a button; no other line has one."""
    await declare(room)
    drawn = await room.card(1, "line", text="Status: declared → resolved, as …", reopens=1)
    (reopen,) = drawn.blocks[1]["elements"]
    assert (reopen["action_id"], reopen["value"]) == ("incident_reopen", "1")
    assert len((await room.card(1, "line", text="Status: declared → resolved")).blocks) == 1


async def test_an_alerts_link(room: ChatRoom) -> None:
    """A link that is one is shown whole or not at all."""
    await declare(room)
    whole = "https://prometheus.test/g?a=1&b=2"
    for link, shown in (
        (whole, "<https://prometheus.test/g?a=1&amp;b=2|source>"),
        ("javascript:alert(1)", ""),
        (f"{whole}|<!channel>", ""),
        (f"{whole}> <!channel", ""),
        (whole + "x" * 5000, ""),
        ("", ""),
    ):
        said = words((await room.card(1, "alert", text="Down", link=link, firing=True)).blocks)
        assert said == f"🔥 Down  {shown}".rstrip()


async def test_commands_answer_in_data_too(room: ChatRoom) -> None:
    await declare(room, HOSTILE)
    assert harmless(words((await room.type_("/incident list")).blocks))


@pytest.mark.slow
async def test_a_list_of_200_incidents(room: ChatRoom) -> None:
    """Whole lines, and how many more."""
    async with room.store.write() as session:
        for number in range(200):
            title = f"{number} {'<' * 100}"
            await room.incidents.declare(
                session, title=title, severity="sev1", actor="person:ana", origin=title
            )
    text = (await room.type_("/incident list")).blocks[0]["text"]["text"]
    *lines, last = text.splitlines()
    assert last == f"… and {200 - len(lines)} more"
    assert all(line.startswith("*#") and line.endswith(" UTC>") for line in lines)


async def test_a_plan_of_100_steps(room: ChatRoom) -> None:
    """Each with a hundred changes: within 50 blocks, with the buttons, and the rest counted."""
    await declare(room)
    steps = [a_step(n, 100, heading="x" * 500, note="y" * 5000) for n in range(100)]
    run = await room.plan(state="waiting", requester="ana", plan=a_plan(*steps), error="z" * 9000)
    drawn = await room.card(1, "run", run_id=run)
    assert "… and 60 more steps" in words(drawn.blocks)
    assert [e["action_id"] for e in drawn.blocks[-1]["elements"]] == ["run_approve", "run_refuse"]
    assert "needs 2 approvals of another approver" in words(drawn.blocks)


async def test_a_plan_is_data(room: ChatRoom) -> None:
    await declare(room)
    change = {"what": HOSTILE, "before": HOSTILE, "after": HOSTILE}
    step = a_step(heading=HOSTILE, note=HOSTILE, undo=f"cannot be undone: {HOSTILE}", change=change)
    run = await room.plan(
        state="failed", title=HOSTILE, requester=HOSTILE, plan=a_plan(step), error=HOSTILE
    )
    async with room.store.write() as session:
        session.add(StepAttempt(
            run_id=run, step="s1", attempt=1, state="failed", epoch=1, action="a", target="t",
            error=HOSTILE,
        ))  # fmt: skip
    for kind, payload in (("run", {"run_id": run}), ("card", {})):
        drawn = await room.card(1, kind, **payload)
        assert harmless(words(drawn.blocks))
        assert harmless(drawn.text)


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        ("planning", []), ("proposed", ["run_request", "run_refuse"]),
        ("waiting", ["run_approve", "run_refuse"]), ("approved", ["run_pause", "run_abort"]),
        ("running", ["run_pause", "run_abort"]), ("paused", ["run_resume", "run_abort"]),
        ("unknown", ["run_happened", "run_not_happened"]), ("refused", []), ("succeeded", []),
    ],
)  # fmt: skip
async def test_a_run_offers_what_can_be_done_next(
    room: ChatRoom, state: str, buttons: list[str]
) -> None:
    """Every state has words; a run that never started has nothing to undo."""
    await declare(room)
    run = await room.plan(state=state, plan=a_plan(a_step()))
    if state == "unknown":
        async with room.store.write() as session:
            session.add(StepAttempt(
                run_id=run, step="s1", attempt=1, state="unknown", epoch=1, action="a", target="t"
            ))  # fmt: skip
    blocks = (await room.card(1, "run", run_id=run)).blocks
    assert [
        e["action_id"] for b in blocks if b["type"] == "actions" for e in b["elements"]
    ] == buttons


async def test_what_was_read_before_an_unknown_step_shows_no_credential(room: ChatRoom) -> None:
    """Undo needs it as it was; who looks at the card does not."""
    await declare(room)
    run = await room.plan(state="unknown", plan=a_plan(a_step()))
    async with room.store.write() as session:
        session.add(StepAttempt(
            run_id=run, step="s1", attempt=1, state="unknown", epoch=1, action="a", target="t",
            before={"body": {"hook": "https://ops:hunter2@hooks.example.com/"}},
        ))  # fmt: skip
    said = words((await room.card(1, "run", run_id=run)).blocks)
    assert "Just before" in said
    assert "hunter2" not in said


async def test_a_run_says_what_it_waits_for(room: ChatRoom) -> None:
    """Approved, and another run acts on its target; what its caller holds is at its disposal."""
    await declare(room)
    plan = a_plan(a_step()) | {"targets": ["http/shop"]}
    caller = await room.plan(state="held", plan=plan)
    called = await room.plan(state="approved", plan=plan, parent_id=caller)
    other = await room.plan(state="approved", plan=plan)
    async with room.store.write() as session:
        session.add(TargetLock(target="http/shop", run_id=caller))
    said = f"It waits for http/shop, on which run {caller} acts"
    for run, waits in ((other, True), (called, False), (caller, False)):
        drawn = await room.card(1, "run", run_id=run)
        assert (said in words(drawn.blocks)) is waits


@pytest.mark.parametrize("limit", [1, 2, 5, 10])
def test_cutting_keeps_to_the_limit(limit: int) -> None:
    """Signs at the cut go whole."""
    for text in ("", "x", "x" * 11, "&amp;" * 5, "a&lt;b&gt;c", "ab <!date^1^{time}|x> y"):
        for shorten in (cut, clip):
            assert len(shorten(text, limit)) <= limit
            assert shorten(text, limit) == text or shorten(text, limit).endswith("…")
        assert "&a…" not in clip(text, limit)


def test_joining_counts_what_is_left_out() -> None:
    assert joined([], 100) == ""
    assert joined(["a", "b"], 100) == "a\nb"
    assert joined(["a", "b"], 3) == "a\nb"
    assert joined(["a" * 90, "b" * 90, "c"], 120) == f"{'a' * 90}\n… and 2 more"
    assert joined(["a" * 500], 120) == "… and 1 more"
    for limit in range(40, 200):
        assert len(joined(["abc"] * 100, limit, ", ")) <= limit


def test_escaping_is_slacks_own() -> None:
    """Three signs and no more; the ampersand first."""
    assert escape("<&>\"'") == "&lt;&amp;&gt;\"'"
    assert escape("&lt;") == "&amp;lt;"
