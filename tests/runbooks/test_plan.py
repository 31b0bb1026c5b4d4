"""The plan: read-only, before → after, and limits that hold before anybody is asked."""

import pytest

from bot.contract import Change, Preview
from bot.errors import BadInput
from bot.runbooks.plan import check_blast_radius
from bot.runbooks.read import read
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, runbook
from tests.servers.envoy import Envoy
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp

PUT = "action: http.put\nwith: {target: shop, path: /mode, body: {mode: safe}}"


async def test_what_a_person_reads(make_room: MakeRoom) -> None:
    """Each step with its target, paths, changes and the way back."""
    room = make_room(
        runbook(
            CALL + "\nundo: {none: a restart is a restart}",
            "action: http.check\nwith: {target: shop, path: /}",
            CALL.replace("why: test", 'why: "{{ steps.s2.status }}"'),
        )
    )
    number = await room.start()
    await room.work(1)
    run = await room.run(number)
    first, second, third = run.plan["steps"]
    assert (first["target"], first["paths"], first["effect"]) == ("http/shop", ["direct"], "once")
    assert first["changes"][0]["what"] == "POST /restart"
    assert (first["changes"][0]["before"], first["changes"][0]["after"][:9]) == (
        "not sent",
        "sent once",
    )
    assert first["undo"] == "cannot be undone: a restart is a restart"
    assert (second["changes"], second["undo"]) == ([], "nothing to undo")
    assert third["note"].startswith("Known only during the run")
    assert run.plan["targets"] == ["http/shop"]
    assert room.engine._pinned(run).id == "fix"


@pytest.mark.server
async def test_planning_only_reads(make_room: MakeRoom, http_server: Start[HttpApp]) -> None:
    """The target sees GET alone; a step that would change nothing says so."""
    shop = http_server("shop")
    shop.answers["/mode"] = Answer(body='{"mode": "fast"}')
    room = make_room(runbook(CALL, PUT), http__shop=shop.url)
    first = await room.start(origin="a")
    await room.work(1)
    change = (await room.run(first)).plan["steps"][1]["changes"][0]
    assert (change["before"], change["after"]) == ('{"mode": "fast"}', '{"mode": "safe"}')
    shop.answers["/mode"] = Answer(body='{"mode": "safe"}')
    second = await room.start(origin="b")
    await room.work(1)
    row = (await room.run(second)).plan["steps"][1]
    assert (row["changes"], row["note"]) == ([], "Nothing would change: it is already so.")
    assert {request.method for request in shop.received} == {"GET"}
    assert (await room.run(first)).plan_digest != (await room.run(second)).plan_digest


@pytest.mark.server
async def test_what_cannot_be_read_now_is_shown_as_such(
    make_room: MakeRoom, http_server: Start[HttpApp]
) -> None:
    """What is down may be what the run repairs; the step looks again just before it acts."""
    shop = http_server("shop")
    shop.down()
    room = make_room(runbook(PUT), http__shop=shop.url)
    number = await room.start()
    await room.work(1)
    run = await room.run(number)
    (row,) = run.plan["steps"]
    assert (run.state, row["unread"]) == ("waiting", True)
    assert row["note"].startswith("Cannot be read now: GET /mode")
    await room.approve(number, "ben")
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert run.error.startswith("GET /mode")
    assert await room.attempts(number) == []


def test_the_blast_radius_is_a_limit_in_both_ways() -> None:
    """So many targets at most, and so much of the capacity, each refused with the numbers."""
    front = "blast_radius: {max_targets: 2, max_share: 0.5}"
    found, _ = read(runbook(CALL, front=front), "fix.md")
    assert found is not None

    def changes(*shares: float | None) -> list[Preview]:
        made = [
            Change(target=f"http/{i}", what="x", before="a", after="b", share=s)
            for i, s in enumerate(shares)
        ]
        return [Preview(changes=made)]

    check_blast_radius(found, "s1", changes(0.25, 0.25))
    check_blast_radius(found, "s1", changes(None, None))
    with pytest.raises(BadInput, match=r"would change 3 targets; .*max_targets is 2"):
        check_blast_radius(found, "s1", changes(0.1, 0.1, 0.1))
    with pytest.raises(BadInput, match=r"would take 51% of the capacity; .*max_share is 50%"):
        check_blast_radius(found, "s1", changes(0.51))


@pytest.mark.server
async def test_a_step_that_takes_too_much_is_not_planned(
    make_room: MakeRoom, http_server: Start[HttpApp], envoy_server: Start[object]
) -> None:
    """On a real Envoy: emptying a cluster takes its share of the traffic away."""
    apps = {name: http_server(name) for name in ("blue", "green")}
    edge = envoy_server(
        clusters={name: app.port for name, app in apps.items()}, weights={"blue": 75, "green": 25}
    )
    step = "action: envoy.set_weights\nwith: {edge: edge, route: routing.traffic, weights: {blue: 0, green: 100}}"
    url = edge.admin_url  # type: ignore[attr-defined]
    small = make_room(runbook(step, front="blast_radius: {max_share: 0.5}"), envoy__edge=url)
    number = await small.start()
    await small.work(1)
    run = await small.run(number)
    assert run.state == "failed"
    assert "would take 75% of the capacity; blast_radius.max_share is 50%" in run.error


SPLIT = """action: envoy.set_weights
with: {edge: edge, route: routing.traffic, weights: {blue: 0, green: 100}}"""


@pytest.mark.server
@pytest.mark.parametrize(("blue", "state"), [(50, "waiting"), (10, "succeeded"), (5, "succeeded")])
async def test_an_approval_is_for_the_share_that_was_seen(
    make_room: MakeRoom, http_server: Start[HttpApp], envoy_server: Start[Envoy],
    blue: int, state: str,
) -> None:  # fmt: skip
    """On a real Envoy: the same change takes more away by the time it begins, as much, or less."""
    apps = {name: http_server(name) for name in ("blue", "green")}
    edge = envoy_server(
        clusters={name: app.port for name, app in apps.items()}, weights={"blue": 10, "green": 90}
    )
    room = make_room(runbook(f"{SPLIT}\nundo: auto"), envoy__edge=edge.admin_url)
    number = await room.approved()
    edge.set_runtime({"routing.traffic.blue": blue, "routing.traffic.green": 100 - blue})
    await room.work()
    assert (await room.run(number)).state == state
    said = [row.text for row in await room.rows() if row.kind == "approval_void"]
    more = "weight routing.traffic.blue → 0 takes 50% of the capacity, not 10%"
    void = f"Since the approval the plan has changed ({more}): Fix the shop"
    assert said == ([void] if state == "waiting" else [])
