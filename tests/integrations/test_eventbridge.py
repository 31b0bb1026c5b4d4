"""EventBridge: what AWS's documentation shows of CloudWatch's alarms and of AWS Health."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput
from integrations.eventbridge.source import EventBridgeSource
from tests.integrations.sources import eventbridge as sample

SOURCE = EventBridgeSource()
# A public event, from the documentation; it is open there, though its text says that it is over.
HEALTH: dict[str, Any] = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "AWS Health Event",
    "source": "aws.health",
    "account": "123456789012",
    "time": "2023-01-27T09:01:22Z",
    "region": "af-south-1",
    "resources": [],
    "detail": {
        "eventArn": "arn:aws:health:af-south-1::event/EC2/AWS_EC2_OPERATIONAL_ISSUE/"
        "AWS_EC2_OPERATIONAL_ISSUE_7f35c8ae-af1f-54e6-a526-d0179ed6d68f",
        "service": "EC2",
        "eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE",
        "eventTypeCategory": "issue",
        "eventScopeCode": "PUBLIC",
        "communicationId": "01b0993207d81a09dcd552ebd1e633e36cf1f09a-1",
        "startTime": "Fri, 27 Jan 2023 06:02:51 GMT",
        "endTime": "Fri, 27 Jan 2023 09:01:22 GMT",
        "lastUpdatedTime": "Fri, 27 Jan 2023 09:01:22 GMT",
        "statusCode": "open",
        "eventRegion": "af-south-1",
        "eventDescription": [
            {
                "language": "en_US",
                "latestDescription": "Current severity level: Operating normally\n\n[RESOLVED] \n\n "
                "[03:15 PM PST] We continue see recovery \n\nThe following AWS services were "
                "previously impacted but are now operating normally: APPSYNC, BACKUP, EVENTS.",
            }
        ],
        "affectedEntities": [],
        "page": "1",
        "totalPages": "1",
        "backupEvent": "false",
        "affectedAccount": "123456789012",
        "personas": ["OPERATIONS"],
    },
}
# A scheduled change of one account, from there too; its days of the week are wrong there as well.
RETIREMENT = {
    "eventArn": "arn:aws:health:us-east-1::event/AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED_90353408594353983",
    "service": "EC2",
    "eventTypeCode": "AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED",
    "eventTypeCategory": "scheduledChange",
    "eventScopeCode": "ACCOUNT_SPECIFIC",
    "communicationId": "1234abc01232a4012345678-1",
    "startTime": "Thu, 27 Aug 2026 13:19:03 GMT",
    "lastUpdatedTime": "Thu, 27 Jan 2026 13:44:13 GMT",
    "statusCode": "open",
    "eventRegion": "us-east-1",
    "eventDescription": [
        {"language": "en_US", "latestDescription": "A description of the event will be provided here"}
    ],
    "eventMetadata": {"keystring1": "valuestring1", "truncated": "true"},
    "affectedEntities": [
        {
            "entityValue": "arn:aws:ec2:us-east-1:123456789012:instance/i-1234567890abcdef0",
            "lastUpdatedTime": "Thu, 26 Jan 2026 19:01:55 GMT",
            "status": "PENDING",
        }
    ],
    "affectedAccount": "123456789012",
    "page": "1",
    "totalPages": "1",
    "backupEvent": "false",
    "personas": ["OPERATIONS"],
    "actionability": "ACTION_REQUIRED",
}  # fmt: skip


def parse(event: Any) -> list[Alert]:
    return SOURCE.parse(RawRequest({}, json.dumps(event).encode()))


def health(**changed: Any) -> list[Alert]:
    return parse(HEALTH | {"detail": HEALTH["detail"] | changed})


def alarm(**changed: Any) -> list[Alert]:
    detail: Any = sample.EVENT["detail"]
    return parse(sample.EVENT | {"detail": detail | changed})


def test_an_alarm() -> None:
    """With what the metric is of, and a link to the alarm in its region's console."""
    (alert,) = alarm()
    assert alert.fingerprint == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:ServerCpuTooHigh"
    assert alert.starts_at == datetime(2019, 10, 2, 17, 4, 40, 989000, tzinfo=UTC)
    assert alert.labels == {
        "account": "123456789012", "region": "us-east-1", "namespace": "AWS/EC2",
        "metric": "CPUUtilization", "InstanceId": "i-12345678901234567",
    }  # fmt: skip
    assert alert.summary == "Goes into alarm when server CPU utilization is too high!"
    assert alert.annotations["description"].startswith("Threshold Crossed: 1 out of")
    assert alert.link == (
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1"
        "#alarmsV2:alarm/ServerCpuTooHigh"
    )


def test_an_alarm_that_is_over_knows_when_it_began() -> None:
    """From its previous state; its own time where that was no alarm."""
    (over,) = SOURCE.parse(sample.sent(sample.RESOLVED, ""))
    (began,) = alarm()
    assert (over.status, over.starts_at) == ("resolved", began.starts_at)
    end = datetime(2019, 10, 2, 17, 24, 40, 987000, tzinfo=UTC)
    assert over.ends_at == end
    state = {"value": "OK", "timestamp": "2019-10-02T17:24:40.987+0000"}
    for previous in (
        {"value": "INSUFFICIENT_DATA", "timestamp": "2019-10-02T17:20:03.642+0000"},
        {"value": "ALARM", "timestamp": "?"}, {"value": "ALARM"}, None, [],
    ):  # fmt: skip
        (over,) = alarm(state=state, previousState=previous)
        assert (over.starts_at, over.ends_at) == (end, end)


def test_what_is_no_alert() -> None:
    """No data, changes of configuration, contributors, other events."""
    state = {"value": "INSUFFICIENT_DATA", "timestamp": "2022-03-03T17:06:22.289+0000"}
    assert alarm(state=state) == []
    for kind in (
        "CloudWatch Alarm Configuration Change",
        "CloudWatch Alarm Contributor State Change",
    ):
        assert parse(sample.EVENT | {"detail-type": kind, "detail": {}}) == []
    assert (
        parse({"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification"}) == []
    )
    assert health(statusCode="upcoming") == []


def test_an_alarm_held_back_fires_with_a_label() -> None:
    """The documentation's composite alarm; it has no metrics and no description."""
    (alert,) = alarm(
        state={
            "actionsSuppressedBy": "WaitPeriod",
            "actionsSuppressedReason": "Actions suppressed by WaitPeriod",
            "value": "ALARM",
            "reason": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:SuppressionDemo.EventBridge."
            "FirstChild transitioned to ALARM at Friday 22 July, 2022 15:57:45 UTC",
            "timestamp": "2022-07-22T15:57:45.394+0000",
        },
        configuration={
            "alarmRule": "ALARM(ServerCpuTooHigh) OR ALARM(TotalNetworkTrafficTooHigh)",
            "actionsSuppressor": "ServiceMaintenanceAlarm",
            "actionsSuppressorWaitPeriod": 120,
            "actionsSuppressorExtensionPeriod": 180,
        },
        muteDetail={
            "mutedByArn": "arn:aws:cloudwatch:us-east-1:1234567890:alarm-mute-rule:testMute",
            "muteWindowStart": "2026-01-01T10:00:00.000+0000",
            "muteWindowEnd": "2026-01-01T12:00:00.000+0000",
        },
    )
    assert alert.status == "firing"
    assert alert.labels["suppressed_by"] == "WaitPeriod"
    assert alert.labels["muted"] == "true"
    assert alert.summary.endswith("15:57:45 UTC")


def test_an_alarms_tags_are_labels() -> None:
    """But none of them says where the alarm is from."""
    tags = {"severity": "critical", "service": "shop", "region": "moon", "odd": 5}
    (alert,) = alarm(alarmTags=tags, alarmTagsStatus="whatever")
    assert alert.labels["severity"] == "critical"
    assert alert.labels["service"] == "shop"
    assert alert.labels["region"] == "us-east-1"
    assert "odd" not in alert.labels


@pytest.mark.parametrize(
    ("arn", "begins"),
    [
        ("arn:aws-cn:cloudwatch:cn-north-1:1:alarm:a b", "https://cn-north-1.console.amazonaws.cn/"),
        ("arn:aws-us-gov:cloudwatch:us-gov-west-1:1:alarm:x",
         "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
        ("arn:aws-else:cloudwatch:x:1:alarm:x", ""),
        ("arn:aws:cloudwatch:evil.test/:1:alarm:x", ""),
    ],
)  # fmt: skip
def test_links_lead_to_aws_only(arn: str, begins: str) -> None:
    (alert,) = parse(sample.EVENT | {"resources": [arn]})
    assert alert.link.startswith(begins)
    assert bool(alert.link) == bool(begins)
    (alert,) = alarm(alarmName="EC2 CPU/Anomaly?")
    assert alert.link.endswith("#alarmsV2:alarm/EC2%20CPU%2FAnomaly%3F")


def test_a_health_event() -> None:
    """Open and closed are one alert; while it is open its end is not said."""
    (alert,), (over,) = health(), health(statusCode="closed")
    assert alert.status == "firing"
    assert alert.ends_at is None
    assert over.status == "resolved"
    assert (over.fingerprint, over.starts_at) == (alert.fingerprint, alert.starts_at)
    assert over.starts_at == datetime(2023, 1, 27, 6, 2, 51, tzinfo=UTC)
    assert over.ends_at == datetime(2023, 1, 27, 9, 1, 22, tzinfo=UTC)
    assert alert.summary == "EC2 in af-south-1: AWS_EC2_OPERATIONAL_ISSUE"
    assert alert.labels == {
        "severity": "error", "service": "ec2", "account": "123456789012", "region": "af-south-1",
        "category": "issue", "scope": "PUBLIC",
    }  # fmt: skip
    assert "[RESOLVED]" in alert.annotations["description"]
    assert alert.link.startswith(
        "https://health.aws.amazon.com/health/home#/account/event-log?event"
    )


def test_a_scheduled_change() -> None:
    """Of low severity, with what it affects and what is to be done."""
    (alert,) = parse(HEALTH | {"detail": RETIREMENT})
    assert alert.labels["severity"] == "info"
    assert alert.labels["actionability"] == "ACTION_REQUIRED"
    assert alert.annotations["affected"].endswith("instance/i-1234567890abcdef0")
    many = [{"entityValue": f"i-{n}"} for n in range(25)]
    (alert,) = health(affectedEntities=[*many, {}, 5])
    assert alert.annotations["affected"].endswith("i-19 and 5 more")


def test_optional_things_never_cost_an_alert() -> None:
    for odd in (None, 5, "x", [1], {"a": 1}, [{"language": 1}]):
        names = (
            "endTime",
            "eventRegion",
            "affectedAccount",
            "eventDescription",
            "affectedEntities",
        )
        assert health(statusCode="closed", **dict.fromkeys(names, odd))
        assert alarm(**dict.fromkeys(("previousState", "configuration", "alarmTags"), odd))
    (english,) = health(
        eventDescription=[
            {"language": "de_DE", "latestDescription": "Störung"},
            {"language": "en_US", "latestDescription": "Outage"},
        ]
    )
    assert english.annotations["description"] == "Outage"


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"detail": {}}, "source"),
        ({"source": "aws.health"}, "detail-type"),
        (sample.EVENT | {"resources": []}, "resources"),
        (sample.EVENT | {"detail": {"alarmName": "a"}}, "detail.state"),
        (sample.EVENT | {"detail": {"alarmName": "a", "state": {"value": "OK", "timestamp": "x"}}},
         "detail.state.timestamp"),
        (HEALTH | {"detail": RETIREMENT | {"startTime": "Thu 15 Dec 2022 23: 25"}}, "detail.startTime"),
        (HEALTH | {"detail": RETIREMENT | {"eventArn": ""}}, "detail.eventArn"),
        (HEALTH | {"detail": RETIREMENT | {"statusCode": None}}, "detail.statusCode"),
    ],
)  # fmt: skip
def test_what_identity_needs_is_named(event: Any, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(event)
    assert refused.value.field == field


def test_each_kind_of_connection() -> None:
    """An API key by either name, or basic with any user."""
    basic = base64.b64encode(b"any:one").decode()
    for headers in (
        {"x-api-key": "one"}, {"authorization": "Bearer one"}, {"authorization": f"Basic {basic}"},
    ):  # fmt: skip
        SOURCE.authenticate(RawRequest(headers, b""), ["two", "one"])
        with pytest.raises(AuthFailed):
            SOURCE.authenticate(RawRequest(headers, b""), ["two"])
