"""Whatever comes in at the Alertmanager webhook: an answer of ours, never a 500."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.harness import firing
from tests.web.conftest import Web

FUZZ = settings(
    max_examples=120,
    derandomize=True,
    # One app for all examples of a test: that the store fills up is part of it.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NASTY = st.sampled_from([
    "\x00", "\ud800", "\u2028", "\u202e", "'; DROP TABLE alert; --", "{{7*7}}", "<!channel>", "é" * 5000,
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
    "2026-11-23T12:00:00.999999999Z", "2026-02-30T00:00:00Z", "1e400", "javascript:alert(1)",
])  # fmt: skip
TIME = st.datetimes().map(lambda t: t.isoformat() + "Z")
FIELDS = ("status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint")


async def never_500(web: Web, body: bytes) -> None:
    answer = await web.alert(body)
    assert answer.status_code in (200, 400), (body, answer.text)


@FUZZ
@given(body=st.binary(max_size=200))
async def test_any_bytes(web: Web, body: bytes) -> None:
    await never_500(web, body)


@FUZZ
@given(payload=JSON, alerts=JSON)
async def test_any_json(web: Web, payload: Any, alerts: Any) -> None:
    """As a whole body, and as the alerts of one that is right otherwise."""
    await never_500(web, json.dumps(payload).encode())
    await never_500(web, json.dumps(firing() | {"alerts": alerts}).encode())


@FUZZ
@given(field=st.sampled_from(FIELDS), value=JSON | NASTY | TIME)
async def test_any_value_of_any_field(web: Web, field: str, value: Any) -> None:
    """One field of a good alert is replaced, by what is nearly right too."""
    payload = firing()
    payload["alerts"][0][field] = value
    await never_500(web, json.dumps(payload).encode())


@FUZZ
@given(
    labels=st.dictionaries(st.text(max_size=20) | NASTY, st.text() | NASTY, max_size=5),
    at=TIME,
    fingerprint=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1),
)
async def test_any_labels_and_times(
    web: Web, labels: dict[str, str], at: str, fingerprint: str
) -> None:
    """What parses is also what both databases can hold."""
    alert = {"labels": labels, "annotations": labels, "startsAt": at, "fingerprint": fingerprint}
    payload = firing()
    payload["alerts"][0].update(alert)
    await never_500(web, json.dumps(payload).encode())
