"""The AWS APIs of moto's server, over the access path."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.moto import Moto, moto
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
MAIN = {"account": "main"}
SERVICE: dict[str, Any] = {**MAIN, "cluster": "shop", "service": "checkout"}
CLUSTER: dict[str, Any] = {**MAIN, "cluster": "orders"}
FAILOVER = {**CLUSTER, "to": "orders-2"}
LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/0a1b/2c3d"


@pytest.fixture(scope="module")
def server() -> Iterator[Moto]:
    """One for all: each test leaves it as it was."""
    with moto() as running:
        yield running


@pytest.fixture
async def on_aws(registry: Registry, server: Moto) -> AsyncIterator[Doing]:
    async with direct("aws/main.ecs", server.url, settings=server.settings) as connection:
        yield Doing(registry, connection)


def www(server: Moto) -> dict[str, Any]:
    return {**MAIN, "zone": server.ids["zone"], "name": "www.shop.test", "type": "A"}


async def test_a_service_goes_back_and_forth(on_aws: Doing, server: Moto) -> None:
    """Undo runs the revision that ran; the same again changes nothing."""
    out = await on_aws.apply("aws.ecs_service", **SERVICE)
    assert (out["family"], out["revision"], out["previous"]) == ("checkout", 3, 2)
    assert (out["revisions"], out["desired"], out["running"]) == ([3, 2, 1], 2, 2)
    assert (out["rolled_out"], out["failed"], out["status"]) == (True, False, "ACTIVE")
    call = {**SERVICE, "revision": 2}
    preview = await on_aws.preview("aws.ecs_rollback", **call)
    (line,) = preview.changes
    assert (line.before, line.after) == ("checkout:3", "checkout:2")
    assert (line.what, preview.healthy_after) == ("task definition of shop/checkout", 2)
    assert await on_aws.verify("aws.ecs_rollback", **call) is False
    for _ in range(2):
        await on_aws.apply("aws.ecs_rollback", **call)
        assert server.revision() == 2
    assert await on_aws.verify("aws.ecs_rollback", **call) is True
    assert (await on_aws.preview("aws.ecs_rollback", **call)).changes == []
    await on_aws.take_back(preview, "aws.ecs_rollback", **call)
    assert server.revision() == 3


async def test_services_that_cannot_be_rolled_back(on_aws: Doing, server: Moto) -> None:
    """In AWS's words, or in ours where AWS would take it: nothing changes."""
    client = server.client("ecs")
    old = client.register_task_definition(
        family="checkout", containerDefinitions=[{"name": "app", "image": "x", "memory": 128}]
    )["taskDefinition"]["taskDefinitionArn"]
    client.deregister_task_definition(taskDefinition=old)
    client.create_service(
        cluster="shop", serviceName="blue-green", taskDefinition="checkout:3", desiredCount=2,
        deploymentController={"type": "CODE_DEPLOY"},
    )  # fmt: skip
    for more, said in (
        ({"revision": 9}, r"AWS answered 400 ClientException: .*task definition"),
        ({"revision": 4}, "Revision 4 is INACTIVE"),
        ({"service": "nobody"}, "There is no service nobody in shop: MISSING"),
        ({"cluster": "nowhere"}, "AWS answered 400 ClusterNotFoundException"),
        ({"service": "blue-green"}, "is deployed by CODE_DEPLOY"),
    ):
        with pytest.raises(Rejected, match=said):
            await on_aws.apply("aws.ecs_rollback", **{**SERVICE, "revision": 2, **more})
    assert server.revision() == 3


async def test_a_reader_takes_over_and_hands_back(on_aws: Doing, server: Moto) -> None:
    out = await on_aws.apply("aws.rds_cluster", **CLUSTER)
    assert (out["writer"], out["readers"]) == ("orders-1", ["orders-2", "orders-3"])
    assert (out["status"], out["available"]) == ("available", ["orders-1", "orders-2", "orders-3"])
    preview = await on_aws.preview("aws.rds_failover", **FAILOVER)
    (line,) = preview.changes
    assert (line.before, line.after) == ("orders-1", "orders-2; every connection is cut")
    assert preview.healthy_after == 3
    assert await on_aws.verify("aws.rds_failover", **FAILOVER) is None
    await on_aws.apply("aws.rds_failover", **FAILOVER)
    assert server.writer() == "orders-2"
    assert await on_aws.verify("aws.rds_failover", **FAILOVER) is True
    with pytest.raises(Rejected, match="orders-2 is the writer of orders already"):
        await on_aws.apply("aws.rds_failover", **FAILOVER)
    await on_aws.take_back(preview, "aws.rds_failover", **FAILOVER)
    assert server.writer() == "orders-1"


async def test_who_cannot_take_over(on_aws: Doing, server: Moto) -> None:
    for more, said in (
        ({"to": "other-1"}, r"orders has no member other-1\. It has: orders-1, orders-2, orders-3"),
        ({"cluster": "nothing"}, r"AWS answered 404 DBClusterNotFoundFault: DBCluster nothing"),
    ):
        with pytest.raises(Rejected, match=said):
            await on_aws.apply("aws.rds_failover", **{**FAILOVER, **more})
    server.client("rds").stop_db_instance(DBInstanceIdentifier="orders-3")
    with pytest.raises(Rejected, match="orders-3 cannot take over: it is stopped"):
        await on_aws.apply("aws.rds_failover", **{**FAILOVER, "to": "orders-3"})
    server.client("rds").start_db_instance(DBInstanceIdentifier="orders-3")
    assert server.writer() == "orders-1"


async def test_weights_of_a_name_there_and_back(on_aws: Doing, server: Moto) -> None:
    """Nothing but the weights of the name changes; undo brings them back."""
    before = server.records()
    out = await on_aws.apply("aws.route53_records", **www(server))
    assert out["weights"] == {"blue": 90, "green": 10}
    assert out["sets"][0] == {
        "set": "blue", "weight": 90, "ttl": 60, "values": ["192.0.2.10"], "health_check": None,
    }  # fmt: skip
    call = {**www(server), "name": "WWW.shop.test.", "weights": {"blue": 0, "green": 255}}
    preview = await on_aws.preview("aws.route53_weights", **call)
    assert [(c.what, c.before, c.after, c.share) for c in preview.changes] == [
        ("weight of blue in A www.shop.test.", "90 (90.0%)", "0 (0.0%)", 0.9),
        ("weight of green in A www.shop.test.", "10 (10.0%)", "255 (100.0%)", None),
    ]
    for _ in range(2):
        await on_aws.apply("aws.route53_weights", **call)
    assert await on_aws.verify("aws.route53_weights", **call) is True
    after = server.records()
    assert {name: r["Weight"] for name, r in after.items()} == {"blue": 0, "green": 255}
    await on_aws.take_back(preview, "aws.route53_weights", **call)
    assert server.records() == before
    assert await on_aws.verify("aws.route53_weights", **call) is False


async def test_weights_of_a_name_that_are_refused(on_aws: Doing, server: Moto) -> None:
    for more, said in (
        ({"weights": {"blue": 1, "red": 1}}, r"has no red\. It has: blue, green"),
        ({"name": "api.shop.test"}, "has no weighted records of type A"),
        ({"name": "no.shop.test"}, "has no weighted records of type A"),
        ({"zone": "Z0000"}, "AWS answered 404 NoSuchHostedZone"),
    ):
        call = {**www(server), "weights": {"blue": 1, "green": 1}, **more}
        with pytest.raises(Rejected, match=said):
            await on_aws.apply("aws.route53_weights", **call)
    missing = {**www(server), "weights": {"blue": 1, "other": 1}}
    with pytest.raises(Rejected, match="has no other"):
        await on_aws.preview("aws.route53_weights", **missing)


@pytest.mark.parametrize(
    ("of", "wanted", "share"),
    [("listener", {"blue": 100, "green": 0}, 1.0), ("rule", {"blue": 3, "green": 1, "empty": 0}, 0.25)],
)  # fmt: skip
async def test_requests_are_shared_otherwise_and_back(
    on_aws: Doing, server: Moto, of: str, wanted: dict[str, int], share: float
) -> None:
    """Of a listener, or of a rule: its stickiness stays."""
    before = server.shares(of)
    weights = {f"checkout-{name}": weight for name, weight in wanted.items()}
    call = {**MAIN, "listener": server.ids[of], "weights": weights}
    preview = await on_aws.preview("aws.elb_weights", **call)
    assert [c.share for c in preview.changes if c.share] == [share]
    assert preview.healthy_after == sum(weight > 0 for weight in wanted.values())
    for _ in range(2):
        await on_aws.apply("aws.elb_weights", **call)
        assert server.shares(of) == weights
    assert await on_aws.verify("aws.elb_weights", **call) is True
    await on_aws.take_back(preview, "aws.elb_weights", **call)
    assert server.shares(of) == before
    rule = server.client("elbv2").describe_rules(RuleArns=[server.ids["rule"]])["Rules"][0]
    sticky = rule["Actions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"]
    assert sticky == {"Enabled": True, "DurationSeconds": 600}


async def test_requests_go_to_nobody_dead(on_aws: Doing, server: Moto) -> None:
    weights = {"checkout-blue": 0, "checkout-green": 0, "checkout-empty": 1}
    call = {**MAIN, "listener": server.ids["rule"], "weights": weights}
    with pytest.raises(Rejected, match="No healthy target in checkout-empty"):
        await on_aws.apply("aws.elb_weights", **call)
    forced = await on_aws.preview("aws.elb_weights", **call, allow_unhealthy=True)
    assert forced.healthy_after == 0
    with pytest.raises(Rejected, match="Nothing is forwarded there"):
        await on_aws.apply("aws.elb_weights", **{**call, "listener": server.ids["closed"]})
    with pytest.raises(Rejected, match="leaves out checkout-green"):
        await on_aws.apply(
            "aws.elb_weights", **MAIN, listener=server.ids["listener"],
            weights={"checkout-blue": 1},
        )  # fmt: skip
    assert server.shares("rule")["checkout-empty"] == 0


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("aws.ecs_rollback", {**SERVICE, "revision": 0}, "greater than or equal to 1"),
        ("aws.ecs_rollback", {**SERVICE, "revision": 2, "service": "-x"}, "match pattern"),
        ("aws.ecs_rollback", {**SERVICE, "revision": 2, "cluster": "a/b"}, "match pattern"),
        ("aws.ecs_service", {**SERVICE, "account": "Main"}, "match pattern"),
        ("aws.rds_failover", {**FAILOVER, "to": "a--b"}, "match pattern"),
        ("aws.rds_failover", {**FAILOVER, "to": "orders-2\n"}, "match pattern"),
        ("aws.elb_weights", {**MAIN, "listener": "arn:aws:s3:::x", "weights": {"a": 1}}, "match"),
        ("aws.elb_weights", {**MAIN, "listener": LISTENER, "weights": {"a": 0}}, "nobody answers"),
        ("aws.elb_weights", {**MAIN, "listener": LISTENER, "weights": {"a": 1000}}, "equal to 999"),
    ],
)
def test_what_is_refused_before_it_is_sent(
    registry: Registry, name: str, params: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.action(name).Params.model_validate(params)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "more",
    [
        {"zone": "../Z1"},
        {"name": "-x.test"},
        {"type": "TXT"},
        {"weights": {"a": 0, "b": 0}},
        {"weights": {"a": 256, "b": 0}},
        {"weights": {"a": 1}},
        {"hurry": True},
    ],
)
def test_records_that_are_refused_before(registry: Registry, more: dict[str, Any]) -> None:
    call = {**MAIN, "zone": "Z1", "name": "www.test", "type": "A", "weights": {"a": 1, "b": 1}}
    params = registry.action("aws.route53_weights").Params
    params.model_validate(call)
    with pytest.raises(ValidationError):
        params.model_validate({**call, **more})


async def test_moto_finds_the_signature_right(on_aws: Doing, server: Moto) -> None:
    """With each call checked: three services, queries and JSON, a read and a change."""
    call = {**MAIN, "listener": server.ids["listener"], "weights": server.shares()}
    with server.checked():
        await on_aws.apply("aws.ecs_rollback", **SERVICE, revision=3)
        await on_aws.apply("aws.rds_cluster", **CLUSTER)
        await on_aws.apply("aws.elb_weights", **call)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"secret_access_key": "wrong-secret"}, "SignatureDoesNotMatch|signature"),
        ({"access_key_id": "AKIANOBODY"}, "403"),
        ({"secret_access_key": ""}, "no setting `secret_access_key` in the catalog"),
        ({"region": ""}, "no setting `region` in the catalog"),
    ],
)
async def test_a_wrong_key(
    registry: Registry, server: Moto, wrong: dict[str, str], said: str
) -> None:
    """Refused, and what was wrong is not said aloud."""
    settings = {**server.settings, **wrong}
    async with direct("aws/main.ecs", server.url, settings=settings) as connection:
        with server.checked(), pytest.raises(AuthFailed, match=said) as caught:
            await Doing(registry, connection).apply("aws.ecs_rollback", **SERVICE, revision=2)
    assert "wrong-secret" not in str(caught.value)
    assert server.revision() == 3


async def test_a_key_that_may_only_read(registry: Registry, server: Moto) -> None:
    settings = {
        **server.settings,
        "access_key_id": server.ids["reader_id"],
        "secret_access_key": server.ids["reader_key"],
    }
    async with direct("aws/main.ecs", server.url, settings=settings) as connection:
        doing = Doing(registry, connection)
        with server.checked():
            assert (await doing.apply("aws.ecs_service", **SERVICE))["revision"] == 3
            with pytest.raises(AuthFailed, match="not authorized to perform: ecs:UpdateService"):
                await doing.apply("aws.ecs_rollback", **SERVICE, revision=2)
    assert server.revision() == 3


async def test_nobody_there_and_no_answer(registry: Registry, server: Moto) -> None:
    """Not sent; a read may be asked again; of a change nobody knows."""
    nowhere = f"http://{HOST}:{free_port()}"
    async with direct("aws/main.rds", nowhere, settings=server.settings) as connection:
        with pytest.raises(NotSent):
            await Doing(registry, connection).apply("aws.rds_cluster", **CLUSTER)
    entry = {"settings": server.settings, "timeout": 0.5}
    async with direct("aws/main.rds", server.url, **entry) as frozen:
        doing = Doing(registry, frozen)

        async def freeze(request: httpx.Request) -> None:
            if b"FailoverDBCluster" in request.content:
                server.process.freeze()

        frozen.http.event_hooks = {"request": [freeze]}
        try:
            with pytest.raises(Unknown, match="FailoverDBCluster"):
                await doing.apply("aws.rds_failover", **FAILOVER)
            with pytest.raises(Retryable):
                await doing.apply("aws.rds_cluster", **CLUSTER)
        finally:
            server.process.thaw()
