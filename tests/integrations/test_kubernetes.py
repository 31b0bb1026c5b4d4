"""Deployments of an emulated API server, moved by a deployment controller beside it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from bot.contract import Call
from bot.errors import AuthFailed, BadInput, NotSent, Rejected, Retryable, TargetError, Unknown
from bot.registry import Registry
from tests.integrations.asking import asked
from tests.integrations.direct import Scripted, direct
from tests.integrations.doing import Doing
from tests.servers.kubernetes import READER, Kubernetes
from tests.servers.process import HOST, free_port, wait_for

pytestmark = pytest.mark.server
ROLLBACK, SCALE, LOOK = "kubernetes.rollback", "kubernetes.scale", "kubernetes.deployment"
RELEASES = ("checkout:1", "checkout:2", "checkout:3")
CHECKOUT: dict[str, Any] = {"cluster": "main", "namespace": "shop", "deployment": "checkout"}


@pytest.fixture
def cluster(kubernetes_server: Kubernetes) -> Kubernetes:
    """`checkout` at release 3, revisions 1 and 2 behind it."""
    kubernetes_server.begin("checkout", RELEASES)
    return kubernetes_server


@pytest.fixture
async def on_cluster(registry: Registry, cluster: Kubernetes) -> AsyncIterator[Doing]:
    entry = {"headers": cluster.headers, "timeout": 5}
    async with direct("kubernetes/main", cluster.url, **entry) as connection:
        yield Doing(registry, connection)


async def test_what_a_deployment_is_at(on_cluster: Doing) -> None:
    out = await on_cluster.apply(LOOK, **CHECKOUT)
    assert (out["images"], out["revision"], out["previous"]) == ({"app": "checkout:3"}, 3, 2)
    assert (out["desired"], out["ready"], out["updated"]) == (3, 3, 3)
    assert (out["paused"], out["rolled_out"], out["stuck"]) == (False, True, False)
    assert out["conditions"]["Progressing"]["reason"] == "NewReplicaSetAvailable"
    assert [(h["revision"], h["images"]["app"], h["cause"]) for h in out["history"]] == [
        (3, "checkout:3", "release 3"), (2, "checkout:2", "release 2"), (1, "checkout:1", None),
    ]  # fmt: skip


async def test_back_and_forth(on_cluster: Doing, cluster: Kubernetes) -> None:
    """The former release serves again, with the note that it had; undo brings the newer one."""
    preview = await on_cluster.preview(ROLLBACK, **CHECKOUT)
    (change,) = preview.changes
    assert (change.before, change.after) == ("revision 3: checkout:3", "revision 2: checkout:2")
    assert (change.what, preview.healthy_after) == ("pod template of shop/checkout", 3)
    assert await on_cluster.verify(ROLLBACK, **CHECKOUT) is False
    assert (await on_cluster.apply(ROLLBACK, **CHECKOUT))["changed"] is True
    cluster.wait_running("checkout", "checkout:2")
    assert await on_cluster.verify(ROLLBACK, **CHECKOUT) is True
    now = await on_cluster.apply(LOOK, **CHECKOUT)
    assert [(h["revision"], h["was"], h["cause"]) for h in now["history"]] == [
        (4, [2], "release 2"), (3, [], "release 3"), (1, [], None),
    ]  # fmt: skip
    back = on_cluster.undo(preview, ROLLBACK, **CHECKOUT)
    assert back == Call(
        action=ROLLBACK, params={**CHECKOUT, "replica_set": preview.state["replica_set"]}
    )
    await on_cluster.apply(back.action, **back.params)
    cluster.wait_running("checkout", "checkout:3")
    assert await on_cluster.verify(back.action, **back.params) is True


@pytest.mark.parametrize("named", [{}, {"revision": 2}])
async def test_a_repeat_never_swings_back(
    on_cluster: Doing, cluster: Kubernetes, named: dict[str, Any]
) -> None:
    """At once, when the revision's number has not moved yet, and later, when it has."""
    call = {**CHECKOUT, **named}
    for _ in range(2):
        await on_cluster.apply(ROLLBACK, **call)
    cluster.wait_running("checkout", "checkout:2")
    again = await on_cluster.apply(ROLLBACK, **call)
    assert (again["changed"], again["images"]) == (False, {"app": "checkout:2"})
    assert (await on_cluster.preview(ROLLBACK, **call)).changes == []
    assert cluster.image("checkout") == "checkout:2"
    cluster.release("checkout", "checkout:4")
    preview = await on_cluster.preview(ROLLBACK, **CHECKOUT)
    assert preview.changes[0].after.endswith("checkout:2")  # not 3, which was rolled back


@pytest.mark.parametrize(
    ("strategy", "share", "left"),
    [
        ({"type": "Recreate"}, 1.0, 0),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}, 0.3333, 2),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "70%"}}, 0.6667, 1),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "30%"}}, None, 3),
    ],
)
async def test_what_a_rollback_takes_away(
    on_cluster: Doing, cluster: Kubernetes, strategy: dict[str, Any], share: float, left: int
) -> None:
    """While pods are replaced, as the Deployment's own strategy says."""
    cluster.patch("checkout", {"strategy": strategy})
    preview = await on_cluster.preview(ROLLBACK, **CHECKOUT)
    assert (preview.changes[0].share, preview.healthy_after) == (share, left)


@pytest.mark.parametrize(
    ("kind", "share", "left"), [("RollingUpdate", None, 1), ("Recreate", 0.3333, 0)]
)
async def test_pods_that_do_not_serve_are_no_loss(
    on_cluster: Doing, cluster: Kubernetes, kind: str, share: float | None, left: int
) -> None:
    """The bad release has brought two of three down: going back must not be refused for that."""
    cluster.patch("checkout", {"strategy": {"type": kind}})
    cluster.wait_running("checkout", "checkout:3")
    cluster.stay_ready("checkout", 1)
    preview = await on_cluster.preview(ROLLBACK, **CHECKOUT)
    assert (preview.changes[0].share, preview.healthy_after) == (share, left)


async def test_a_rollout_on_its_way(on_cluster: Doing, cluster: Kubernetes) -> None:
    """Nobody can tell while the controller has not acted; False once it has given up."""
    cluster.controller.freeze()
    await on_cluster.apply(ROLLBACK, **CHECKOUT)
    assert await on_cluster.verify(ROLLBACK, **CHECKOUT) is None
    assert (await on_cluster.apply(LOOK, **CHECKOUT))["rolled_out"] is False
    cluster.controller.thaw()
    cluster.wait_running("checkout", "checkout:2")
    cluster.patch("checkout", {"progressDeadlineSeconds": 1})
    cluster.release("checkout", "checkout:broken", wait=False)
    wait_for(lambda: len(cluster.running("checkout")) == 1 and _stuck(cluster), what="giving up")
    out = await on_cluster.apply(LOOK, **CHECKOUT)
    assert (out["stuck"], out["rolled_out"], out["ready"]) == (True, False, 3)
    forward = {**CHECKOUT, "replica_set": out["replica_set"]}
    assert await on_cluster.verify(ROLLBACK, **forward) is False
    await on_cluster.apply(ROLLBACK, **CHECKOUT)
    cluster.wait_running("checkout", "checkout:2")
    assert await on_cluster.verify(ROLLBACK, **CHECKOUT) is True


def _stuck(cluster: Kubernetes) -> bool:
    conditions = cluster.deployment("checkout")["status"]["conditions"]
    return any(c["reason"] == "ProgressDeadlineExceeded" for c in conditions)


async def test_a_release_that_the_controller_has_not_seen(
    on_cluster: Doing, cluster: Kubernetes
) -> None:
    """Which one is the newest cannot be told yet; a named revision can."""
    cluster.controller.freeze()
    cluster.release("checkout", "checkout:4", wait=False)
    with pytest.raises(Retryable, match="No ReplicaSet holds the template"):
        await on_cluster.apply(ROLLBACK, **CHECKOUT)
    preview = await on_cluster.preview(ROLLBACK, **CHECKOUT, revision=2)
    assert preview.changes[0].before == "not rolled out yet: checkout:4"
    assert on_cluster.undo(preview, ROLLBACK, **CHECKOUT) is None
    await on_cluster.apply(ROLLBACK, **CHECKOUT, revision=2)
    assert cluster.image("checkout") == "checkout:2"


async def test_what_is_refused(on_cluster: Doing, cluster: Kubernetes) -> None:
    """And nothing changes."""
    for more, said in (
        ({"revision": 9}, r"shop/checkout has no revision 9\. Kept are: 3, 2, 1\."),
        ({"revision": 3}, "Revision 3 is what shop/checkout is at"),
        ({"replica_set": "checkout-1"}, "has no checkout-1"),
        ({"deployment": "nobody"}, "answered 404"),
    ):
        for verb in (on_cluster.preview, on_cluster.apply):
            with pytest.raises(Rejected, match=said):
                await verb(ROLLBACK, **{**CHECKOUT, **more})
    cluster.patch("checkout", {"paused": True})
    with pytest.raises(Rejected, match=r"shop/checkout is paused.*find out who paused it"):
        await on_cluster.apply(ROLLBACK, **CHECKOUT)
    assert cluster.image("checkout") == "checkout:3"


async def test_no_earlier_revision(on_cluster: Doing, cluster: Kubernetes) -> None:
    cluster.begin("checkout", RELEASES[:1])
    with pytest.raises(Rejected, match="has no earlier revision"):
        await on_cluster.apply(ROLLBACK, **CHECKOUT)


async def test_a_change_meanwhile_is_refused(
    registry: Registry, cluster: Kubernetes, on_cluster: Doing
) -> None:
    """By the server, in its words: what was read is no longer what is there."""

    def release(request: httpx.Request) -> None:
        if request.method == "PATCH":
            cluster.release("checkout", "checkout:4", wait=False)
            cluster.patch("checkout", {"replicas": 4})

    async def hook(request: httpx.Request) -> None:
        release(request)

    on_cluster.connection.http.event_hooks = {"request": [hook]}
    with pytest.raises(Rejected, match=r"422.*test failed.*changed meanwhile"):
        await on_cluster.apply(ROLLBACK, **CHECKOUT)
    assert cluster.image("checkout") == "checkout:4"
    on_cluster.connection.http.event_hooks = {}
    cluster.patch("checkout", {"replicas": 3})
    on_cluster.connection.http.event_hooks = {"request": [hook]}
    with pytest.raises(Rejected, match="422"):
        await on_cluster.apply(SCALE, **CHECKOUT, replicas=5)
    assert cluster.deployment("checkout")["spec"]["replicas"] == 4


async def test_scaled_and_back(on_cluster: Doing, cluster: Kubernetes) -> None:
    """Down says what it takes away; the same again changes nothing; undo has the old number."""
    call = {**CHECKOUT, "replicas": 1}
    preview = await on_cluster.preview(SCALE, **call)
    (change,) = preview.changes
    assert (change.before, change.after, change.share) == ("3 (3 ready)", "1", 0.6667)
    assert preview.healthy_after == 1
    cluster.controller.freeze()
    await on_cluster.apply(SCALE, **call)
    assert await on_cluster.verify(SCALE, **call) is None
    cluster.controller.thaw()
    for _ in range(2):
        await on_cluster.apply(SCALE, **call)
    cluster.wait_running("checkout", "checkout:3")
    assert cluster.running("checkout") == {"checkout:3": 1}
    assert await on_cluster.verify(SCALE, **call) is True
    assert (await on_cluster.preview(SCALE, **call)).changes == []
    up = await on_cluster.preview(SCALE, **{**call, "replicas": 3})
    assert (up.changes[0].share, up.healthy_after) == (None, 1)
    back = on_cluster.undo(preview, SCALE, **call)
    assert back is not None
    await on_cluster.apply(back.action, **back.params)
    cluster.wait_running("checkout", "checkout:3")
    assert cluster.running("checkout") == {"checkout:3": 3}
    assert await on_cluster.verify(SCALE, **call) is False


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        (ROLLBACK, {"revision": 0}, "greater than or equal to 1"),
        (ROLLBACK, {"revision": 2, "replica_set": "checkout-1"}, "not both"),
        (ROLLBACK, {"replica_set": "-x"}, "should match pattern"),
        (ROLLBACK, {"namespace": "../kube-system"}, "should match pattern"),
        (ROLLBACK, {"deployment": "a/scale"}, "should match pattern"),
        (ROLLBACK, {"deployment": "--all"}, "should match pattern"),
        (ROLLBACK, {"deployment": "x\n"}, "should match pattern"),
        (ROLLBACK, {"cluster": "Main"}, "should match pattern"),
        (SCALE, {"replicas": 0}, "0 is not between 1 and 100"),
        (SCALE, {"replicas": 101}, "101 is not between 1 and 100"),
        (SCALE, {"replicas": 2000, "at_most": 2000}, "less than or equal to 1000"),
        (SCALE, {"replicas": 5, "hurry": True}, "Extra inputs"),
    ],
)
def test_what_is_refused_before_it_is_sent(
    registry: Registry, name: str, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.action(name).Params.model_validate({**CHECKOUT, **more})
    assert said in str(caught.value)


async def test_a_wrong_token_and_one_that_may_not(registry: Registry, cluster: Kubernetes) -> None:
    for token, looks in (("wrong", False), (READER, True)):
        headers = {"Authorization": f"Bearer {token}"}
        async with direct("kubernetes/main", cluster.url, headers=headers) as connection:
            doing = Doing(registry, connection)
            if looks:
                assert (await doing.apply(LOOK, **CHECKOUT))["revision"] == 3
            with pytest.raises(AuthFailed, match=r"401|is forbidden") as caught:
                await doing.apply(SCALE, **CHECKOUT, replicas=5)
            assert token not in str(caught.value)
    assert cluster.deployment("checkout")["spec"]["replicas"] == 3


async def test_nobody_there_and_no_answer(registry: Registry, cluster: Kubernetes) -> None:
    """Not sent; a read may be asked again; of a change nobody knows."""
    nowhere = f"http://{HOST}:{free_port()}"
    async with direct("kubernetes/main", nowhere, headers=cluster.headers) as connection:
        with pytest.raises(NotSent):
            await Doing(registry, connection).apply(LOOK, **CHECKOUT)
    entry = {"headers": cluster.headers, "timeout": 0.5}
    async with direct("kubernetes/main", cluster.url, **entry) as frozen:
        doing = Doing(registry, frozen)

        async def freeze(request: httpx.Request) -> None:
            if request.method == "PATCH":
                cluster.process.freeze()

        frozen.http.event_hooks = {"request": [freeze]}
        with pytest.raises(Unknown):
            await doing.apply(SCALE, **CHECKOUT, replicas=5)
        with pytest.raises(Retryable):
            await doing.apply(LOOK, **CHECKOUT)


async def test_an_answer_that_was_lost(on_cluster: Doing, cluster: Kubernetes) -> None:
    """Reading tells that it took effect."""
    cluster.lose_answer()
    with pytest.raises(Unknown):
        await on_cluster.apply(ROLLBACK, **CHECKOUT)
    cluster.wait_running("checkout", "checkout:2")
    assert await on_cluster.verify(ROLLBACK, **CHECKOUT) is True


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(429, headers={"retry-after": "7"}), Retryable),
        (httpx.Response(503, text="no endpoints"), Retryable),
        (httpx.Response(500, json={"message": "etcdserver: request timed out"}), Unknown),
        (httpx.Response(200, text="<html>"), Rejected),
    ],
)
async def test_what_a_failure_means(
    registry: Registry, answer: httpx.Response, error: type[TargetError]
) -> None:
    """A failure inside the server may have happened before or after the change."""
    body = {"metadata": {"uid": "u"}, "spec": {"replicas": 2, "selector": {}, "template": {}}}

    def reply(request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH" or answer.status_code == 200:
            return answer
        return httpx.Response(200, json={**body, "items": []})

    transport = httpx.MockTransport(reply)
    async with httpx.AsyncClient(transport=transport, base_url="http://k8s") as client:
        doing = Doing(registry, Scripted([], [], client, "kubernetes/main"))
        with pytest.raises(error) as caught:
            await doing.apply(SCALE, **CHECKOUT, replicas=5)
    if isinstance(caught.value, Retryable) and answer.status_code == 429:
        assert caught.value.retry_after == 7


async def test_what_was_rolled_out_of_late(registry: Registry, cluster: Kubernetes) -> None:
    """Three releases, and a rollback that no new ReplicaSet tells of."""
    about, until = {"namespace": "shop"}, datetime.now(UTC) + timedelta(seconds=5)
    asking = partial(
        asked, registry, "kubernetes", cluster.url, headers=cluster.headers, about=about
    )
    found = await asking(until=until)
    assert sorted(item.text for item in found.items) == [
        "shop/checkout: rolled out revision 1: checkout:1",
        "shop/checkout: rolled out revision 2: checkout:2 (release 2)",
        "shop/checkout: rolled out revision 3: checkout:3 (release 3)",
    ]
    assert (await asking(until=until + timedelta(hours=3))).items == []
    cluster.release("checkout", "checkout:1")
    went = [item for item in (await asking(until=until)).items if "went back" in item.text]
    assert [item.text for item in went] == [
        "shop/checkout: went back to what revision 1 was, now revision 4: checkout:1"
    ]
    assert went[0].at is not None
    assert abs(went[0].at - datetime.now(UTC)) < timedelta(seconds=20)


async def test_evidence_of_a_deployment_that_is_not_there(
    registry: Registry, cluster: Kubernetes
) -> None:
    asking = partial(asked, registry, "kubernetes", cluster.url, headers=cluster.headers)
    with pytest.raises(Rejected, match="404"):
        await asking(about={"namespace": "shop", "deployment": "gone"})
    with pytest.raises(BadInput, match="no Deployment's name"):
        await asking(about={"namespace": "../x"})
