"""What Amazon SNS posts to an HTTPS endpoint, into alerts: proven by a secret, a signature, a topic.

A subscription of an allowed topic is confirmed by AWS's own API, at the address that the topic's
region has. No address that a message brings is ever asked.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field, StringConstraints

from bot.contract import Alert, RawRequest, VendorForm
from bot.contract.aws_events import event_alerts
from bot.contract.source import (
    Loose,
    Text,
    alert,
    known,
    moment,
    parsed,
    parsed_json,
    require,
    shortened,
)
from bot.errors import AuthFailed, BadInput

from .alarm import alarm_alerts
from .signature import certificate_of, require_signed

SOURCE = "sns"
CONFIRM, REMOVED = "SubscriptionConfirmation", "UnsubscribeConfirmation"
_ARN = re.compile(
    r"arn:aws(?P<part>-[a-z-]+)?:sns:(?P<region>[a-z0-9-]{3,}):(?P<account>[0-9]{12})"
    r":(?P<topic>[A-Za-z0-9_-]{1,256}(\.fifo)?)"
)
_CONSOLES = {"": "console.aws.amazon.com", "-cn": "console.amazonaws.cn",
             "-us-gov": "console.amazonaws-us-gov.com"}  # fmt: skip
_LINE = 200  # characters of a text that has no subject


class SnsSource:
    """A subscription of the protocol HTTPS, without raw delivery."""

    def check(self, settings: Mapping[str, str]) -> None:
        """The topics are ARNs, each written out."""
        topics = _topics(settings)
        wrong = next((topic for topic in topics if not _ARN.fullmatch(topic)), None)
        if wrong is not None or not topics:
            text = f"{(wrong or '')[:100]!r} is not the ARN of a topic, arn:aws:sns:REGION:ACCOUNT:NAME"
            raise BadInput(text, field="topics")

    def needs(self, request: RawRequest, secrets: Sequence[str]) -> str:
        """The certificate that SNS serves, of a message that is from an allowed topic if it proves."""
        return certificate_of(self._allowed(request, secrets))

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """``token`` in the URL, a topic of the settings, and SNS's signature over the message."""
        message = self._allowed(request, secrets)
        document = request.documents.get(certificate_of(message), b"")
        require_signed(message, document, request.received_at)

    def parse(self, request: RawRequest) -> list[Alert]:
        """What was published; also that the subscription is gone, as nothing else would say it."""
        message = parsed(_Message, request.body)
        topic = _Topic(message.topic)
        if message.type_ == "Notification":
            return _published(message, topic)
        if message.type_ in (CONFIRM, REMOVED):
            return [_subscription(message, topic)]
        raise BadInput("Field Type: it is none that Jackline knows.", field="Type")

    def asks(self, request: RawRequest) -> VendorForm | None:
        """ConfirmSubscription, where the message asks for it."""
        message = parsed(_Message, request.body)
        if message.type_ != CONFIRM:
            return None
        form = {"Action": "ConfirmSubscription", "Version": "2010-03-31",
                "TopicArn": message.topic, "Token": message.token}  # fmt: skip
        return VendorForm(_Topic(message.topic).endpoint, form)

    def _allowed(self, request: RawRequest, secrets: Sequence[str]) -> dict[str, str]:
        hint = "Append ?token=SECRET to the endpoint of the subscription."
        require(known(request.query.get("token", ""), secrets), "SNS", hint)
        if request.headers.get("x-amz-sns-rawdelivery") == "true":
            raise AuthFailed(
                "SNS signs nothing that is delivered raw.",
                hint="Turn the subscription's raw message delivery off.",
            )
        topic = parsed(_Message, request.body).topic
        if topic not in _topics(request.settings):
            raise AuthFailed(
                f"The topic {topic[:300]} is not one of this source's.",
                hint="Name it in the catalog: settings.topics of the source.",
            )
        return {n: v for n, v in _object(request.body).items() if isinstance(v, str)}


# ── the message, as AWS documents it ─────────────────────────────────────────────────────────


class _Message(Loose):
    type_: Annotated[Text, StringConstraints(min_length=1)] = Field(alias="Type")
    topic: Annotated[Text, StringConstraints(min_length=1)] = Field(alias="TopicArn")
    message: Text = Field(alias="Message")
    timestamp: Text = Field(alias="Timestamp")
    subject: Text | None = Field(default=None, alias="Subject")
    token: Text = Field(default="", alias="Token")


class _Topic:
    """Where it was published, out of the topic's ARN."""

    def __init__(self, arn: str) -> None:
        found = _ARN.fullmatch(arn)
        if found is None:
            raise BadInput("Field TopicArn: it is not the ARN of a topic.", field="TopicArn")
        self.arn = arn
        self.partition = found["part"] or ""
        self.region = found["region"]
        self.labels = {n: found[n] for n in ("topic", "region", "account")}

    @property
    def endpoint(self) -> str:
        """SNS's own API in the topic's region."""
        return f"https://sns.{self.region}.amazonaws.com{'.cn' * (self.partition == '-cn')}/"

    @property
    def page(self) -> str:
        """The topic in the console."""
        if self.partition not in _CONSOLES:
            return ""
        home = f"https://{self.region}.{_CONSOLES[self.partition]}/sns/v3/home"
        return f"{home}?region={self.region}#/topic/{quote(self.arn, safe=':')}"


def _topics(settings: Mapping[str, str]) -> list[str]:
    return re.split(r"[\s,]+", settings.get("topics", "").strip(" ,\n"))


# ── what was published ───────────────────────────────────────────────────────────────────────


def _published(message: _Message, topic: _Topic) -> list[Alert]:
    """What looks like an alarm and cannot be read as one is told as it is: nothing is lost."""
    body = message.message.encode()
    fields = _object(body)
    with suppress(BadInput):
        if "AlarmName" in fields and "NewStateValue" in fields:
            return alarm_alerts(SOURCE, body, topic.labels)
        found = event_alerts(SOURCE, body) if "detail-type" in fields else None
        if found is not None:
            return found
    return [_told(message, topic, fields)]


def _told(message: _Message, topic: _Topic, fields: Mapping[str, Any]) -> Alert:
    """A text fires, and nothing says that it is over. The same subject is the same alert."""
    kind = fields.get("detail-type")
    line = next(iter(message.message.strip().splitlines()), "")
    name = message.subject or (kind if isinstance(kind, str) else "") or shortened(line, _LINE)
    return alert(
        SOURCE,
        fingerprint=f"{topic.arn} {name}",
        firing=True,
        name=name,
        starts_at=moment(message.timestamp, "Timestamp"),
        labels=topic.labels,
        annotations={"summary": name, "description": message.message},
        link=topic.page,
    )


def _subscription(message: _Message, topic: _Topic) -> Alert:
    """Somebody removed it, so silence means nothing from now on; a new one ends that."""
    at = moment(message.timestamp, "Timestamp")
    text = f"SNS does not send what is published to {topic.labels['topic']} any more"
    return alert(
        SOURCE,
        fingerprint=f"subscription {topic.arn}",
        firing=message.type_ == REMOVED,
        name="SnsSubscriptionRemoved",
        starts_at=at,
        ends_at=at,
        labels={"severity": "warning", **topic.labels},
        annotations={"summary": text},
        link=topic.page,
    )


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object that it is; else nothing."""
    found = None
    with suppress(BadInput):
        found = parsed_json(body)
    return found if isinstance(found, dict) else {}
