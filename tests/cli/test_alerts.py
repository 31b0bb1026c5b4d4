"""What a payload would do and why, and which signs of life are missing."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.tables import Flap, HeartbeatSeen
from bot.app import Jackline
from bot.store import now
from tests.cli.conftest import Cli
from tests.e2e.harness import firing

RULES = [
    {"match": {"alertname": "DiskFull"}, "declare": "no"},
    {"match": {"severity": "critical", "service": "shop"}, "severity": "sev2"},
    {"match": {}, "severity": "sev4"},
]
BEATS = [
    {"id": "watchdog", "match": {"alertname": "Watchdog"}, "every": "5m"},
    {"id": "backup", "title": "Nightly backup", "every": "1d", "grace": "2h"},
]


def adds(cli: Cli, **more: Any) -> None:
    cli.catalog.write_text(json.dumps(json.loads(cli.catalog.read_text()) | more))


def explained(cli: Cli, payload: Any, *words: str) -> Any:
    file = cli.folder / "payload.json"
    file.write_text(json.dumps(payload))
    return cli("alerts", "explain", str(file), *words)


def test_a_payload_is_explained_rule_by_rule(cli: Cli) -> None:
    adds(cli, rules=RULES)
    done = explained(cli, firing())
    assert done.code == 0
    assert done.out.splitlines() == [
        "ShopDown firing, since 2026-11-23T12:00:00+00:00",
        "  rule 1 (alertname=DiskFull): no: alertname is 'ShopDown'",
        "  rule 2 (severity=critical, service=shop): matches",
        "  rule 3 (any alert): not asked, an earlier one matched",
        "  service shop: by the label service",
        "  severity sev2: the rule says so",
        f"  silences, questions and flapping are not known: There is no database at {cli.folder}/data/jackline.db.",
        "→ joins the open incident of service:shop, else opens a sev2 one",
    ]


def test_without_rules(cli: Cli) -> None:
    """Where severity and service come from then; what a rule keeps from being declared."""
    payload = firing(service="nobody")
    payload["alerts"][0]["labels"]["severity"] = "strange"
    assert explained(cli, payload).out.splitlines()[1:] == [
        "  no rule matched: declared by default",
        "  service none: none of service, app, job names one",
        "  severity sev2: sev2, as severity=strange is no word that is known",
        f"  silences, questions and flapping are not known: There is no database at {cli.folder}/data/jackline.db.",
        "→ joins the open incident of alert:alertmanager:ShopDown, else opens a sev2 one",
    ]
    adds(cli, rules=RULES)
    done = explained(cli, firing("DiskFull"))
    assert done.out.splitlines()[-1] == "→ is stored; no incident"


def test_what_resolves_and_what_flaps(cli: Cli) -> None:
    """The rule's time, and that its changes are counted now; not of another source's alert."""
    adds(cli, rules=[{"match": {}, "resolve": "auto", "quiet": "90m"}])

    async def flaps(parts: Jackline, session: AsyncSession) -> None:
        del parts
        at = now() - timedelta(minutes=3)
        for source, count in (("alertmanager", 4), ("grafana", 70)):
            session.add(
                Flap(source=source, fingerprint="468b1d51ea167ee1", incident_id=7, title="t",
                     since=at, last_at=at, fired=count, resolved=3)
            )  # fmt: skip

    cli.inside(flaps)
    for status, outcome in (
        ("firing", "joins the open incident of service:shop, else opens a sev1 one"),
        ("resolved", "is noted in the incident that its firing opened or joined, if there is one"),
    ):
        lines = explained(cli, firing(status=status)).out.splitlines()
        assert lines[-3] == "  resolved by Jackline: 90m after all have ended, by the rule"
        assert lines[-2].startswith("  flaps since ")
        assert lines[-2].endswith(" UTC, 7 changes: counted in #7, not told")
        assert lines[-1] == f"→ {outcome}"
    (found,) = explained(cli, firing(), "--json").json()
    assert found["decision"]["quiet"] == 5400


def test_as_json(cli: Cli) -> None:
    adds(cli, rules=RULES, heartbeats=BEATS)
    payload = firing()
    payload["alerts"] += firing("Watchdog")["alerts"] + firing(status="resolved")["alerts"]
    found = explained(cli, payload, "--json").json()
    assert [each["heartbeats"] for each in found] == [[], ["watchdog"], []]
    assert found[0]["decision"]["severity"] == "sev2"
    assert found[1]["outcome"] == "a sign of life of watchdog; not stored as an alert"
    assert found[2]["outcome"].startswith("is noted in the incident")


def test_what_cannot_be_explained(cli: Cli) -> None:
    """A file that is not there, a source that is not there, a payload that would be refused."""
    assert "cannot be read" in cli("alerts", "explain", "none.json").refused(2)
    payload = firing()
    payload["alerts"][0]["startsAt"] = "yesterday"
    assert "alerts[0].startsAt" in explained(cli, payload).refused(2)
    refused = explained(cli, firing(), "--source", "nobody").refused(1)
    assert "There is no alert source 'nobody'" in refused


def test_heartbeats(cli: Cli) -> None:
    """Exit code 1 when one is missed, with when it came last."""
    adds(cli, heartbeats=BEATS)

    async def seen(parts: Jackline, session: AsyncSession) -> None:
        del parts
        for name, minutes in (("watchdog", 7), ("backup", 60)):
            at = now() - timedelta(minutes=minutes)
            session.add(HeartbeatSeen(id=name, known_since=at, seen_at=at))

    cli.inside(seen)
    done = cli("alerts", "heartbeats")
    assert done.code == 1
    assert "✗ missed" in done.out
    assert "7 min ago" in done.out
    found = cli("alerts", "heartbeats", "--json").json()
    assert [(p["id"], p["standing"]) for p in found] == [
        ("watchdog", "missed"),
        ("backup", "alive"),
    ]


def test_what_strangers_wrote_is_not_obeyed(cli: Cli) -> None:
    """A terminal would be retitled, wiped or written backwards by it; in a table as well."""
    done = explained(cli, firing(name="Disk\x1b[2J\u202e full\x07"))
    assert done.out.startswith("Disk\ufffd[2J\ufffd full\ufffd firing")
    cli.declare()
    adds(cli, heartbeats=[{"id": "backup", "title": "Back\x1b]0;up", "every": "1d"}])
    assert "Back\ufffd]0;up" in cli("alerts", "heartbeats").out
