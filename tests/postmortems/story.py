"""The fintech blackout, re-played as rows: 45 minutes at noon, this time with a bot and a run."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.catalog import Catalog
from bot.postmortems.case import Facts
from bot.timeline import Entry

NOON = datetime(2026, 1, 7, 12, 0, tzinfo=UTC)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)

CATALOG = Catalog.model_validate(
    {
        "services": [
            {"id": "payments", "title": "Payments", "tier": "p0", "cost_per_minute": 1200, "currency": "EUR", "slo": 0.999},
            {"id": "ledger", "title": "Ledger", "tier": "p1"},
        ],
        "people": [
            {"id": "ana", "name": "Ana Souza", "email": "ana@example.com", "slack": ["T1:U777"]},
            {"id": "bo", "name": "Bo Lindqvist", "slack": ["T1:U888"]},
        ],
    }
)  # fmt: skip

FACTS = Facts(
    id=12,
    title="Payments: everything is dark",
    severity="sev1",
    status="resolved",
    services=("payments", "ledger"),
    drill=False,
    declared_at=NOON + timedelta(minutes=3),
    resolved_at=NOON + timedelta(minutes=45),
    declared_by="source:alertmanager",
)


class Story:
    """Writes rows at minutes after noon; the sequence follows."""

    def __init__(self) -> None:
        self.rows: list[Entry] = []

    def add(
        self, minute: float, kind: str, text: str = "", *, actor: str = "jackline", link: str = "",
        **data: Any,
    ) -> Entry:  # fmt: skip
        seq = len(self.rows) + 1
        row = Entry(
            incident_id=12, seq=seq, at=NOON + timedelta(minutes=minute), kind=kind, actor=actor,
            text=text, data=data, link=link, previous=f"{seq - 1:064x}", hash=f"{seq:064x}",
        )  # fmt: skip
        self.rows.append(row)
        return row

    def alert(self, minute: float, text: str, *, starts: float | None = 0.0, **more: Any) -> Entry:
        starts_at = None if starts is None else (NOON + timedelta(minutes=starts)).isoformat()
        data = {"source": "alertmanager", "fingerprint": "f00d", "name": "EdgeErrors",
                "labels": {"service": "payments"}, "starts_at": starts_at, **more}  # fmt: skip
        link = "https://prometheus.example/graph?g0=up"
        return self.add(minute, "alert_received", text, actor="source:alertmanager", link=link, **data)  # fmt: skip


def blackout() -> list[Entry]:
    """Alert, silence, a restart that fails on the first path, recovery at 12:41."""
    story = Story()
    source, ana, bo = "source:alertmanager", "person:ana", "person:bo"
    run: Mapping[str, Any] = {"run_id": 7}
    story.add(
        3,
        "incident_declared",
        "SEV1 declared: Payments: everything is dark",
        actor=source,
        severity="sev1",
        services=["payments", "ledger"],
    )
    story.alert(3.01, "EdgeErrors firing: 100 % of requests fail")
    story.add(
        3.1,
        "evidence_attached",
        "Graph attached",
        file="inc-12-errors.png",
        title="Error rate, Payments",
    )
    story.add(
        3.2, "runbook_proposed", "Proposed: Restart in stages", runbook="staged-restart", **run
    )
    story.add(
        3.3,
        "run_planned",
        "Plan made: Restart in stages",
        steps=[
            {"id": "drain", "action": "envoy.drain", "changes": []},
            {"id": "restart", "action": "cloud.restart", "changes": []},
            {"id": "check", "action": "http.get", "changes": []},
        ],
        limits={"drain": 60.0, "restart": 300.0, "check": 30.0},
        earlier={"drain": 3.9, "restart": 210.0},
        **run,
    )
    story.add(5, "commander_assigned", "Ana Souza is incident commander", actor=ana)
    story.add(
        5,
        "status_changed",
        "Status: declared → investigating",
        actor=ana,
        **{"from": "declared", "to": "investigating"},
    )
    story.add(
        6,
        "note_added",
        "No logs, no metrics. Asked Bo Lindqvist <@U888> to look at the edge",
        actor=ana,
        surface="slack",
    )
    story.add(30, "run_requested", "Asked to run: Restart in stages", actor=ana, **run)
    story.add(31, "run_approved", "Approved: Restart in stages", actor=bo, digest="abc", **run)
    story.add(
        31.1,
        "run_started",
        "Running: Restart in stages",
        runbook="staged-restart",
        title="Restart in stages",
        **run,
    )
    story.add(
        31.2,
        "step_started",
        "drain: envoy.drain on envoy/edge",
        step="drain",
        action="envoy.drain",
        path="direct",
        attempt=1,
        **run,
    )
    story.add(
        31.3,
        "access_failed",
        "drain: no way in over direct: name not known",
        step="drain",
        path="direct",
        error="name not known",
        **run,
    )
    story.add(
        31.4,
        "step_started",
        "drain: envoy.drain on envoy/edge",
        step="drain",
        action="envoy.drain",
        path="pinned-edge",
        attempt=2,
        **run,
    )
    story.add(
        31.5,
        "step_succeeded",
        "drain: done in 4.2 s",
        step="drain",
        action="envoy.drain",
        path="pinned-edge",
        seconds=4.2,
        out={},
        **run,
    )
    story.add(
        32,
        "step_started",
        "restart: cloud.restart on cloud/all",
        step="restart",
        action="cloud.restart",
        path="direct",
        attempt=1,
        **run,
    )
    story.add(
        40,
        "step_succeeded",
        "restart: done in 480.0 s",
        step="restart",
        action="cloud.restart",
        path="direct",
        seconds=480.0,
        out={},
        **run,
    )
    story.add(40.5, "run_succeeded", "Restart in stages: succeeded", seconds=564.0, **run)
    story.add(
        41,
        "status_changed",
        "Status: investigating → monitoring",
        actor=ana,
        **{"from": "investigating", "to": "monitoring"},
    )
    story.add(
        42,
        "alert_resolved",
        "EdgeErrors resolved",
        actor=source,
        source="alertmanager",
        fingerprint="f00d",
        name="EdgeErrors",
    )
    story.add(43, "note_added", "lucky: Bo was awake and knew the old address", actor=ana)
    story.add(44, "moon_phase_changed", "A kind nobody has heard of", phase="full")
    story.add(
        45,
        "status_changed",
        "Status: monitoring → resolved",
        actor=ana,
        **{"from": "monitoring", "to": "resolved"},
    )
    return story.rows  # fmt: skip
