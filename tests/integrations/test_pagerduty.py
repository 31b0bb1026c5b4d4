"""PagerDuty: several signatures, incidents that reopen, priorities, and what says nothing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.alerts.rules import decide
from bot.catalog import Catalog
from bot.chat.outside.paged import thread_of
from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput
from bot.paging.tables import Page
from integrations.pagerduty.source import PagerDutySource
from tests.integrations.sources.pagerduty import FIRING, RESOLVED, signature

SOURCE = PagerDutySource()
# Recorded in 2026 and published by another project; shortened to what is read.
REOPENED = json.loads(
    '{"event":{"id":"01GI0KHLHVH4YZ44BJY1VLT6F2","event_type":"incident.reopened","resource_type":'
    '"incident","occurred_at":"2026-04-01T02:15:02.274Z","client":null,"data":{"id":'
    '"Q05XJA8GDXGOB3","type":"incident","html_url":'
    '"https://acme.pagerduty.com/incidents/Q05XJA8GDXGOB3","number":4,"status":"triggered",'
    '"incident_key":"07261e18031d41268a16c774c1892cae","created_at":"2026-03-30T13:37:07Z",'
    '"reopened_at":"2026-04-01T02:15:01Z","title":"Test Incident 2","service":{"id":"PLVTM9H",'
    '"type":"service_reference","summary":"Default Service"},"assignees":[],"teams":[],"priority":'
    '{"id":"PGPAA68","type":"priority_reference","summary":"P3"},"urgency":"low",'
    '"conference_bridge":null,"resolve_reason":null,"incident_type":{"name":"security_default"}}}}'
)
# Recorded in 2021, before there was a created_at.
OLDER = json.loads(
    '{"event":{"id":"01BZYIL05THJDFF2Y08X9SVMTU","event_type":"incident.triggered","resource_type":'
    '"incident","occurred_at":"2021-06-04T13:35:29.781Z","client":null,"data":{"id":"PFQZPSY",'
    '"type":"incident","html_url":"https://acme.pagerduty.com/incidents/PFQZPSY","number":9,'
    '"status":"triggered","title":"Test Incident 3","service":{"id":"PA2P440","type":'
    '"service_reference","summary":"acme"},"assignees":[],"teams":[],"priority":null,"urgency":'
    '"high","conference_bridge":null,"resolve_reason":null}}}'
)
PAGE = Page(id=3, opened_at=datetime(2026, 3, 1, tzinfo=UTC))


def parse(payload: Any) -> list[Alert]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return SOURCE.parse(RawRequest({}, body))


def changed(payload: Any = None, event: dict[str, Any] | None = None, **data: Any) -> Any:
    """The documented event with some of its fields replaced."""
    tree = json.loads(json.dumps(payload) if payload else FIRING)
    tree["event"] |= event or {}
    tree["event"]["data"] |= data
    return tree


def test_the_documented_incident() -> None:
    (alert,) = parse(FIRING)
    assert (alert.fingerprint, alert.name) == ("PGR0VU2", "A little bump in the road")
    assert alert.labels == {
        "severity": "critical", "service": "API Service", "priority": "P1", "urgency": "high",
        "team": "Engineering", "escalation_policy": "Default", "number": "2",
        "incident_key": "d3640fbd41094207a1c11e58e46b1662",
    }  # fmt: skip
    assert alert.starts_at == datetime(2020, 4, 9, 15, 16, 27, tzinfo=UTC)
    assert alert.link == "https://acme.pagerduty.com/incidents/PGR0VU2"
    (over,) = parse(RESOLVED)
    assert over.ends_at == datetime(2020, 10, 2, 18, 45, 22, 169000, tzinfo=UTC)


def test_one_of_several_signatures_is_enough() -> None:
    """While PagerDuty rotates a secret it signs with each; unknown versions are passed over."""
    good, other = signature(FIRING, "ours"), signature(FIRING, "theirs")
    for header in (good, f"{other},{good}", f"{good}, {other}", f"v2=abc,{other} , {good}"):
        SOURCE.authenticate(
            RawRequest({"x-pagerduty-signature": header}, FIRING), ["older", "ours"]
        )


@pytest.mark.parametrize("header", ["", "v1=", ",", "v1=,v1=", "v1=\u00e9", "v2={}", "{}", "V1={}"])
def test_anything_else_proves_nothing(header: str) -> None:
    digest = signature(FIRING, "ours").removeprefix("v1=")
    request = RawRequest({"x-pagerduty-signature": header.format(digest)}, FIRING)
    with pytest.raises(AuthFailed):
        SOURCE.authenticate(request, ["ours"])


def test_the_signature_is_of_every_byte() -> None:
    """One blank more, and it is another body."""
    request = RawRequest({"x-pagerduty-signature": signature(FIRING, "ours")}, FIRING + b" ")
    with pytest.raises(AuthFailed):
        SOURCE.authenticate(request, ["ours"])


def test_what_is_opened_again_fires_again_and_ends_again() -> None:
    """With another identity than the first time, or the second end would be a repeat."""
    (again,) = parse(REOPENED)
    assert (again.status, again.fingerprint) == ("firing", "Q05XJA8GDXGOB3")
    assert again.starts_at == datetime(2026, 4, 1, 2, 15, 1, tzinfo=UTC)
    ending = {"event_type": "incident.resolved", "occurred_at": "2026-04-01T03:00:00Z"}
    (first,) = parse(changed(REOPENED, ending, reopened_at=None))
    (second,) = parse(changed(REOPENED, ending))
    assert (first.fingerprint, first.status) == (second.fingerprint, second.status)
    assert first.starts_at < second.starts_at == again.starts_at


def test_a_new_priority_is_heard() -> None:
    """It is no repeat of the trigger; on an incident that is over it says nothing."""
    event = {"event_type": "incident.priority_updated"}
    (alert,) = parse(changed(event=event))
    assert alert.status == "firing"
    assert alert.starts_at == datetime(2020, 10, 2, 18, 45, 22, 169000, tzinfo=UTC)
    assert parse(changed(event=event, status="resolved")) == []


@pytest.mark.parametrize(
    ("priority", "urgency", "severity"),
    [("P1", "high", "sev1"), ("P2", "high", "sev2"), ("P3", "low", "sev3"), ("P5", "high", "sev4"),
     ("SEV-1", "low", "sev1"), ("sev3", "high", "sev3"), ("Critical", "low", "sev1"),
     ("Rather bad", "high", "sev2"), ("Rather bad", "low", "sev4"), (None, "high", "sev2"),
     (None, "low", "sev4"), (None, None, "sev2")],
)  # fmt: skip
def test_the_priority_decides_and_else_the_urgency(
    priority: str | None, urgency: str | None, severity: str
) -> None:
    """Each comes out as a word that the rules know."""
    named = {"summary": priority} if priority else None
    (alert,) = parse(changed(priority=named, urgency=urgency))
    assert decide(Catalog(), alert.name, alert.labels, "pagerduty").severity == severity


def test_an_older_payload_begins_with_its_event() -> None:
    (alert,) = parse(OLDER)
    assert alert.starts_at == datetime(2021, 6, 4, 13, 35, 29, 781000, tzinfo=UTC)
    assert alert.labels["severity"] == "high"


@pytest.mark.parametrize(
    "event",
    [{"event_type": "incident.acknowledged"}, {"event_type": "incident.unacknowledged"},
     {"event_type": "incident.escalated"}, {"event_type": "incident.annotated"},
     {"event_type": "service.updated"}, {"event_type": "incident.of_next_year"},
     {"event_type": "pagey.ping", "data": {"message": "Hello from your friend Pagey!", "type": "ping"}}],
)  # fmt: skip
def test_what_says_nothing_gives_no_alert(event: dict[str, Any]) -> None:
    tree = json.loads(FIRING)
    tree["event"] |= event
    assert parse(tree) == []


@pytest.mark.parametrize("event", ["incident.triggered", "incident.resolved"])
def test_what_we_paged_is_no_alert(event: str) -> None:
    """It would open an incident, which pages, which comes back: for ever. Other keys are others'."""
    assert parse(changed(event={"event_type": event}, incident_key=thread_of(PAGE))) == []
    for key in ("jackline-is-down", "", None, 7):
        assert len(parse(changed(event={"event_type": event}, incident_key=key))) == 1


@pytest.mark.parametrize(
    ("payload", "field"),
    [(b"{}", "event"), (b'{"event":{}}', "event.event_type"),
     (b'{"messages":[{"event":"incident.trigger"}]}', "event"),
     (changed(id=""), "event.data.id"), (changed(id=7), "event.data.id"),
     (changed(id="a\x00b"), "event.data.id"),
     ({"event": {"event_type": "incident.triggered",
       "occurred_at": "2020-10-02T18:45:22Z"}}, "event.data"),
     (changed(event={"occurred_at": "today"}), "event.occurred_at"),
     (changed(created_at="yesterday"), "event.data.created_at")],
)  # fmt: skip
def test_a_bad_field_is_named_by_its_path(payload: Any, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(payload)
    assert caught.value.field == field


def test_what_is_optional_may_be_anything() -> None:
    """A change at PagerDuty's must not lose an alert."""
    odd: dict[str, Any] = {
        key: [1] for key in ("service", "priority", "urgency", "html_url", "title", "number")
    }
    (alert,) = parse(changed(teams=[None, {"summary": 3}], incident_type="x", **odd))
    assert alert.name == "PagerDuty incident PGR0VU2"
    assert (alert.labels["severity"], alert.link) == ("high", "")
