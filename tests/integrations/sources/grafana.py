"""A request of Grafana 11, recorded and published by others, signed as Grafana signs.

Its resolving is the same with ``status`` and ``endsAt`` changed.
"""

import hashlib
import hmac
from datetime import UTC, datetime

from bot.contract import RawRequest

FIRING = rb"""{
  "receiver": "Debug webhook",
  "status": "firing",
  "alerts": [
    {
      "status": "firing",
      "labels": {"alertname": "Memory (copy)", "debug": "true", "grafana_folder": "device"},
      "annotations": {"summary": "High memory usage"},
      "startsAt": "2024-03-01T02:09:00Z",
      "endsAt": "0001-01-01T00:00:00Z",
      "generatorURL": "https://play.grafana.org/alerting/grafana/dd2f0260-3cfc-4c65-a4c4-f3f632c551f4/view?orgId=1",
      "fingerprint": "e6349a25f5ef0e9e",
      "silenceURL": "https://play.grafana.org/alerting/silence/new?alertmanager=grafana\u0026matcher=alertname%3DMemory+%28copy%29\u0026matcher=debug%3Dtrue\u0026matcher=grafana_folder%3Ddevice\u0026orgId=1",
      "dashboardURL": "https://play.grafana.org/d/ece9fb32-7f71-4be9-bd94-2f23608ae5b9?orgId=1",
      "panelURL": "https://play.grafana.org/d/ece9fb32-7f71-4be9-bd94-2f23608ae5b9?orgId=1\u0026viewPanel=2",
      "values": {"A": 2473545728, "B": 0, "C": 1, "minute": 9},
      "valueString": "[ var='A' labels={instance=node_exporter:9100, job=node} value=2.473545728e+09 ], [ var='B' labels={instance=node_exporter:9100, job=node} value=0 ], [ var='C' labels={} value=1 ], [ var='minute' labels={} value=9 ]",
      "imageURL": "https://grafana.com/assets/img/blog/mixed_styles.png"
    }
  ],
  "groupLabels": {"alertname": "Memory (copy)", "grafana_folder": "device"},
  "commonLabels": {"alertname": "Memory (copy)", "debug": "true", "grafana_folder": "device"},
  "commonAnnotations": {"summary": "High memory usage"},
  "externalURL": "https://play.grafana.org/",
  "version": "1",
  "groupKey": "{}/{debug=\"true\"}:{alertname=\"Memory (copy)\", grafana_folder=\"device\"}",
  "truncatedAlerts": 0,
  "orgId": 1,
  "title": "[FIRING:1] Memory (copy) device (true)",
  "state": "alerting",
  "message": "**Firing**\n\nValue: A=2.473545728e+09, B=0, C=1, minute=9\nLabels:\n - alertname = Memory (copy)\n - debug = true\n - grafana_folder = device\nAnnotations:\n - summary = High memory usage\n"
}"""
RESOLVED = FIRING.replace(b'"status": "firing"', b'"status": "resolved"').replace(
    b"0001-01-01T00:00:00Z", b"2024-03-01T02:19:00Z"
)
AT = datetime(2024, 3, 1, 2, 20, 0, tzinfo=UTC)


def sent(body: bytes, secret: str) -> RawRequest:
    at = str(int(AT.timestamp()))
    made = hmac.new(secret.encode(), f"{at}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {"x-grafana-alerting-signature": made, "x-grafana-alerting-timestamp": at}
    return RawRequest(headers, body, received_at=AT)
