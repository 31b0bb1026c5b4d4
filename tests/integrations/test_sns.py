"""SNS: which messages are proven, where it may be asked, and what of a message is an alert."""

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from bot.contract import Alert, AskingSource, RawRequest
from bot.errors import AuthFailed, BadInput
from integrations.sns.source import SnsSource
from tests.integrations.sources.eventbridge import EVENT
from tests.integrations.sources.sns import (
    ALARM,
    CERTIFICATE,
    FIRING,
    OVER,
    PEM,
    SETTINGS,
    TOPIC,
    certificate,
    message,
    sent,
)

SOURCE = SnsSource()
SUBSCRIBE = {
    "Token": "2336412f37fb687f5d51e6e2425dacbbaae63f1f", "Subject": None,
    "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336",
}  # fmt: skip


def request(fields: dict[str, Any], pem: bytes = PEM, **more: Any) -> RawRequest:
    whole = replace(sent(json.dumps(fields).encode(), "s"), settings=SETTINGS)
    return replace(whole, **{"documents": {CERTIFICATE: pem}, **more})


def refused(fields: dict[str, Any], pem: bytes = PEM, **more: Any) -> str:
    with pytest.raises(AuthFailed) as caught:
        SOURCE.authenticate(request(fields, pem, **more), ["s"])
    return str(caught.value)


def parse(text: Any, **fields: Any) -> list[Alert]:
    return SOURCE.parse(request(message(text, **fields)))


def one(text: Any, **fields: Any) -> Alert:
    (alert,) = parse(text, **fields)
    return alert


def test_what_is_signed_as_aws_documents_is_proven() -> None:
    """With a subject and without, in any script; and both kinds of confirmation."""
    assert isinstance(SOURCE, AskingSource)
    for fields in (
        message("x"), message("x", Subject="s"), message("x", Subject=""),
        message("Ünïcode \n two lines \u2028 \U0001f525"),
        message("c", "SubscriptionConfirmation", **SUBSCRIBE),
        message("c", "UnsubscribeConfirmation", **SUBSCRIBE),
    ):  # fmt: skip
        SOURCE.authenticate(request(fields), ["s"])


@pytest.mark.parametrize("name", ["Message", "MessageId", "Subject", "Timestamp", "Type"])
def test_nothing_that_is_signed_can_be_changed(name: str) -> None:
    fields = message("x", Subject="s")
    said = refused(fields | {name: "UnsubscribeConfirmation"})
    assert "its signature" in said
    assert "its signature" in refused({n: v for n, v in fields.items() if n != "Subject"})


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.test/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.test/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-1.pem",
        "https://evil.test/SimpleNotificationService-1.pem?sns.eu-west-1.amazonaws.com",
        "https://sns.eu-west-1.amazonaws.com/?Action=GetTopic#/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com/x/../SimpleNotificationService-1.pem",
        "https://bucket.s3.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.a.b.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem\n",
        "",
    ],
)
def test_no_certificate_is_fetched_from_elsewhere(url: str) -> None:
    fields = message("x", SigningCertURL=url)
    assert "not at SNS" in refused(fields)
    with pytest.raises(AuthFailed):
        SOURCE.needs(request(fields), ["s"])


def test_the_certificate_is_asked_for_only_by_who_may_send() -> None:
    """A stranger, or a topic that is not allowed, makes Jackline fetch nothing."""
    good = request(message("x"))
    assert SOURCE.needs(good, ["s"]) == CERTIFICATE
    for bad, secrets in (
        (good, ["other"]), (good, []), (replace(good, query={}), ["s"]),
        (replace(good, settings={}), ["s"]),
        (request(message("x", TopicArn=TOPIC + "2")), ["s"]),
    ):  # fmt: skip
        with pytest.raises(AuthFailed):
            SOURCE.needs(bad, secrets)


def test_whose_certificate_it_is() -> None:
    """Names of all regions; another name, another time, another key are refused."""
    fields = message("x")
    for name in ("sns.amazonaws.com", "sns-signing.ap-east-1.amazonaws.com",
                 "sns-cn-north-1.amazonaws.com.cn"):  # fmt: skip
        SOURCE.authenticate(request(fields, certificate(name)), ["s"])
    assert "not SNS's" in refused(fields, certificate("evil.test"))
    assert "not SNS's" in refused(fields, certificate("sns.amazonaws.com.evil.test"))
    assert "clock" in refused(fields, certificate(days=(-9, -1)))
    assert "clock" in refused(fields, certificate(days=(1, 9)))
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert "its signature" in refused(fields, certificate(key=other))
    for rubbish in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", b"x"):
        assert "its signature" in refused(fields, rubbish)
    assert "its signature" in refused(fields, documents={})


def test_what_else_is_not_proven() -> None:
    """Each says what to do about it."""
    assert "SignatureVersion to 2" in refused(message("x", SignatureVersion="1"))
    assert "settings.topics" in refused(message("x", TopicArn=TOPIC[:-1]))
    raw = {"x-amz-sns-rawdelivery": "true"}
    assert "raw message delivery off" in refused({"any": "thing"}, headers=raw)
    for signature in ("", "!", "AAAA"):
        assert "its signature" in refused(message("x") | {"Signature": signature})


def test_a_subscription_is_confirmed_at_the_topics_own_endpoint() -> None:
    """Whatever address the message names; and nothing else asks anybody anything."""
    evil = SUBSCRIBE | {"SubscribeURL": "https://evil.test/"}
    question = SOURCE.asks(request(message("c", "SubscriptionConfirmation", **evil)))
    assert question is not None
    assert question.url == "https://sns.eu-west-1.amazonaws.com/"
    assert question.fields == {
        "Action": "ConfirmSubscription", "Version": "2010-03-31", "TopicArn": TOPIC,
        "Token": SUBSCRIBE["Token"],
    }  # fmt: skip
    assert SUBSCRIBE["Token"] not in repr(question)
    china = TOPIC.replace("arn:aws:sns:eu-west-1", "arn:aws-cn:sns:cn-north-1")
    there = SUBSCRIBE | {"TopicArn": china}
    question = SOURCE.asks(request(message("c", "SubscriptionConfirmation", **there)))
    assert question is not None
    assert question.url == "https://sns.cn-north-1.amazonaws.com.cn/"
    assert SOURCE.asks(request(message("c", "UnsubscribeConfirmation", **SUBSCRIBE))) is None
    assert SOURCE.asks(request(json.loads(FIRING))) is None


def test_a_subscription_that_is_gone() -> None:
    """It fires, as silence means nothing from then on, and a new subscription ends it."""
    gone = one("c", type_="UnsubscribeConfirmation", **SUBSCRIBE)
    back = one("c", type_="SubscriptionConfirmation", **SUBSCRIBE)
    assert (gone.status, back.status) == ("firing", "resolved")
    assert gone.fingerprint == back.fingerprint
    assert gone.summary == "SNS does not send what is published to alarms any more"
    assert SUBSCRIBE["Token"] not in repr(gone) + repr(back)


def test_a_cloudwatch_alarm() -> None:
    (alert,) = SOURCE.parse(request(json.loads(FIRING)))
    assert (alert.status, alert.name) == ("firing", "ServerCpuTooHigh")
    assert alert.fingerprint == ALARM["AlarmArn"]
    assert alert.labels == {
        "InstanceId": "i-12345678901234567", "namespace": "AWS/EC2", "metric": "CPUUtilization",
        "account": "123456789012", "region": "eu-west-1", "topic": "alarms",
    }  # fmt: skip
    assert alert.summary == "Goes into alarm when server CPU utilization is too high!"
    assert alert.starts_at.isoformat() == "2026-11-23T21:19:58.632000+00:00"
    assert alert.link.startswith("https://eu-west-1.console.aws.amazon.com/cloudwatch/home")


def test_an_alarm_of_an_expression() -> None:
    """The first metric that it is made of says what it is about."""
    stat = {"Metric": {"MetricName": "Errors", "Namespace": "AWS/Lambda",
                       "Dimensions": [{"name": "FunctionName", "value": "pay"}]}}  # fmt: skip
    metrics = [{"Id": "e1", "Expression": "m1/m2"}, {"Id": "m1", "MetricStat": stat}]
    labels = one(ALARM | {"Trigger": {"Metrics": metrics}}).labels
    assert (labels["FunctionName"], labels["metric"]) == ("pay", "Errors")


def test_states_of_an_alarm() -> None:
    """Also of one without an ARN, as those of before 2019 are, and of a composite one."""
    assert parse(ALARM | {"NewStateValue": "INSUFFICIENT_DATA"}) == []
    old = [{k: v for k, v in state.items() if k not in ("AlarmArn", "Trigger")}
           for state in (ALARM, OVER)]  # fmt: skip
    firing, over = one(old[0]), one(old[1])
    assert (firing.status, over.status) == ("firing", "resolved")
    assert firing.fingerprint == over.fingerprint


def test_an_event_of_eventbridge() -> None:
    """Read as if EventBridge had sent it itself; of another kind it is told as it is."""
    alarm = one(EVENT)
    assert (alarm.source, alarm.name) == ("sns", "ServerCpuTooHigh")
    assert alarm.fingerprint == EVENT["resources"][0]
    spot = {"source": "aws.ec2", "detail-type": "EC2 Spot Instance Interruption Warning",
            "detail": {"instance-id": "i-1"}}  # fmt: skip
    told = one(spot)
    assert (told.status, told.name) == ("firing", "EC2 Spot Instance Interruption Warning")
    assert "i-1" in told.annotations["description"]


def test_any_other_text() -> None:
    """It fires, and the same subject is the same alert."""
    told = one("The nightly job\nhas failed", Subject="Nightly job")
    assert (told.status, told.name) == ("firing", "Nightly job")
    assert told.annotations["description"] == "The nightly job\nhas failed"
    assert told.labels == {"topic": "alarms", "region": "eu-west-1", "account": "123456789012"}
    again = one("another text", Subject="Nightly job", Timestamp="2026-11-23T23:00:00Z")
    assert again.fingerprint == told.fingerprint
    assert one("The nightly job\nhas failed").name == "The nightly job"
    assert one("[1, 2]").name == "[1, 2]"
    assert one("").name == "unnamed alert"


def test_what_looks_like_an_alarm_and_is_none_is_not_lost() -> None:
    """SNS does not send again what was refused."""
    for broken in (
        {"AlarmName": "", "NewStateValue": "ALARM"},
        ALARM | {"StateChangeTime": "soon"},
        {"detail-type": 5, "source": "aws.health"},
    ):
        told = one(broken, Subject="What it was")
        assert (told.status, told.name) == ("firing", "What it was")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"Type": "Gossip"}, "Type"),
        ({"TopicArn": "arn:aws:sqs:eu-west-1:123456789012:q"}, "TopicArn"),
        ({"Message": None}, "Message"),
        ({"Message": "x", "Timestamp": "soon"}, "Timestamp"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        SOURCE.parse(request(message("x") | fields))
    assert caught.value.field == field


@given(
    st.dictionaries(
        st.sampled_from(sorted(message("x", Subject="s"))),
        st.none() | st.text() | st.integers(),
        min_size=1,
    ),
    st.binary(max_size=200),
)
def test_a_message_with_anything_in_it_is_refused_as_ours(
    changed: dict[str, Any], pem: bytes
) -> None:
    """Before anything is asked, and after: by an error that names what is wrong."""
    bad = request(message("x", Subject="s") | changed, pem)
    for look in (SOURCE.needs, SOURCE.authenticate):
        with contextlib.suppress(AuthFailed, BadInput):
            look(bad, ["s"])
    with pytest.raises((AuthFailed, BadInput)):
        SOURCE.authenticate(bad, ["s"])


@pytest.mark.parametrize("topics", ["", "alarms", f"{TOPIC}, arn:aws:sns:eu-west-1:*:alarms"])
def test_a_wrong_setting(topics: str) -> None:
    with pytest.raises(BadInput) as caught:
        SOURCE.check({"topics": topics})
    assert caught.value.field == "topics"


def test_several_topics() -> None:
    topics = {"topics": f"{TOPIC}2\n {TOPIC},{TOPIC}3"}
    SOURCE.check(topics)
    SOURCE.authenticate(request(message("x"), settings=topics), ["s"])
