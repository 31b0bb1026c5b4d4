"""The AWS APIs of moto's server, over the access path; what moto cannot do, by documented answers."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import boto3
import httpx
import pytest
import time_machine
from botocore.awsrequest import AWSResponse
from pydantic import ValidationError

from bot.contract import Call
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from bot.registry import Registry
from tests.integrations.direct import Scripted, direct
from tests.integrations.doing import Doing
from tests.servers.moto import REGION, Moto, moto
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
MAIN = {"account": "main"}
SERVICE: dict[str, Any] = {**MAIN, "cluster": "shop", "service": "checkout"}
CLUSTER: dict[str, Any] = {**MAIN, "cluster": "orders"}
FAILOVER = {**CLUSTER, "to": "orders-2"}
KEY = {"region": REGION, "access_key_id": "AKIDEXAMPLE", "secret_access_key": "of-nobody"}
LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/0a1b/2c3d"
FORM = {"Content-Type": "application/x-amz-json-1.1"}


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


@asynccontextmanager
async def answering(
    registry: Registry, *answers: httpx.Response, seen: list[httpx.Request] | None = None
) -> AsyncIterator[Doing]:
    """AWS as its documents show its answers, one after the other; the last one stays."""
    left = list(answers)

    def reply(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return left.pop(0) if len(left) > 1 else left[0]

    transport = httpx.MockTransport(reply)
    async with httpx.AsyncClient(transport=transport, base_url="https://aws.test") as client:
        yield Doing(registry, Scripted([], [], client, "aws/main.ecs", settings=KEY))


def refused(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"__type": code, "message": "Rate exceeded"}
    return httpx.Response(status, headers={**FORM, **headers}, json=body)


def service(*states: str, running: int = 2, revision: int = 3) -> httpx.Response:
    """An ECS service with a deployment for each state, the first of them the primary."""
    arn = f"arn:aws:ecs:eu-west-1:123456789012:task-definition/checkout:{revision}"
    rows = [
        {"status": "PRIMARY" if i == 0 else "ACTIVE", "rolloutState": s, "taskDefinition": arn}
        for i, s in enumerate(states)
    ]
    found = {"serviceName": "checkout", "status": "ACTIVE", "taskDefinition": arn,
             "desiredCount": 2, "runningCount": running, "pendingCount": 0,
             "deployments": rows}  # fmt: skip
    return httpx.Response(200, headers=FORM, json={"services": [found]})


@pytest.mark.parametrize(
    ("answer", "took"),
    [
        (service("IN_PROGRESS", "COMPLETED"), None),
        (service("COMPLETED", running=1), None),
        (service("COMPLETED"), True),
        (service("FAILED", "COMPLETED"), False),
        (service("COMPLETED", revision=2), False),
    ],
)
async def test_a_deployment_on_its_way(
    registry: Registry, answer: httpx.Response, took: bool | None
) -> None:
    """As ECS tells it; moto is through at once."""
    async with answering(registry, answer) as doing:
        assert await doing.verify("aws.ecs_rollback", **SERVICE, revision=3) is took


async def test_tasks_that_a_deployment_leaves(registry: Registry) -> None:
    """As the service's own configuration says: half of two, rounded up."""
    definition = httpx.Response(200, headers=FORM, json={"taskDefinition": {"status": "ACTIVE"}})
    body = service("COMPLETED").json()
    body["services"][0]["deploymentConfiguration"] = {"minimumHealthyPercent": 40}
    found = httpx.Response(200, headers=FORM, json=body)
    async with answering(registry, found, definition) as doing:
        preview = await doing.preview("aws.ecs_rollback", **SERVICE, revision=2)
    assert preview.healthy_after == 1


@pytest.mark.parametrize(
    ("answer", "error", "wait"),
    [
        (refused(400, "ThrottlingException"), Retryable, 1.0),
        (refused(429, "TooManyRequestsException", **{"Retry-After": "7"}), Retryable, 7.0),
        (refused(500, "ServerException"), Unknown, None),
        (refused(400, "ExpiredTokenException"), AuthFailed, None),
        (refused(400, "InvalidParameterException"), Rejected, None),
        (httpx.Response(502, text="<html>bad gateway"), Unknown, None),
    ],
)
async def test_what_a_failed_change_means(
    registry: Registry, answer: httpx.Response, error: type[TargetError], wait: float | None
) -> None:
    """In AWS's words; a throttled call says when to come back."""
    definition = httpx.Response(200, headers=FORM, json={"taskDefinition": {"status": "ACTIVE"}})
    async with answering(registry, service("COMPLETED"), definition, answer) as doing:
        with pytest.raises(error, match="UpdateService: AWS answered") as caught:
            await doing.apply("aws.ecs_rollback", **SERVICE, revision=2)
    assert getattr(caught.value, "retry_after", None) == wait


async def test_what_aws_would_have_signed_is_not_shown(registry: Registry) -> None:
    """There a session's token stands in clear."""
    said = (
        "The request signature we calculated does not match the signature you provided.\n\n"
        "The Canonical String for this request should have been\n'POST\n/\n\n"
        "x-amz-security-token:the-token-itself'"
    )
    body = {"__type": "InvalidSignatureException", "message": said}
    async with answering(registry, httpx.Response(400, headers=FORM, json=body)) as doing:
        with pytest.raises(AuthFailed, match="the signature you provided") as caught:
            await doing.apply("aws.ecs_service", **SERVICE)
    assert "the-token-itself" not in str(caught.value)


def listener(*actions: dict[str, Any]) -> httpx.Response:
    """A listener's default actions, in the XML of the API."""

    def shown(value: Any, name: str) -> str:
        if isinstance(value, dict):
            inner = "".join(shown(v, k) for k, v in value.items())
        elif isinstance(value, list):
            inner = "".join(shown(v, "member") for v in value)
        else:
            inner = str(value)
        return f"<{name}>{inner}</{name}>"

    found = shown({"Listeners": [{"DefaultActions": list(actions)}]}, "DescribeListenersResult")
    return httpx.Response(
        200, text=f"<DescribeListenersResponse>{found}</DescribeListenersResponse>"
    )


async def test_a_listener_that_signs_people_in(registry: Registry) -> None:
    """The order stays, and AWS is told to keep the client's secret, which it never shows."""
    group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{}/0a1b"
    pair = [{"TargetGroupArn": group.format(name), "Weight": 1} for name in ("a", "b")]
    sign_in = {"Issuer": "https://id.test", "AuthorizationEndpoint": "https://id.test/a",
               "TokenEndpoint": "https://id.test/t", "UserInfoEndpoint": "https://id.test/u",
               "ClientId": "shop"}  # fmt: skip
    read = listener(
        {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": sign_in},
        {"Type": "forward", "Order": 2, "ForwardConfig": {"TargetGroups": pair}},
    )
    health = httpx.Response(200, text=(
        "<R><DescribeTargetHealthResult><TargetHealthDescriptions><member><TargetHealth><State>"
        "healthy</State></TargetHealth></member></TargetHealthDescriptions>"
        "</DescribeTargetHealthResult></R>"
    ))  # fmt: skip
    done = httpx.Response(200, text="<R><ModifyListenerResult/></R>")
    seen: list[httpx.Request] = []
    async with answering(registry, read, health, health, done, seen=seen) as doing:
        await doing.apply("aws.elb_weights", **MAIN, listener=LISTENER, weights={"a": 3, "b": 1})
    sent = httpx.QueryParams(seen[-1].content.decode())
    assert sent["Action"] == "ModifyListener"
    start = "DefaultActions.member"
    assert sent[f"{start}.1.AuthenticateOidcConfig.UseExistingClientSecret"] == "true"
    assert (sent[f"{start}.1.Order"], sent[f"{start}.2.Order"]) == ("1", "2")
    weight = "ForwardConfig.TargetGroups.member.{}.Weight"
    assert [sent[f"{start}.2.{weight.format(i)}"] for i in (1, 2)] == ["3", "1"]


@pytest.mark.parametrize("code", ["Throttling", "RequestLimitExceeded"])
async def test_a_throttled_query(registry: Registry, code: str) -> None:
    """The XML form, of a read."""
    body = (
        "<ErrorResponse><Error><Type>Sender</Type>"
        f"<Code>{code}</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
    )
    async with answering(registry, httpx.Response(400, text=body)) as doing:
        with pytest.raises(Retryable, match=f"{code}: Rate exceeded") as caught:
            await doing.apply("aws.rds_cluster", **CLUSTER)
    assert caught.value.retry_after == 1.0


@pytest.mark.parametrize(
    ("name", "params", "call"),
    [
        ("aws.ecs_service", SERVICE, ("ecs", "describe_services", {"cluster": "shop", "services": ["checkout"]})),
        ("aws.rds_cluster", CLUSTER, ("rds", "describe_db_clusters", {"DBClusterIdentifier": "orders"})),
        ("aws.elb_weights", {**MAIN, "listener": LISTENER, "weights": {"a": 1}}, ("elbv2", "describe_listeners", {"ListenerArns": [LISTENER]})),
        ("aws.route53_records", {**MAIN, "zone": "Z1", "name": "www.shop.test", "type": "A"}, ("route53", "list_resource_record_sets", {"HostedZoneId": "Z1", "StartRecordName": "www.shop.test.", "StartRecordType": "A", "MaxItems": "300"})),
    ],
)  # fmt: skip
async def test_the_request_is_boto3s_own(
    registry: Registry, name: str, params: dict[str, Any], call: tuple[str, str, dict[str, Any]]
) -> None:
    """At the same moment with the same key: address, body, and so the signature, byte for byte."""
    kind, operation, arguments = call
    client = boto3.client(
        kind, endpoint_url="https://aws.test", region_name=REGION,
        aws_access_key_id=KEY["access_key_id"], aws_secret_access_key=KEY["secret_access_key"],
    )  # fmt: skip
    sent: list[Any] = []

    def keep(request: Any, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, {}, None)

    client.meta.events.register("before-send", keep)
    ours: list[httpx.Request] = []
    with time_machine.travel("2026-11-26T09:00:00Z", tick=False):
        with pytest.raises(Exception, match=r".*"):
            getattr(client, operation)(**arguments)
        async with answering(registry, httpx.Response(400, text=""), seen=ours) as doing:
            with pytest.raises(Rejected):
                await doing.apply(name, **params)
    theirs, mine = sent[0], ours[0]
    assert (str(mine.url), mine.method) == (theirs.url, theirs.method)
    body = theirs.body or b""
    assert mine.content == (body.encode() if isinstance(body, str) else body)
    assert mine.headers["authorization"] == theirs.headers["Authorization"].decode()


def test_undo_of_what_was_not_there(registry: Registry) -> None:
    """A cluster without a writer, weights that were all 0: there is no way back to that."""
    params = registry.action("aws.rds_failover").Params.model_validate(FAILOVER)
    assert registry.action("aws.rds_failover").undo(params, {"writer": None}) is None
    call = {**MAIN, "listener": LISTENER, "weights": {"a": 1}}
    action = registry.action("aws.elb_weights")
    assert action.undo(action.Params.model_validate(call), {"weights": {"a": 0}}) is None
    assert action.undo(action.Params.model_validate(call), {"weights": {"a": 5}}) == Call(
        action="aws.elb_weights", params={**call, "weights": {"a": 5}, "allow_unhealthy": True}
    )
