"""The two doors that a person may force: a change freeze, and an approval that cannot be had."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import BadInput, Conflict, NotAllowed
from bot.runbooks import Decisions, held_up
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import Room, done, paths, put, runbook
from tests.runbooks.test_waits import click
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server


def freeze(room: Room) -> None:
    today = datetime.now(UTC)
    catalog = json.loads((room.library.folder / "catalog" / "all.yaml").read_text())
    catalog["freezes"] = [{
        "name": "Black Friday", "since": (today - timedelta(days=1)).isoformat(),
        "until": (today + timedelta(days=1)).isoformat(),
    }]  # fmt: skip
    (room.library.folder / "catalog" / "all.yaml").write_text(json.dumps(catalog))
    room.library.reload()


async def test_a_change_freeze_holds_until_somebody_says_why(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Approved or not, it does not begin; the override needs the role and a reason."""
    room = make_room(runbook(put("a")), http__shop=shop.url)
    freeze(room)
    run = await done(room)
    assert (run.state, paths(shop, "PUT")) == ("waiting", [])
    async with room.store.read() as session:
        said = await held_up(session, run, room.library.catalog)
    assert said.startswith("The change freeze 'Black Friday' holds until ")
    assert said.endswith(f"UTC: /runbook override {run.id} WHY")
    with pytest.raises(NotAllowed, match="commander"):
        await click(room, "override_freeze", run.number, room.person("ben"), "payments are down")
    with pytest.raises(BadInput, match="Say why"):
        await click(room, "override_freeze", run.number, room.person("ana"), "now")
    await click(room, "override_freeze", run.number, room.person("ana"), "payments are down")
    await room.work()
    assert (await room.run(run.number)).state == "succeeded"
    assert "freeze_overridden" in await room.kinds()


async def test_breaking_the_glass_is_loud_and_reviewed(make_room: MakeRoom, shop: HttpApp) -> None:
    """A commander alone, with a reason; the incident is not closed before another has looked."""
    room = make_room(runbook(put("a")), http__shop=shop.url)
    number = await room.start()
    await room.work(1)
    ana, ben, decisions = room.person("ana"), room.person("ben"), Decisions(room.runs)
    with pytest.raises(NotAllowed):
        await click(room, "break_glass", number, ben, "nobody answers the phone")
    await click(room, "break_glass", number, ana, "nobody answers the phone")
    await room.work()
    assert (await room.run(number)).state == "succeeded"
    (row,) = [r for r in await room.rows() if r.kind == "glass_broken"]
    assert "Ana broke the glass" in row.text
    async with room.store.read() as session:
        with pytest.raises(Conflict, match="nobody has reviewed"):
            await decisions.require_reviewed(session, 1)
    with pytest.raises(NotAllowed, match="other than who broke"):
        await click(room, "review", number, room.person("ana"), "it was right, I think")
    await click(room, "review", number, ben, "it was right, nobody was awake")
    async with room.store.read() as session:
        await decisions.require_reviewed(session, 1)


async def test_a_forced_approval_is_of_one_plan(make_room: MakeRoom, shop: HttpApp) -> None:
    """The plan grew after the glass was broken: it is broken for this one too, or people agree."""
    shop.answers["/mode"] = Answer(body='"safe"')
    text = runbook(put("mode", '"safe"'), front="approvals: {count: 2}")
    room = make_room(text, http__shop=shop.url)
    number = await room.start()
    await room.work(1)
    ana, why = room.person("ana"), "nobody answers the phone"
    await click(room, "break_glass", number, ana, why)
    shop.answers["/mode"] = Answer(body='"fast"')
    await room.work(1)
    await room.approve(number, "ben")
    await room.work()
    assert ((await room.run(number)).state, paths(shop, "PUT")) == ("waiting", [])
    await click(room, "break_glass", number, ana, why)
    await room.work()
    assert (await room.run(number)).state == "succeeded"


async def test_a_broken_glass_does_not_end_a_freeze(make_room: MakeRoom, shop: HttpApp) -> None:
    """Each door by itself: the runbook says who may override a freeze."""
    text = runbook(put("a"), front="freeze: {override: admin}")
    room = make_room(text, http__shop=shop.url)
    freeze(room)
    number = await room.start()
    await room.work(1)
    await click(room, "break_glass", number, room.person("ana"), "nobody answers the phone")
    await room.work()
    assert ((await room.run(number)).state, paths(shop, "PUT")) == ("waiting", [])
    await click(room, "override_freeze", number, room.person("dora"), "payments are down")
    await room.work()
    assert (await room.run(number)).state == "succeeded"


async def test_a_run_that_needs_no_approval_goes_on_after_a_freeze(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Nobody else's yes is needed then either: who asked for it looks again."""
    room = make_room(runbook(put("a"), front="approvals: {count: 0}"), http__shop=shop.url)
    freeze(room)
    number = await room.start()
    await room.work()
    await room.approve(number, "ana")
    assert (await room.run(number)).state == "waiting"
    file = room.library.folder / "catalog" / "all.yaml"
    file.write_text(json.dumps({**json.loads(file.read_text()), "freezes": []}))
    room.library.reload()
    with pytest.raises(NotAllowed, match="only look on"):
        await room.approve(number, "eli")
    await room.approve(number, "ana")
    await room.work()
    assert (await room.run(number)).state == "succeeded"
