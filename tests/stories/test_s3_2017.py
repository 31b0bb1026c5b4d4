"""AWS S3, 28 February 2017: a typed number was too large, and too many servers went.

The command had no notion of how much was too much. Here the number meets the runbook's limits
three times over: in the plan that people see, again just before the first server, and as a floor
of healthy ones.
"""

import pytest

from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import runbook
from tests.servers.fixtures import Start
from tests.servers.haproxy import HAProxy
from tests.servers.http_app import HttpApp
from tests.servers.process import wait_for

pytestmark = pytest.mark.server
SERVERS = [f"web{n}" for n in range(1, 7)]
DRAIN = f"""action: haproxy.drain_server
with: {{balancer: lb1, backend: app, server: "{{{{ item }}}}"}}
foreach: {{items: "{{{{ {SERVERS}[:inputs.count] }}}}"}}
on_failure: undo"""
COUNT = "inputs: {count: {type: integer, required: true, min: 1, max: 500}}\n"


@pytest.fixture
def pool(haproxy_server: Start[HAProxy], http_server: Start[HttpApp]) -> HAProxy:
    """Six servers that take requests."""
    apps = {name: http_server(name).port for name in SERVERS}
    balancer = haproxy_server(servers=apps)
    wait_for(lambda: drained(balancer) == [] and up(balancer) == len(SERVERS), what="six servers")
    return balancer


def rows(balancer: HAProxy) -> list[list[str]]:
    lines = balancer.command("show servers state app").splitlines()[2:]
    return [line.split() for line in lines if line.strip()]


def drained(balancer: HAProxy) -> list[str]:
    """Servers that an operator took out, as HAProxy itself says (administrative state 8)."""
    return [row[3] for row in rows(balancer) if int(row[6]) & 8]


def up(balancer: HAProxy) -> int:
    return sum(row[5] == "2" for row in rows(balancer))


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("max_changes: 2", "step s1 would make 5 changes; blast_radius.max_changes is 2."),
        (
            "max_share: 0.34",
            "step s1 would take 83% of the capacity; blast_radius.max_share is 34%.",
        ),
        (
            "min_healthy: 4",
            "step s1 would leave 1 healthy; blast_radius.min_healthy is 4.",
        ),
    ],
)
async def test_a_mistyped_count_is_refused_with_the_numbers(
    make_room: MakeRoom, pool: HAProxy, limit: str, said: str
) -> None:
    """Somebody wanted 2 and typed 5. The refusal says how many, and no server is touched."""
    front = COUNT + f"blast_radius: {{{limit}}}"
    room = make_room(runbook(DRAIN, front=front), haproxy__lb1=f"tcp://{pool.stats_address}")

    number = await room.start(count=5)
    await room.work()

    run = await room.run(number)
    assert run.state == "failed"
    assert run.error == f"cannot be planned: {said}"
    assert drained(pool) == []


async def test_the_count_that_was_meant_goes_through_and_comes_back(
    make_room: MakeRoom, pool: HAProxy
) -> None:
    """Two servers, named one by one before anybody approves; undo puts both back."""
    front = COUNT + "blast_radius: {max_changes: 2, max_share: 0.34, min_healthy: 4}"
    room = make_room(runbook(DRAIN, front=front), haproxy__lb1=f"tcp://{pool.stats_address}")
    number = await room.start(count=2)
    await room.work(1)

    plan = (await room.run(number)).plan
    assert [(row["id"], row["changes"][0]["share"]) for row in plan["steps"]] == [
        ("s1[web1]", 0.1667),
        ("s1[web2]", 0.1667),
    ]
    await room.approve(number, "ben")
    await room.work()
    assert (await room.run(number)).state == "succeeded"
    assert drained(pool) == ["web1", "web2"]

    await room.ask("undo", number)
    await room.work()
    assert (await room.run(number)).state == "aborted"
    assert drained(pool) == []


async def test_the_pool_shrank_between_plan_and_start(make_room: MakeRoom, pool: HAProxy) -> None:
    """What was fine when it was approved is not any more: looked at again just before."""
    front = COUNT + "blast_radius: {max_changes: 2, max_share: 0.34, min_healthy: 4}"
    room = make_room(runbook(DRAIN, front=front), haproxy__lb1=f"tcp://{pool.stats_address}")
    number = await room.approved(count=2)
    for name in ("web5", "web6"):
        pool.command(f"set server app/{name} state drain")

    await room.work()

    run = await room.run(number)
    assert run.state == "failed"
    # 50 % of what is left; or too few left, where a member missed a health check meanwhile
    assert "max_share is 34%" in run.error or "min_healthy is 4" in run.error
    assert drained(pool) == ["web5", "web6"]
