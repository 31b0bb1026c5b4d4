"""Kubernetes events: what Kubernetes's own schema takes is read; what fires, and what really ends it."""

import json
from typing import Any

import kubernetes_validate
import pytest

from bot.contract import Alert, RawRequest
from bot.errors import BadInput
from integrations.kubernetes_events.reasons import ENDS
from integrations.kubernetes_events.source import KubernetesEventsSource
from tests.integrations.sources.kubernetes_events import FAILED, POD, SCHEDULED

SOURCE = KubernetesEventsSource()
NODE = {"kind": "Node", "name": "node-2", "uid": "node-2", "apiVersion": "v1"}
NEW: dict[str, Any] = {  # events.k8s.io/v1, as `kubectl get events.v1.events.k8s.io -o json` has it
    "apiVersion": "events.k8s.io/v1", "kind": "Event",
    "metadata": {"name": "checkout.17f2", "namespace": "shop",
                 "creationTimestamp": "2026-11-23T21:19:58Z"},
    "eventTime": "2026-11-23T21:19:58.632011Z",
    "series": {"count": 4, "lastObservedTime": "2026-11-23T21:29:58.100000Z"},
    "reportingController": "default-scheduler", "reportingInstance": "default-scheduler-node-1",
    "action": "Scheduling", "reason": "FailedScheduling", "type": "Warning",
    "note": "0/3 nodes are available: 3 Insufficient memory.",
    "regarding": {k: v for k, v in POD.items() if k != "labels"},
    "deprecatedSource": {}, "deprecatedFirstTimestamp": None, "deprecatedLastTimestamp": None,
}  # fmt: skip


def parse(event: dict[str, Any], **settings: str) -> list[Alert]:
    return SOURCE.parse(RawRequest({}, json.dumps(event).encode(), settings=settings))


def one(event: dict[str, Any], **settings: str) -> Alert:
    (alert,) = parse(event, **settings)
    return alert


def of_pod(reason: str, container: str = "", type_: str = "Warning", **more: Any) -> dict[str, Any]:
    path = {"fieldPath": f"spec.containers{{{container}}}"} if container else {}
    return FAILED | {"reason": reason, "type": type_, "involvedObject": POD | path} | more


def of_node(reason: str, type_: str = "Normal", **more: Any) -> dict[str, Any]:
    return FAILED | {"reason": reason, "type": type_, "involvedObject": NODE} | more


def plain(event: dict[str, Any]) -> dict[str, Any]:
    """The exporter's own fields taken out, and the type that it leaves out put in."""
    found = {k: v for k, v in event.items() if k != "clusterName"}
    reference = {k: v for k, v in event["involvedObject"].items() if k != "labels"}
    return found | {"involvedObject": reference, "apiVersion": "v1", "kind": "Event"}


@pytest.mark.parametrize("event", [plain(FAILED), plain(SCHEDULED), NEW])
def test_what_is_tested_here_is_kubernetes_own(event: dict[str, Any]) -> None:
    """The samples are valid by the schemas made of Kubernetes's OpenAPI."""
    kubernetes_validate.validate(event, kubernetes_validate.latest_version(), strict=True)
    assert parse(event)


def test_the_fields() -> None:
    alert = one(FAILED, link="https://h.example.com/$cluster/$namespace/$kind/$name?r=$reason")
    assert (alert.status, alert.name) == ("firing", "FailedScheduling")
    assert alert.labels == {
        "severity": "warning", "namespace": "shop", "kind": "Pod", "cluster": "eu1",
        "name": "checkout-7d4b9c6f5-x2x8p", "reason": "FailedScheduling", "app": "checkout",
        "app.kubernetes.io/name": "checkout", "pod-template-hash": "7d4b9c6f5",
    }  # fmt: skip
    assert alert.summary == (
        "Pod shop/checkout-7d4b9c6f5-x2x8p: FailedScheduling: "
        "0/3 nodes are available: 3 Insufficient memory."
    )
    assert alert.annotations["count"] == "1"
    assert alert.link == (
        "https://h.example.com/eu1/shop/Pod/checkout-7d4b9c6f5-x2x8p?r=FailedScheduling"
    )


def test_both_versions_are_one_alert() -> None:
    """Whichever version of the API the exporter asks, the identity is the same."""
    old, new = one(FAILED), one(NEW, cluster="eu1")
    assert old.fingerprint == new.fingerprint
    assert new.annotations["count"] == "4"
    assert (new.summary, new.labels["cluster"]) == (old.summary, "eu1")


def test_a_repeat_is_the_same_alert() -> None:
    """Where nothing ends it, it is stored once; where something does, it may have been over."""
    again = {"count": 7, "lastTimestamp": "2026-11-23T22:10:00Z"}
    for reason, same in (("BackOff", True), ("FailedMount", False)):
        first, later = one(of_pod(reason)), one(of_pod(reason, **again))
        assert first.fingerprint == later.fingerprint
        assert (first.starts_at == later.starts_at) is same


def test_a_node_that_is_not_ready() -> None:
    """Kubernetes says Normal of it; its pods, which it warns of one by one, are not told again."""
    down = one(of_node("NodeNotReady"))
    assert (down.labels["severity"], down.labels["node"]) == ("error", "node-2")
    assert parse(of_pod("NodeNotReady")) == []
    up = one(of_node("NodeReady"))
    assert (up.status, up.fingerprint) == ("resolved", down.fingerprint)
    assert up.summary.startswith("Node node-2: NodeReady")


def test_what_a_started_container_ends() -> None:
    """Its own failure and its pod's, not another container's, and no crash loop."""
    ended = {a.fingerprint for a in parse(of_pod("Started", "app", "Normal"))}
    for reason, container, over in (
        ("Failed", "app", True), ("Failed", "sidecar", False), ("FailedMount", "", True),
        ("BackOff", "app", False), ("Unhealthy", "app", False),
    ):  # fmt: skip
        assert (one(of_pod(reason, container)).fingerprint in ended) is over, (reason, container)


def test_every_end_is_of_something_that_fires() -> None:
    for end, reasons in ENDS.items():
        found = {a.name: a for a in parse(of_node(end))}
        assert found.keys() == set(reasons)
        assert {a.status for a in found.values()} == {"resolved"}


def test_normal_life_is_no_alert() -> None:
    for reason in ("Pulled", "Created", "Killing", "ScalingReplicaSet", "Sync"):
        assert parse(of_pod(reason, type_="Normal")) == []


def test_the_tables_can_be_changed() -> None:
    """By reason, or by kind and reason; `none` takes one out, and an end can be added."""
    settings = {
        "severities": "BackOff=critical, Pod/Unhealthy=none, Preempting=error",
        "ends": "Healthy>Unwell",
    }
    SOURCE.check(settings)
    assert one(of_pod("BackOff"), **settings).labels["severity"] == "critical"
    assert parse(of_pod("Unhealthy"), **settings) == []
    assert one(of_pod("Preempting", type_="Normal"), **settings).labels["severity"] == "error"
    assert one(of_pod("Healthy", type_="Normal"), **settings).name == "Unwell"


def test_where_it_ran() -> None:
    """The kubelet says its node in one of two places."""
    assert one(of_pod("BackOff", source={"host": "node-7"})).labels["node"] == "node-7"
    told = {"reportingComponent": "kubelet", "reportingInstance": "node-8", "source": {}}
    assert one(of_pod("BackOff", **told)).labels["node"] == "node-8"
    assert one(of_pod("BackOff", "app")).labels["container"] == "app"


def test_an_event_without_a_time() -> None:
    """Go writes its zero for one that is not set; then the time it was made counts."""
    none = {"firstTimestamp": "0001-01-01T00:00:00Z", "lastTimestamp": None, "eventTime": None}
    assert one(FAILED | none).starts_at.isoformat() == "2026-11-23T21:19:58+00:00"
    assert one(FAILED | none | {"metadata": {}}).starts_at.utcoffset() is not None


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"reason": "x"}, "involvedObject"),
        (FAILED | {"reason": ""}, "reason"),
        (FAILED | {"involvedObject": {"kind": "Pod"}}, "involvedObject.name"),
        (FAILED | {"firstTimestamp": "soon"}, "firstTimestamp"),
    ],
)
def test_what_is_refused(event: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(event)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"severities": "BackOff=page"},
            "'page' is not one of critical, error, warning, info, none",
        ),
        ({"severities": "BackOff"}, "'BackOff' is not written as Reason=…"),
        ({"ends": "Started=Failed"}, "is not written as Reason>…"),
        ({"link": "https://x/$pod"}, "$cluster, $namespace, $kind, $name, $reason"),
    ],
)
def test_a_wrong_setting(settings: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        SOURCE.check(settings)
    assert refused.value.field in settings
    assert said in refused.value.message
