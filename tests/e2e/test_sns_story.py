"""moto's SNS publishes CloudWatch's alarm to Jackline's webhook, over HTTP.

moto signs as AWS documents, with a key of its own, whose certificate Jackline fetches from it over an
access path. Two things it does not do, which tests/web/test_vendors.py covers: it leaves the subject
out of what it signs, so nothing here has one, and it sends no SubscriptionConfirmation.
"""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from bot.contract import VendorForm
from integrations.sns.source import SnsSource
from tests.e2e.harness import Bot, write_runbooks
from tests.integrations.sources.sns import ALARM, OVER, message, sent
from tests.servers.authority import Authority
from tests.servers.aws_front import aws_front, scoped
from tests.servers.moto import REGION, moto

pytestmark = pytest.mark.server
SCOPE = f"{REGION}/sns"
HOST = f"sns.{REGION}.amazonaws.com"


async def test_an_alarm_becomes_an_incident(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic, a subscription to our webhook, an alarm and its end: one incident with both."""
    runbooks = write_runbooks(
        tmp_path / "runbooks", team="T0", edge="http://127.0.0.1:1", shop="http://127.0.0.1:1"
    )
    authority = Authority(tmp_path)
    with moto() as server:
        sns = server.client("sns")
        topic = sns.create_topic(Name="alarms")["TopicArn"]
        other = sns.create_topic(Name="others")["TopicArn"]
        async with aws_front(server.port, authority, HOST, SCOPE) as front:
            source = {"name": "alarms", "integration": "sns", "settings": {"topics": topic},
                      "via": ["aws"]}  # fmt: skip
            whole = {
                "sources": [source],
                "paths": [{"name": "direct"}, front.path],
                "rules": [{"match": {"topic": "alarms"}, "service": "shop", "severity": "sev2"}],
            }
            (runbooks / "catalog" / "sns.yaml").write_text(json.dumps(whole))
            extra = {"JACKLINE_WEBHOOKS__ALARMS__SECRETS": '["s3cret"]',
                     "SSL_CERT_FILE": str(authority.certificate)}  # fmt: skip
            async with Bot(tmp_path, runbooks, database_url, **extra) as bot:
                endpoint = f"{bot.url}/webhooks/alarms?token=s3cret"
                for arn in (topic, other):
                    sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=endpoint)
                await asyncio.to_thread(sns.publish, TopicArn=other, Message="not for us")
                await asyncio.to_thread(sns.publish, TopicArn=topic, Message=json.dumps(ALARM))
                received = await bot.row("alert_received")
                assert received["data"]["labels"]["topic"] == "alarms"
                await asyncio.to_thread(sns.publish, TopicArn=topic, Message=json.dumps(OVER))
                await bot.row("alert_resolved")
                incidents = await bot.api("/incidents")
                assert [(i["severity"], i["services"]) for i in incidents] == [("sev2", ["shop"])]
                assert (await bot.api("/alerts/count")) == {
                    "stored": 2, "firing": 0, "by_source": {"alarms": 2},
                }  # fmt: skip
                assert "s3cret" not in bot.log()
        assert set(front.hosts) == {f"{HOST}:443"}
        _confirmed(server.url, topic)


def _confirmed(url: str, topic: str) -> None:
    """The question that confirms a subscription is one that SNS's API takes, unsigned."""
    fields = message(
        "c", "SubscriptionConfirmation", TopicArn=topic, Token="2336", SubscribeURL="x"
    )
    question = SnsSource().asks(sent(json.dumps(fields).encode(), "s"))
    assert isinstance(question, VendorForm)
    headers = dict([scoped(SCOPE).split(": ")])
    answer = httpx.post(url, data=dict(question.fields), headers=headers)
    assert answer.status_code == 200, answer.text
    assert "<SubscriptionArn>" in answer.text
