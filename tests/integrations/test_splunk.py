"""Splunk: where its secret may stand, what tells its alerts apart, and when they began."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.alerts.rules import decide
from bot.catalog import Catalog
from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput
from integrations.splunk.source import SplunkSource
from tests.integrations.sources.splunk import FIRING

SOURCE = SplunkSource()
ARRIVED = datetime(2026, 11, 26, 12, tzinfo=UTC)
# The example of Splunk's documentation.
DOCUMENTED = {
    "result": {"sourcetype": "mongod", "count": "8"},
    "sid": "scheduler_admin_search_W2_at_14232356_132",
    "results_link": "http://web.example.local:8000/app/search/@go?sid=scheduler_admin_search_W2_at_14232356_132",
    "search_name": None,
    "owner": "admin",
    "app": "search",
}
# Recorded in 2026, names changed.
SCHEDULED = {
    "sid": "scheduler_dXNlckBleGFtcGxlLmNvbQ__search__RMD5889505bb58ab6026_at_1781322120_376",
    "search_name": "checkout-service error rate > 5%",
    "app": "search",
    "owner": "user@example.com",
    "results_link": "http://splunk:8000/app/search/@go?sid=scheduler_dXNl",
    "result": {"err": "18.033"},
}


def parse(payload: Any, **settings: str) -> Alert:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    (alert,) = SOURCE.parse(RawRequest({}, body, settings=settings, received_at=ARRIVED))
    return alert


def test_the_recorded_alert() -> None:
    """A real-time search's beginning is its event's; what Splunk adds for itself is left out."""
    alert = parse(FIRING)
    assert (alert.status, alert.name) == ("firing", "sudo")
    assert alert.starts_at == datetime(2017, 1, 4, 19, 14, 32, tzinfo=UTC)
    assert alert.labels == {
        "search_name": "sudo", "app": "search", "owner": "admin", "origin": "/var/log/auth.log",
        "host": "myserver", "index": "main", "process": "sudo", "sourcetype": "syslog",
    }  # fmt: skip
    assert alert.annotations["description"].endswith("session closed for user root")
    assert alert.link.startswith("http://example.com:8000/app/search/search?q=%7Cloadjob")


def test_a_scheduled_search_begins_with_its_run() -> None:
    """Each run that finds something is another firing of the same alert."""
    alert = parse(SCHEDULED)
    assert alert.starts_at == datetime(2026, 6, 13, 3, 42, tzinfo=UTC)
    later = parse(SCHEDULED | {"sid": SCHEDULED["sid"].replace("1781322120", "1781322420")})  # type: ignore[attr-defined]
    assert later.fingerprint == alert.fingerprint
    assert later.starts_at > alert.starts_at


def test_the_documented_example_has_no_name() -> None:
    """What its search id says before the time is as stable."""
    alert = parse(DOCUMENTED)
    assert alert.name == "scheduler_admin_search_W2"
    again = parse(DOCUMENTED | {"sid": "scheduler_admin_search_W2_at_14232999_7"})
    assert again.fingerprint == alert.fingerprint


@pytest.mark.parametrize(
    "sid", ["1467139140.22", None, 7, "rt_scheduler__admin__search__x_at_9_1.2"]
)
def test_without_a_time_it_begins_when_it_arrives(sid: Any) -> None:
    assert parse(SCHEDULED | {"sid": sid}).starts_at == ARRIVED


def test_searches_are_told_apart_by_owner_app_and_name() -> None:
    """And not by letters that run into each other."""
    prints = {
        parse(SCHEDULED | fields).fingerprint
        for fields in ({}, {"owner": "b"}, {"app": "b"}, {"search_name": "b"}, {"owner": None},
                       {"owner": "a", "app": "b,c"}, {"owner": "a,b", "app": "c"})
    }  # fmt: skip
    assert len(prints) == 7


def test_results_are_told_apart_by_the_fields_of_the_setting() -> None:
    """Without it each row of a search is the same alert."""
    rows = [{"host": "a", "n": "1"}, {"host": "b", "n": "1"}, {"host": "a", "n": "2"}]
    alike = {parse(SCHEDULED | {"result": row}).fingerprint for row in rows}
    by_host = {parse(SCHEDULED | {"result": row}, by=" host ,x").fingerprint for row in rows}
    assert (len(alike), len(by_host)) == (1, 2)
    with pytest.raises(BadInput) as caught:
        SOURCE.check({"by": " , "})
    assert caught.value.field == "by"


@pytest.mark.parametrize(
    ("result", "severity"),
    [({"severity": "Critical"}, "sev1"), ({"severity": "informational"}, "sev4"),
     ({"urgency": "medium"}, "sev3"), ({"severity": "fatal", "urgency": "low"}, "sev1"),
     ({"severity": "warn"}, "sev3"), ({}, "sev2"), ({"severity": ["high"]}, "sev2")],
)  # fmt: skip
def test_the_search_says_the_severity(result: dict[str, Any], severity: str) -> None:
    alert = parse(SCHEDULED | {"result": result})
    assert decide(Catalog(), alert.name, alert.labels, "splunk").severity == severity


def test_the_search_says_the_rest_too() -> None:
    result = {
        "summary": "it hurts",
        "description": "much",
        "service": "shop",
        "app": "mine",
        "many": ["a", "b"],
    }
    alert = parse(SCHEDULED | {"result": result})
    assert (alert.summary, alert.annotations["description"]) == ("it hurts", "much")
    assert (alert.labels["service"], alert.labels["many"]) == ("shop", "a, b")
    assert alert.labels["app"] == "search"


def test_the_secret_stands_in_the_url_or_in_a_header() -> None:
    """Some apps can set a header; Splunk's own action cannot."""
    for request in (
        RawRequest({}, FIRING, {"token": "s3cret"}),
        RawRequest({"authorization": "Bearer s3cret"}, FIRING),
        RawRequest({"authorization": "Bearer s3cret"}, FIRING, {"token": "wrong"}),
    ):
        SOURCE.authenticate(request, ["older", "s3cret"])
    for query in ({"token": "wrong"}, {"token": ""}, {"secret": "s3cret"}, {}):
        with pytest.raises(AuthFailed):
            SOURCE.authenticate(RawRequest({}, FIRING, query), ["s3cret", ""])


@pytest.mark.parametrize(
    ("payload", "field"),
    [({}, "search_name"), ({"sid": "1467139140.22"}, "search_name"), (b"[]", "$"),
     (SCHEDULED | {"search_name": ["x"]}, "search_name"), (SCHEDULED | {"owner": 1}, "owner")],
)  # fmt: skip
def test_a_bad_field_is_named_by_its_path(payload: Any, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(payload)
    assert caught.value.field == field


def test_a_time_that_is_none_loses_no_alert() -> None:
    """A search may format its ``_time`` as it likes."""
    for value in ("Thu 26 Nov, noon", "", [1], None, "99999999999999999999"):
        assert parse(SCHEDULED | {"sid": "7.1", "result": {"_time": value}}).starts_at == ARRIVED


def test_what_is_optional_may_be_anything() -> None:
    odd: tuple[Any, ...] = (None, [], "x", {"_time": [1], "": "y", "o": {"a": 1}})
    for result in odd:
        assert parse(SCHEDULED | {"result": result, "results_link": 7, "sid": {}}).link == ""
