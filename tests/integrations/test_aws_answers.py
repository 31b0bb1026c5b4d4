"""What moto cannot do: AWS' answers in their documented form, and the requests beside boto3's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import boto3
import httpx
import pytest
import time_machine
from botocore.awsrequest import AWSResponse

from bot.contract import Call
from bot.errors import AuthFailed, Rejected, Retryable, TargetError, Unknown
from bot.registry import Registry
from tests.integrations.direct import Scripted
from tests.integrations.doing import Doing

REGION = "eu-west-1"
MAIN = {"account": "main"}
SERVICE: dict[str, Any] = {**MAIN, "cluster": "shop", "service": "checkout"}
CLUSTER: dict[str, Any] = {**MAIN, "cluster": "orders"}
FAILOVER = {**CLUSTER, "to": "orders-2"}
KEY = {"region": REGION, "access_key_id": "AKIDEXAMPLE", "secret_access_key": "of-nobody"}
LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/0a1b/2c3d"
FORM = {"Content-Type": "application/x-amz-json-1.1"}


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
