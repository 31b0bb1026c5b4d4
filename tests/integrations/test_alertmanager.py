"""Alertmanager's webhook: the real payload, what is refused, and that garbage is only refused."""

import base64
import contextlib
import json
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contract import Alert, AlertSource, RawRequest
from bot.contract.source import MAX_ANNOTATION
from bot.errors import AuthFailed, BadInput
from integrations.alertmanager.source import AlertmanagerSource
from tests.integrations.bodies import with_value
from tests.integrations.sources.alertmanager import FIRING
from tests.servers.alertmanager import alertmanager
from tests.servers.ask import ask
from tests.servers.http_app import http_app

SOURCE = AlertmanagerSource()
changed = partial(with_value, FIRING)


def request(body: bytes = b"", authorization: str | None = None) -> RawRequest:
    headers = {} if authorization is None else {"authorization": authorization}
    return RawRequest(headers, body)


def parse(body: bytes) -> list[Alert]:
    return SOURCE.parse(request(body))


def test_it_is_an_alert_source() -> None:
    """By the protocol, not by a base class."""
    assert isinstance(SOURCE, AlertSource)


def test_the_real_payload() -> None:
    """Identity, times and link of a request that Alertmanager really sent."""
    (alert,) = parse(FIRING)

    assert alert.fingerprint == "468b1d51ea167ee1"
    assert (alert.source, alert.status, alert.name) == ("alertmanager", "firing", "TargetDown")
    assert alert.labels["service"] == "checkout"
    assert alert.summary == "127.0.0.1:19099 is down"
    assert alert.starts_at == datetime(2026, 11, 23, 21, 19, 58, 632000, tzinfo=UTC)
    assert alert.ends_at is None
    assert alert.link.endswith("%3D%3D+0&g0.tab=1")


@pytest.mark.server
def test_a_real_alertmanager() -> None:
    """Firing and resolved as the server sends them, with the secret as users configure it."""
    with (
        http_app("bot") as bot,
        alertmanager(webhook_url=f"{bot.url}/webhooks/alertmanager", token="s3cret") as server,
    ):
        labels = {"alertname": "Down", "service": "checkout"}
        server.post(labels, summary="it is down")
        bot.wait_for("/webhooks/alertmanager")
        server.post(labels, resolved=True)
        sent = bot.wait_for("/webhooks/alertmanager", count=2)

    got = [RawRequest(r.headers, r.body.encode()) for r in sent]
    for raw in got:
        SOURCE.authenticate(raw, ["older", "s3cret"])
    firing, resolved = (SOURCE.parse(raw)[0] for raw in (got[0], got[-1]))
    assert (firing.status, firing.summary, firing.ends_at) == ("firing", "it is down", None)
    assert (resolved.status, resolved.fingerprint) == ("resolved", firing.fingerprint)
    assert resolved.ends_at is not None
    assert resolved.ends_at > firing.starts_at


@pytest.mark.server
def test_a_real_one_tells_anew_what_it_ended_too_early() -> None:
    """With the start that it had: `keeps_start`, or it would be taken for a repeat of what ended."""
    began = datetime.now(UTC) - timedelta(minutes=5)

    def told(holds: timedelta) -> dict[str, Any]:
        """As Prometheus tells it: it holds until then, unless it is told again."""
        ends = (datetime.now(UTC) + holds).isoformat()
        return {"labels": {"alertname": "Down"}, "startsAt": began.isoformat(), "endsAt": ends}

    with (
        http_app("bot") as bot,
        alertmanager(webhook_url=f"{bot.url}/webhooks/alertmanager") as server,
    ):
        for count, holds in ((2, timedelta(seconds=2)), (3, timedelta(hours=1))):
            assert ask("POST", f"{server.url}/api/v2/alerts", data=[told(holds)]).status == 200
            sent = bot.wait_for("/webhooks/alertmanager", count=count)
    alerts = [parse(raw.body.encode())[0] for raw in sent]
    assert [alert.status for alert in alerts] == ["firing", "resolved", "firing"]
    assert len({(alert.fingerprint, alert.starts_at) for alert in alerts}) == 1
    assert all(alert.keeps_start for alert in alerts)


@pytest.mark.server
def test_what_lokis_ruler_gives_to_a_real_alertmanager() -> None:
    """No instance and no job in its labels, and a link to Grafana's Explore instead of Prometheus."""
    query = quote('{"queries":[{"expr":"sum(rate({app=\\"shop\\"} |= \\"error\\" [1m])) > 5",'
                  '"queryType":"range"}]}')  # fmt: skip
    alert = {
        "labels": {"alertname": "ShopErrors", "app": "shop", "severity": "warning"},
        "annotations": {"summary": "errors in the shop's log"},
        "generatorURL": f"https://grafana.example.com/explore?left={query}",
        "startsAt": datetime.now(UTC).isoformat(),
    }
    with (
        http_app("bot") as bot,
        alertmanager(webhook_url=f"{bot.url}/webhooks/alertmanager") as server,
    ):
        assert ask("POST", f"{server.url}/api/v2/alerts", data=[alert]).status == 200
        (sent, *_) = bot.wait_for("/webhooks/alertmanager")
    (read,) = parse(sent.body.encode())
    assert (read.name, read.labels["app"]) == ("ShopErrors", "shop")
    assert read.link == alert["generatorURL"]


@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_what_mimirs_alertmanager_sends(status: str) -> None:
    """Alertmanager's own code in another server: the same payload, with Mimir's addresses and tenant.

    Also where a newer version has fields more, and where its ruler knows no address of its own.
    """
    payload = json.loads(FIRING)
    payload |= {"externalURL": "https://mimir.example.com/alertmanager", "status": status,
                "notificationReason": "new"}  # fmt: skip
    payload["alerts"][0] |= {"generatorURL": "/graph?g0.expr=up&g0.tab=1", "status": status}
    payload["alerts"][0]["labels"]["__tenant_id__"] = "team-a"
    (alert,) = parse(json.dumps(payload).encode())
    assert (alert.status, alert.name, alert.link) == (status, "TargetDown", "")
    assert alert.labels["__tenant_id__"] == "team-a"


def test_resolved_keeps_the_fingerprint_and_has_an_end() -> None:
    """So that the resolving finds the incident of the firing; times come out in UTC."""
    payload = json.loads(FIRING)
    payload["alerts"][0] |= {"status": "resolved", "endsAt": "2026-11-23T23:30:00.123456789+02:00"}
    (alert,) = parse(json.dumps(payload).encode())

    assert alert.status == "resolved"
    assert alert.fingerprint == "468b1d51ea167ee1"
    assert alert.ends_at == datetime(2026, 11, 23, 21, 30, 0, 123457, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "$"),
        (b"[1]", "$"),
        (b"\xff\xfe", "$"),
        (b"[" * 100_000, "$"),
        (changed("version", to="3"), "version"),
        (changed("version", to=4), "version"),
        (changed("version", to=...), "version"),
        (changed("alerts", to=...), "alerts"),
        (changed("alerts", to={}), "alerts"),
        (changed("alerts", 0, "status", to="flapping"), "alerts[0].status"),
        (changed("alerts", 0, "startsAt", to="yesterday"), "alerts[0].startsAt"),
        (changed("alerts", 0, "startsAt", to=0), "alerts[0].startsAt"),
        (changed("alerts", 0, "startsAt", to="2026-11-23T21:19:58"), "alerts[0].startsAt"),
        (changed("alerts", 0, "startsAt", to="0001-01-01T00:00:00Z"), "alerts[0].startsAt"),
        (changed("alerts", 0, "endsAt", to="9999-12-31T23:59:59-05:00"), "alerts[0].endsAt"),
        (changed("alerts", 0, "labels", "job", to=1), "alerts[0].labels.job"),
        (changed("alerts", 0, "fingerprint", to=""), "alerts[0].fingerprint"),
        (changed("alerts", 0, "fingerprint", to=...), "alerts[0].fingerprint"),
    ],
)
def test_a_bad_field_is_named_by_its_path(body: bytes, field: str) -> None:
    """Whoever configured the sender reads which field is wrong."""
    with pytest.raises(BadInput) as caught:
        parse(body)
    assert caught.value.field == field
    assert field == "$" or field in caught.value.message


def test_the_path_counts_alerts() -> None:
    """The third alert is `alerts[2]`."""
    payload = json.loads(FIRING)
    payload["alerts"] = [payload["alerts"][0], payload["alerts"][0], {"status": "firing"}]
    with pytest.raises(BadInput, match=r"alerts\[2\]\.labels"):
        parse(json.dumps(payload).encode())


def test_another_version_is_refused_in_clear_words() -> None:
    """Before the many complaints that would follow from it."""
    with pytest.raises(BadInput, match="payload version '3' and Jackline reads version '4'"):
        parse(b'{"version": "3", "alert": []}')


def test_more_than_ten_thousand_alerts_are_refused() -> None:
    """10,000 are read, and in well under the time Alertmanager waits."""
    payload = json.loads(FIRING)
    payload["alerts"] *= 10_000
    began = time.thread_time()
    assert len(parse(json.dumps(payload).encode())) == 10_000
    assert time.thread_time() - began < 5

    payload["alerts"].append(payload["alerts"][0])
    with pytest.raises(BadInput) as caught:
        parse(json.dumps(payload).encode())
    assert caught.value.field == "alerts"


def test_what_can_be_shortened_is_not_refused() -> None:
    """A refused alert is a lost alert."""
    payload = json.loads(FIRING)
    alert = payload["alerts"][0]
    alert["annotations"]["summary"] = "x" * 100_000
    alert["labels"]["alertname"] = "n" * 1000
    alert["generatorURL"] = "javascript:alert(1)"
    alert["novelty"] = payload["novelty"] = {"of": "a later Alertmanager"}
    (read,) = parse(json.dumps(payload).encode())

    assert len(read.summary) == MAX_ANNOTATION
    assert read.name == "n" * 299 + "…"
    assert read.link == ""


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10_240,
        "<!channel> @here",
        "\u202eevil\u2066",
        "\x1b[31m\x07\n",
        "<https://evil|ok>",
        "é" * 3,
    ],
)
def test_what_is_strange_is_kept_as_it_was_sent(value: str) -> None:
    (alert,) = parse(changed("alerts", 0, "labels", "job", to=value))
    assert alert.labels["job"] == value


def test_what_no_database_keeps_is_replaced() -> None:
    (alert,) = parse(changed("alerts", 0, "labels", "job", to="a\0b"))
    assert alert.labels["job"] == "a\ufffdb"


def test_an_alert_without_a_name_has_one() -> None:
    """Alertmanager does not insist on `alertname`."""
    (alert,) = parse(changed("alerts", 0, "labels", "alertname", to=...))
    assert alert.name == "unnamed alert"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
KEYS = ["status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"]


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_raises_nothing_but_bad_input(body: bytes) -> None:
    """Whatever arrives at the port."""
    with pytest.raises(BadInput):
        parse(body)


@given(st.sampled_from(KEYS), JSON | st.datetimes().map(lambda when: when.isoformat() + "Z"))
def test_a_garbled_field_raises_nothing_but_bad_input(key: str, value: Any) -> None:
    """Nearly right is the harder case."""
    with contextlib.suppress(BadInput):
        alerts = parse(changed("alerts", 0, key, to=value))
        assert all(a.starts_at.tzinfo is UTC for a in alerts)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        "Bearer s3cret",
        "bearer  s3cret ",
        "Bearer older",
        basic("any", "s3cret"),
        basic("", "older"),
    ],
)
def test_each_live_secret_is_accepted(header: str) -> None:
    """Two can be live while they are rotated; basic carries it as the password."""
    SOURCE.authenticate(request(authorization=header), ["s3cret", "older"])


@pytest.mark.parametrize(
    "header",
    [
        *[None, "", "Bearer", "Bearer ", "Bearer wrong", "Bearer s3cret2", "s3cret"],
        *["Basic", "Basic ???", "Basic s3cret", basic("s3cret", ""), basic("s3cret", "no")],
        *["Digest s3cret", "Bearer \u00e9\ud800", "Basic \u00e9"],
    ],
)
def test_anything_else_is_not(header: str | None) -> None:
    """And an empty secret in the settings opens no door."""
    with pytest.raises(AuthFailed):
        SOURCE.authenticate(request(authorization=header), ["s3cret", ""])


def test_without_a_secret_nobody_comes_in() -> None:
    """Closed by default."""
    with pytest.raises(AuthFailed):
        SOURCE.authenticate(request(authorization="Bearer "), [])
    with pytest.raises(AuthFailed):
        SOURCE.authenticate(request(authorization=basic("a", "")), [""])


@given(st.text())
def test_a_garbage_header_raises_nothing_but_auth_failed(header: str) -> None:
    """A header is as hostile as a body."""
    with pytest.raises(AuthFailed):
        SOURCE.authenticate(request(authorization=header), ["s3cret"])
