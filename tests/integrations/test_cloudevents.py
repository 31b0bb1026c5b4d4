"""CloudEvents: the three modes, whose identity an alert has, and the settings."""

import json
from datetime import UTC, datetime
from textwrap import dedent
from typing import Any

import pytest
import yaml

from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput
from bot.registry import FOLDER
from integrations.cloudevents.source import CloudEventsSource

SOURCE = CloudEventsSource()
NOW = datetime(2026, 11, 23, tzinfo=UTC)
SETTINGS = {"firing": "com.example.*", "resolved": "com.example.*.ok, *.ok.v1"}
# The JSON format's example, whose events are of the types of SETTINGS.
EVENT: dict[str, Any] = {
    "specversion": "1.0", "type": "com.example.someevent", "source": "/mycontext", "subject": None,
    "id": "C234-1234-1234", "time": "2018-04-05T17:31:00Z", "comexampleextension1": "value",
    "comexampleothervalue": 5, "datacontenttype": "application/json",
    "data": {"appinfoA": "abc", "appinfoB": 123, "appinfoC": True},
}  # fmt: skip


def parse(body: Any, media: str = "application/cloudevents+json", **headers: str) -> list[Alert]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = RawRequest({"content-type": media, **named}, sent, {}, SETTINGS, received_at=NOW)
    return SOURCE.parse(request)


def one(**changed: Any) -> Alert:
    (alert,) = parse(EVENT | changed)
    return alert


def test_the_modes_say_the_same() -> None:
    """One event in each of the three, as the specification maps them."""
    (binary,) = parse(
        EVENT["data"], "application/json; charset=utf-8",
        ce_specversion="1.0", ce_type="com.example.someevent", ce_source="/mycontext",
        ce_id="C234-1234-1234", ce_time="2018-04-05T17:31:00Z", ce_comexampleextension1="value",
        ce_comexampleothervalue="5",
    )  # fmt: skip
    batch = parse([EVENT, EVENT | {"type": "org.other"}], "Application/CloudEvents-batch+json")
    assert [binary] == batch == [one()]
    assert binary.labels == {
        "comexampleextension1": "value", "comexampleothervalue": "5",
        "type": "com.example.someevent", "source": "/mycontext",
    }  # fmt: skip
    assert "data_base64" not in one(data=None, data_base64="QQ==").labels
    assert parse([], "application/cloudevents-batch+json") == []


def test_headers_are_decoded_once() -> None:
    """As the HTTP binding wants it: quotes and backslashes, then percent signs."""
    for written in (
        "Euro%20%E2%82%AC%20%F0%9F%98%80%2525",
        r'"Euro \%20%e2%82%ac\ %F0%9F%98%80%2525"',
    ):
        (alert,) = parse(
            b"not JSON", "application/json", ce_specversion="1.0", ce_type="com.example.x",
            ce_source="/a", ce_subject=written, ce_data="not the data",
        )  # fmt: skip
        assert alert.labels["subject"].split() == ["Euro", "€", "😀%25"]
    with pytest.raises(BadInput) as refused:
        parse(b"", "text/plain", ce_specversion="1.0", ce_type="com.example.x", ce_source="%C0%A0")
    assert refused.value.field == "ce-source"


def test_the_settings_say_what_fires() -> None:
    """What resolves wins, and what is in neither list is no alert."""
    assert one().status == "firing"
    assert one(type="com.example.disk.ok").status == "resolved"
    assert one(type="dev.tekton.taskrun.ok.v1").status == "resolved"
    assert parse(EVENT | {"type": "org.example.someevent"}) == []
    assert parse(EVENT | {"type": "org.example", "time": "never"}) == []


def test_the_readmes_entry_is_good() -> None:
    block = (FOLDER / "cloudevents" / "README.md").read_text().split("```yaml\n")[1]
    (entry,) = yaml.safe_load(dedent(block.partition("```")[0]))["sources"]
    SOURCE.check(entry["settings"])


def test_identity() -> None:
    """Source and subject; without a subject the type's stem, of any version."""
    full = one(type="com.example.disk.full.v1")
    assert full.name == "com.example.disk"
    assert full.fingerprint == one(type="com.example.disk.ok", time=None).fingerprint
    assert full.fingerprint != one(type="com.example.net.ok").fingerprint
    assert full.fingerprint != one(type="com.example.disk.full", source="/other").fingerprint
    a, b = one(subject="a"), one(subject="b")
    assert a.fingerprint != b.fingerprint
    assert a.fingerprint == one(subject="a", type="com.example.else.ok").fingerprint


def test_times() -> None:
    """The event's, which is a resolved alert's end too; the request's where it has none."""
    over = one(type="com.example.ok.ok")
    assert over.starts_at == over.ends_at == datetime(2018, 4, 5, 17, 31, tzinfo=UTC)
    assert one(time=None).starts_at == NOW


@pytest.mark.parametrize(
    ("changed", "severity"),
    [
        ({"severitytext": "FATAL"}, "critical"),
        ({"severitytext": "WARN", "severitynumber": 21}, "warning"),
        ({"severitynumber": 17}, "error"),
        ({"severitynumber": "13"}, "warning"),
        ({"severitynumber": 0}, "info"),
        ({"severitynumber": -1}, None),
        ({"severitynumber": 12.5}, None),
        ({"severitytext": "High", "data": {"severity": "Page"}}, "page"),
        ({"severitytext": None}, None),
    ],
)
def test_severity(changed: dict[str, Any], severity: str | None) -> None:
    """By the severity extension and OpenTelemetry's numbers, unless the data says it."""
    assert one(**changed).labels.get("severity") == severity


def test_what_the_data_may_say() -> None:
    data = {"summary": "s", "description": "d", "link": "https://x.test/1", "service": "shop"}
    alert = one(data=data)
    assert (alert.summary, alert.annotations["description"]) == ("s", "d")
    assert (alert.link, alert.labels["service"]) == ("https://x.test/1", "shop")
    assert one(data="I'm just a string").annotations["description"] == "I'm just a string"
    xml = one(data="<much wow/>", datacontenttype="application/xml", source="https://x.test/2")
    assert "description" not in xml.annotations
    assert xml.link == "https://x.test/2"
    for odd in ([1], 5, {"summary": {}, "link": "javascript:x", "service": [], "severity": 3}):
        assert one(data=odd).summary == "com.example.someevent"


@pytest.mark.parametrize(
    ("body", "media", "field"),
    [
        (EVENT | {"specversion": "0.3"}, "application/cloudevents+json", "specversion"),
        (EVENT | {"source": ""}, "application/cloudevents+json", "source"),
        (EVENT | {"type": None}, "application/cloudevents+json", "type"),
        (EVENT | {"time": "soon"}, "application/cloudevents+json", "time"),
        ([EVENT, {**EVENT, "time": "soon"}], "application/cloudevents-batch+json", "[1].time"),
        ([EVENT, {"type": "x"}], "application/cloudevents-batch+json", "[1].specversion"),
        (EVENT, "application/cloudevents-batch+json", "$"),
        (EVENT, "application/cloudevents+avro", "content-type"),
        (EVENT, "application/json", "specversion"),
    ],
)
def test_what_is_refused(body: Any, media: str, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(body, media)
    assert refused.value.field == field


def test_the_token_may_be_in_the_query() -> None:
    """As the web hook specification says a target must take it."""
    SOURCE.authenticate(RawRequest({}, b"", {"access_token": "new"}), ["new", "old"])
    for query in ({"access_token": "newer"}, {"token": "new"}, {"access_token": ""}):
        with pytest.raises(AuthFailed):
            SOURCE.authenticate(RawRequest({}, b"", query), ["new", "old"])


@pytest.mark.parametrize(
    ("firing", "resolved", "field"),
    [
        ("a, b", "c, b", "resolved"),
        ("a,", "b", "firing"),
        ("a", "", "resolved"),
        ("a?", "b", "firing"),
        ("a b", "c", "firing"),
    ],
)
def test_wrong_settings(firing: str, resolved: str, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        SOURCE.check({"firing": firing, "resolved": resolved})
    assert refused.value.field == field
