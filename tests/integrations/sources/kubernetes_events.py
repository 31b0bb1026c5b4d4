"""Events of one pod as kubernetes-event-exporter posts them: core/v1 with two fields of its own.

An Event is never of a failure and of its end at once: the end is another one, of another reason.
"""

import json
from typing import Any

from bot.contract import RawRequest

SETTINGS = {
    "link": "https://headlamp.example.com/c/$cluster/$namespace/$kind/$name",
    "severities": "FailedScheduling=error, Unhealthy=none",
    "ends": "Pulled>ErrImageNeverPull",
}
POD: dict[str, Any] = {
    "kind": "Pod", "namespace": "shop", "name": "checkout-7d4b9c6f5-x2x8p",
    "uid": "5d6f0e3a-9d39-4c3c-8f6a-0a52b0f6d2a1", "apiVersion": "v1", "resourceVersion": "81234",
    "labels": {"app.kubernetes.io/name": "checkout", "pod-template-hash": "7d4b9c6f5"},
}  # fmt: skip
FAILED: dict[str, Any] = {
    "metadata": {
        "name": "checkout-7d4b9c6f5-x2x8p.17f2b6a0c9d1e5f3", "namespace": "shop",
        "uid": "0c2b5a4e-6a1e-4f0c-9f5b-3b5e0d3a7c11", "resourceVersion": "81240",
        "creationTimestamp": "2026-11-23T21:19:58Z",
    },
    "reason": "FailedScheduling",
    "message": "0/3 nodes are available: 3 Insufficient memory.",
    "source": {"component": "default-scheduler"},
    "firstTimestamp": "2026-11-23T21:19:58Z", "lastTimestamp": "2026-11-23T21:19:58Z", "count": 1,
    "type": "Warning", "eventTime": None, "reportingComponent": "default-scheduler",
    "reportingInstance": "", "clusterName": "eu1", "involvedObject": POD,
}  # fmt: skip
SCHEDULED = FAILED | {
    "reason": "Scheduled", "type": "Normal",
    "message": "Successfully assigned shop/checkout-7d4b9c6f5-x2x8p to node-2",
    "firstTimestamp": None, "lastTimestamp": None, "count": 0,
    "eventTime": "2026-11-23T21:24:58.632011Z", "action": "Binding",
    "reportingInstance": "default-scheduler-node-1",
}  # fmt: skip
FIRING = json.dumps(FAILED).encode()
RESOLVED = json.dumps(SCHEDULED).encode()


def sent(body: bytes, secret: str) -> RawRequest:
    return RawRequest({"authorization": f"Bearer {secret}"}, body)
