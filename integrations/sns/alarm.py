"""CloudWatch's alarm as it is published to a topic: another JSON than EventBridge's."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from bot.contract import Alert
from bot.contract.aws_events import ALARM_STATES, alarm_page
from bot.contract.source import LabelName, Loose, Word, alert, moment, parsed


class _Alarm(Loose):
    name: LabelName = Field(alias="AlarmName")
    state: Word = Field(alias="NewStateValue")
    at: Word = Field(alias="StateChangeTime")
    arn: Word = Field(default="", alias="AlarmArn")  # alarms of before 2019 have none
    account: Word = Field(default="", alias="AWSAccountId")
    region: Word = Field(default="", alias="Region")
    description: Word = Field(default="", alias="AlarmDescription")
    reason: Word = Field(default="", alias="NewStateReason")
    trigger: Any = Field(default=None, alias="Trigger")


def alarm_alerts(source: str, body: bytes, topic: Mapping[str, str]) -> list[Alert]:
    """Nothing for INSUFFICIENT_DATA: it says neither that it is bad nor that it is over.

    ``topic`` is labels of where it was published.
    """
    alarm = parsed(_Alarm, body)
    firing = ALARM_STATES.get(alarm.state)
    if firing is None:
        return []
    at = moment(alarm.at, "Message.StateChangeTime")
    return [
        alert(
            source,
            fingerprint=alarm.arn or f"{alarm.account} {alarm.region} {alarm.name}",
            firing=firing,
            name=alarm.name,
            starts_at=at,
            ends_at=at,
            labels={**_measured(alarm.trigger), "account": alarm.account, **topic},
            annotations={
                "summary": alarm.description or alarm.reason or alarm.name,
                "description": alarm.reason,
            },
            link=alarm_page(alarm.arn, alarm.name),
        )
    ]


def _measured(trigger: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """The metric with its dimensions, or the first one of an expression over several."""
    found = [_get(_get(m, "MetricStat"), "Metric") for m in _list(_get(trigger, "Metrics"))]
    metric = next((m for m in (trigger, *found) if _get(m, "MetricName")), None)
    pairs = [(_get(d, "name"), _get(d, "value")) for d in _list(_get(metric, "Dimensions"))]
    dimensions = {n: v for n, v in pairs if isinstance(n, str) and isinstance(v, str)}
    measured = {"namespace": _get(metric, "Namespace"), "metric": _get(metric, "MetricName")}
    return {**dimensions, **{n: v for n, v in measured.items() if isinstance(v, str)}}


def _get(value: Any, name: str) -> Any:  # noqa: ANN401 - any JSON
    return value.get(name) if isinstance(value, dict) else None


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, list) else []
