"""A runbook that takes away what Jackline itself stands on is not for Jackline to run."""

import pytest

from bot.registry import Registry
from tests.runbooks.ground import check, loops, put, repairs
from tests.runbooks.room import runbook

BAG = "run it from the go-bag (from_bag: true)"
GROUND = {
    "repairing what the database stands on": (
        runbook(check("http/shop"), front=repairs("service:orders")),
        (f"this runbook repairs what Jackline's own database stands on: {BAG}: "
        "jackline:store → service:orders"),
    ),
    "repairing where Jackline runs": (
        runbook(check("http/shop"), front=repairs("k8s:main")),
        (f"this runbook repairs what the place where Jackline runs stands on: {BAG}: "
        "jackline:placement → k8s:main"),
    ),
    "repairing the secrets": (
        runbook(check("http/shop"), front=repairs("jackline:secrets")),
        f"this runbook repairs what Jackline's own store of secrets stands on: {BAG}: jackline:secrets",
    ),
    "changing the database's service": (
        runbook(put("http/orders")),
        (f"step s1 changes http/orders, and Jackline's own database stands on that: {BAG}: "
        "jackline:store → service:orders, which http/orders is a part of"),
    ),
    "changing the database's cluster": (
        runbook('action: patroni.failover\nwith: {cluster: orders, candidate: pg2}\n'
                'undo: {none: "no way back"}\nverify: [{expect: "out.done"}]'),
        (f"step s1 changes patroni/orders, and Jackline's own database stands on that: {BAG}: "
        "jackline:store → service:orders → target:patroni/orders"),
    ),
    "changing the cluster that Jackline runs in": (
        runbook("action: kubernetes.rollback\n"
                "with: {cluster: main, namespace: shop, deployment: checkout}"),
        (f"step s1 changes kubernetes/main, and the place where Jackline runs stands on that: "
        f"{BAG}: jackline:placement → k8s:main, which kubernetes/main is a part of"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), GROUND.values(), ids=GROUND)
def test_jackline_itself(registry: Registry, text: str, expected: str) -> None:
    """A runbook that takes the bot's own ground away is not for the bot, unless it says so."""
    assert [p.message for p in loops(registry, text)] == [expected]
    assert loops(registry, text.replace("title:", "from_bag: true\ntitle:")) == []


def test_looking_at_jacklines_ground_is_fine(registry: Registry) -> None:
    """Reading takes nothing away; nor does a change that one may choose to make elsewhere."""
    chosen = put("{{ inputs.at }}")
    front = "inputs: {at: {type: enum, values: [orders, shop]}}"
    assert loops(registry, runbook(check("http/orders"))) == []
    assert loops(registry, runbook(chosen, front=front)) == []
