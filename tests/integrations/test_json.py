"""Any JSON: its expressions, how each sender proves itself, and that no expression runs away."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput
from bot.located import BadFile
from bot.registry import FOLDER, load
from bot.runbooks import Library
from integrations.json.expressions import MAX_STEPS
from integrations.json.source import EXPRESSIONS, JsonSource
from tests.integrations.sources import json as checkly
from tests.plainly import without_columns

SOURCE = JsonSource()
NOW = datetime(2026, 11, 23, tzinfo=UTC)
LEAST = {"fingerprint": "id", "firing": "on", "name": "id"}
# One that a user of Kapacitor 1 published, without its long `details`.
KAPACITOR = {
    "id": "Nginx Port Unreachable",
    "message": "Nginx port is not responding",
    "time": "2025-09-09T12:38:50Z",
    "duration": 0,
    "level": "CRITICAL",
    "data": {
        "series": [
            {
                "name": "net_response",
                "tags": {
                    "host": "wp", "port": "80", "protocol": "tcp", "result": "connection_failed",
                    "server": "localhost",
                },
                "columns": ["time", "result_code", "result_type"],
                "values": [["2025-09-09T12:38:50Z", 2, "connection_failed"]],
            }
        ]
    },
    "previousLevel": "OK",
    "recoverable": True,
}  # fmt: skip


def parse(body: Any, **settings: str) -> list[Alert]:
    request = RawRequest({}, json.dumps(body).encode(), settings=LEAST | settings, received_at=NOW)
    return SOURCE.parse(request)


def examples() -> dict[str, dict[str, str]]:
    """The settings that the README shows, by name."""
    blocks = (FOLDER / "json" / "README.md").read_text().split("```yaml\n")[1:]
    entries = [yaml.safe_load(block.partition("```")[0])["sources"][0] for block in blocks]
    return {entry["name"]: entry["settings"] for entry in entries}


def test_the_readmes_examples_are_those_tested() -> None:
    """Each is good, and Checkly's is the one that every source's test uses."""
    for settings in examples().values():
        SOURCE.check(settings)
    assert examples()["checkly"] == checkly.SETTINGS


def test_kapacitor_by_the_readmes_example() -> None:
    """Tags from deep inside; information is no alert."""
    settings = examples()["kapacitor"]
    (alert,) = parse(KAPACITOR, **settings)
    assert alert.status == "firing"
    assert alert.summary == "Nginx port is not responding"
    assert alert.labels["severity"] == "critical"
    assert alert.labels["host"] == "wp"
    assert alert.starts_at == datetime(2025, 9, 9, 12, 38, 50, tzinfo=UTC)
    (over,) = parse(KAPACITOR | {"level": "OK", "previousLevel": "CRITICAL"}, **settings)
    assert (over.status, over.fingerprint) == ("resolved", alert.fingerprint)
    assert parse(KAPACITOR | {"level": "INFO"}, **settings) == []


def test_a_list_deep_inside_a_body() -> None:
    """Null in `firing` is no alert; a missing `starts_at` is the request's time."""
    body = {"d": {"items": [{"id": 7, "on": True}, {"id": 8, "on": None}, {"id": 9, "on": False}]}}
    found = parse(body, alerts="d.items", ends_at="`0`", starts_at="since")
    assert [(a.fingerprint, a.status) for a in found] == [("7", "firing"), ("9", "resolved")]
    assert {a.starts_at for a in found} == {NOW}
    assert found[1].ends_at is None  # before its beginning
    assert parse(body, alerts="nothing.there") == []


def test_optional_things_never_cost_an_alert() -> None:
    """Whatever the expression finds there."""
    for odd in (None, True, 5, "x", [1], {"a": [None]}):
        (alert,) = parse(
            {"id": "a", "on": True, "odd": odd},
            **dict.fromkeys(("severity", "service", "summary", "link", "labels"), "odd"),
        )
        assert alert.link == ""


@pytest.mark.parametrize(
    ("body", "settings", "field"),
    [
        ([{"id": "a", "on": True}, {"id": "a", "on": "yes"}], {}, "alerts[1].firing"),
        ({"id": "a", "on": 1}, {}, "alerts[0].firing"),
        ({"id": True, "on": True}, {}, "alerts[0].fingerprint"),
        ({"on": True}, {}, "alerts[0].fingerprint"),
        ({"id": "a", "on": True}, {"name": "nobody"}, "alerts[0].name"),
        ({"id": "a", "on": True}, {"starts_at": "id"}, "alerts[0].starts_at"),
        ({"id": "a", "on": True}, {"starts_at": "[id]"}, "alerts[0].starts_at"),
        ({"id": "a", "on": True}, {"starts_at": "on"}, "alerts[0].starts_at"),
        ({"id": "a", "on": True}, {"summary": "abs(id)"}, "alerts[0].summary"),
        ({"id": "a", "on": 3}, {"summary": "id < on", "firing": "id < on"}, "alerts[0].firing"),
        ([[]], {}, "alerts[0]"),
        ("text", {}, "alerts[0]"),
        ([{}] * 1001, {}, "alerts"),
    ],
)
def test_what_cannot_be_trusted_is_named(body: Any, settings: dict[str, str], field: str) -> None:
    """As the setting's place in the list that `alerts` found."""
    with pytest.raises(BadInput) as refused:
        parse(body, **settings)
    assert refused.value.field == field


def test_without_an_entry_in_the_catalog_nothing_is_read() -> None:
    with pytest.raises(BadInput) as refused:
        SOURCE.parse(RawRequest({}, b"{}"))
    assert refused.value.field == "settings.fingerprint"


# ── who sends ────────────────────────────────────────────────────────────────────────────────


def mac(body: bytes) -> str:
    return hmac.new(b"secret", body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("auth", "headers", "query"),
    [
        ("bearer", {"authorization": "Bearer secret"}, {}),
        ("header:X-Token", {"x-token": "secret"}, {}),
        ("hmac_sha256:X-Hub-Signature-256", {"x-hub-signature-256": f"sha256={mac(b'{}')}"}, {}),
        ("hmac_sha256:X-Hub-Signature-256", {"x-hub-signature-256": mac(b"{}").upper()}, {}),
        ("query:token", {}, {"token": "secret"}),
    ],
)
def test_each_way_opens_only_its_own_door(
    auth: str, headers: dict[str, str], query: dict[str, str]
) -> None:
    """What proves a sender by one setting proves nothing by another."""
    request = RawRequest(headers, b"{}", query, {"auth": auth})
    SOURCE.authenticate(request, ["other", "secret"])
    others = {"bearer", "header:X-Token", "hmac_sha256:X-Hub-Signature-256", "query:token"} - {auth}
    for other in others:
        with pytest.raises(AuthFailed):
            SOURCE.authenticate(RawRequest(headers, b"{}", query, {"auth": other}), ["secret"])
    if auth.startswith("hmac"):
        with pytest.raises(AuthFailed):
            SOURCE.authenticate(RawRequest(headers, b"{ }", query, {"auth": auth}), ["secret"])


# ── the catalog's check ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("firing: 'a ==='", "5: settings.firing: no JMESPath expression: '=' does not fit at"),
        ("firing: ''", "5: settings.firing: Invalid JMESPath expression: cannot be empty"),
        ("firing: 'a.'", "5: settings.firing: no JMESPath expression: it ends too early"),
        ("link: lenght(a)", "5: settings.link: there is no function lenght(), did you mean length"),
        ("labels: '{a: join(b)}'", "5: settings.labels: join() takes 2 arguments, not 1"),
        ("summary: 'not_null()'", "5: settings.summary: not_null() takes 1 or more arguments"),
        (f"name: '{'a' * 1001}'", "5: settings.name: longer than 1000 characters"),
        (f"name: '{'[' * 400}a{']' * 400}'", "5: settings.name: the expression is nested too deep"),
        ("auth: basic", "5: settings.auth: 'basic' is not one of bearer, header:NAME"),
        ("auth: 'header:'", "5: settings.auth: "),
        ("auth: 'bearer:x'", "5: settings.auth: "),
        ("auth: 'query:a b'", "5: settings.auth: "),
        ("alert: a", "5: settings.alert: json has no setting 'alert'; did you mean 'alerts'?"),
    ],
)  # fmt: skip
def test_a_wrong_setting_comes_out_with_its_line(tmp_path: Path, settings: str, said: str) -> None:
    """As `jackline check` prints it."""
    folder = tmp_path / "catalog"
    folder.mkdir()
    needed = "\n".join(f"      {n}: a" for n in LEAST if not settings.startswith(n))
    (folder / "sources.yaml").write_text(
        f"sources:\n  - name: a\n    integration: json\n    settings:\n      {settings}\n{needed}\n"
    )
    with pytest.raises(BadFile) as refused:
        Library(tmp_path, load())
    assert said in without_columns(str(refused.value))


def test_the_manifest_lists_what_is_read() -> None:
    names = {setting.name for setting in load().manifests["json"].settings}
    assert names == {*EXPRESSIONS, "auth"}


# ── nothing runs away ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "expression",
    [
        "[@,@][]" + " | [@,@][]" * 90,  # a list that doubles
        "[@,@]" + " | [@,@]" * 120 + " | to_string(@)",  # a tree that doubles and is then written
        "([@,@]" + " | [@,@]" * 60 + ") == ([@,@]" + " | [@,@]" * 60 + ")",  # … or compared
        "merge({a: @}, {b: @})" + " | {a: @, b: @}" * 60,
        "to_string([@])" + " | to_string([@, @])" * 40,  # a text whose escapes double
        "join(id, big)",  # a megabyte for each of the list's texts
        "map(&map(&map(&map(&big, $), $), $), $)".replace("$", "[" + ",".join("@" * 40) + "]"),
    ],
)
def test_an_expression_cannot_run_away(expression: str) -> None:
    """It is refused within seconds, and by its setting, whatever it multiplies."""
    body = {"id": "x" * 1_000_000, "on": True, "big": ["a"] * 2_000}
    began = time.thread_time()
    with pytest.raises(BadInput) as refused:
        parse(body, summary=expression, name="'n'", fingerprint="'f'")
    assert refused.value.field == "alerts[0].summary"
    assert time.thread_time() - began < 10


def test_a_thousand_alerts_with_every_setting_are_far_from_the_limit() -> None:
    """So that the limit meets mistakes only."""
    from integrations.json import expressions  # noqa: PLC0415 - to see the meter

    one = json.loads(checkly.FIRING)
    search = expressions.Search(checkly.SETTINGS)
    for name in checkly.SETTINGS:
        if name != "auth":
            for _ in range(1000):
                search(name, one, name)
    assert search._meter._left > MAX_STEPS * 0.9
    assert len(parse([one] * 1000, **checkly.SETTINGS)) == 1000
