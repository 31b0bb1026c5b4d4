"""The README's template, filled with the values of the example in Elastic's documentation."""

import base64
import json
import re
import textwrap
from pathlib import Path

from bot.contract import RawRequest

README = Path(__file__).parents[3] / "integrations/elastic/README.md"
TEMPLATE = textwrap.dedent(README.read_text().split("```json\n")[1].split("```")[0])
VALUES = {
    "rule.id": "b530fed0-74f5-11ed-9801-35303b735aef",
    "rule.name": "esq",
    "rule.type": ".es-query",
    "rule.spaceId": "default",
    "rule.tags": "env:prod,vip",
    "rule.url": "https://kibana.example.com/app/management/insightsAndAlerting/triggersActions/rule/b530fed0-74f5-11ed-9801-35303b735aef",
    "alert.id": "host-2",
    "alert.uuid": "1f1e6f5c-1d7f-4d0c-9a4c-2b7c6a2e3b11",
    "alert.actionGroup": "query matched",
    "alert.actionGroupName": "Query matched",
    "alert.flapping": "false",
    "date": "2023-04-27T22:40:34.153Z",
    "context.title": "rule 'esq' matched query for group host-2",
    "context.conditions": 'Number of matching documents for group "host-2" is less than 1000',
    "context.link": "https://example.com/this-will-link-to-Discover",
}
OVER = {
    "alert.actionGroup": "recovered",
    "alert.actionGroupName": "Recovered",
    "date": "2023-04-27T22:55:34.202Z",
    "context.title": "rule 'esq' recovered",
}


def filled(values: dict[str, str]) -> bytes:
    """As Kibana fills a webhook's body: what is unknown is empty, what JSON forbids is escaped."""

    def value(match: re.Match[str]) -> str:
        return json.dumps(values.get(match[1], ""))[1:-1]

    return re.sub(r"\{\{([\w.]+)\}\}", value, TEMPLATE).encode()


FIRING = filled(VALUES)
RESOLVED = filled(VALUES | OVER)


def sent(body: bytes, secret: str) -> RawRequest:
    basic = base64.b64encode(f"kibana:{secret}".encode()).decode()
    return RawRequest({"authorization": f"Basic {basic}"}, body)
