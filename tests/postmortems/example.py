"""The incident of docs/postmortems.md: a record in which people wrote down what a draft can use."""

from datetime import timedelta
from typing import Any

from bot.catalog import Catalog
from bot.postmortems.case import Action, Around, Facts, Related
from bot.timeline import Entry
from tests.postmortems.story import NOON, Story

EXAMPLE_CATALOG = Catalog.model_validate(
    {
        "services": [
            {"id": "payments", "title": "Payments", "tier": "p0", "owner": "payments-team",
             "cost_per_minute": 1200, "currency": "EUR", "cost_share": [0.6, 0.8, 1], "returns": 0.25,
             "slo": 0.999, "slo_days": 28},
            {"id": "ledger", "title": "Ledger", "tier": "p1", "slo": 0.9995},
        ],
        "people": [
            {"id": "ana", "name": "Ana Souza", "email": "ana@example.com", "timezone": "Europe/Berlin"},
            {"id": "bo", "name": "Bo Lindqvist"},
        ],
        "regulations": [{"id": "dora"}],
    }
)  # fmt: skip
EXAMPLE_FACTS = Facts(
    id=12, title="Payments: half of the requests fail", severity="sev1", status="resolved",
    services=("payments", "ledger"), drill=False, declared_at=NOON + timedelta(minutes=7),
    resolved_at=NOON + timedelta(minutes=58), declared_by="source:alertmanager",
)  # fmt: skip
EXAMPLE_AROUND = Around(
    related=(
        Related(
            4,
            "Payments: slow answers",
            "sev2",
            NOON - timedelta(days=40),
            31,
            ("payments",),
            ("same alert PaymentErrors", "same service Payments"),
            "cause: the queue was full; runbook Move traffic succeeded; resolved by a person after 31 min",
        ),
    ),
    actions=(
        Action(
            12, "follow-up 1", "Ask the vendor for their report", "bo", NOON + timedelta(days=7)
        ),
        Action(4, "follow-up 2", "Alert on the age of the queue", "bo", NOON - timedelta(days=9)),
    ),
    looked=True,
)


def example_rows() -> list[Entry]:
    """Late detection, a wrong idea, a failed way in, a slow step, updates with promises."""
    story = Story()
    machine, ana, bo = "source:alertmanager", "person:ana", "person:bo"
    run: dict[str, Any] = {"run_id": 7}

    def note(
        minute: float, text: str, actor: str = ana, kind: str = "note_added", link: str = ""
    ) -> None:
        story.add(minute, kind, text, actor=actor, link=link, surface="slack")

    story.add(7, "incident_declared", "SEV1 declared: Payments: half of the requests fail", actor=machine,
              severity="sev1", services=["payments", "ledger"])  # fmt: skip
    story.alert(7.02, "EdgeErrors firing: 52 % of requests fail")
    story.alert(7.5, "LedgerLag firing: 90 s behind", fingerprint="1ed9", name="LedgerLag",
                labels={"service": "ledger"}, starts=3)  # fmt: skip
    story.add(7.6, "evidence_attached", "Evidence: What changed in the last 2 hours (github): 11:58 deploy of pay-api 4f2c by a pipeline",
              source="github", title="What changed in the last 2 hours", found=[])  # fmt: skip
    story.add(7.7, "evidence_missing", "Evidence that could not be had: loki: no answer within 3 s.", source="loki")  # fmt: skip
    story.add(7.8, "runbook_proposed", "Runbook proposed: Fail over and drain", runbook="fail-over", **run)  # fmt: skip
    steps = [{"id": "drain", "action": "haproxy.drain_server"}, {"id": "promote", "action": "patroni.switchover"},
             {"id": "check", "action": "http.check"}]  # fmt: skip
    story.add(7.9, "run_planned", "Plan made: Fail over and drain", steps=steps,
              limits={"drain": 60, "promote": 120, "check": 30}, earlier={"drain": 4.1, "promote": 45}, **run)  # fmt: skip
    story.add(11, "commander_assigned", "Ana Souza is incident commander", actor=ana)
    story.add(
        11, "status_changed", "Status: declared → investigating", actor=ana, to="investigating"
    )
    link = "https://slack.com/archives/C0INC12/p1767787980000100"
    note(13, "hypothesis: the deploy of pay-api broke the health checks", link=link)
    note(14, "Asked bo.lindqvist@example.com and the vendor at +49 30 1234567", bo)
    story.add(16, "communication_sent", "Update to customers: some payments fail, we are on it. ETA 12:40",
              actor=ana, audience="customers", next_at=(NOON + timedelta(minutes=30)).isoformat())  # fmt: skip
    note(33, "dropped: the deploy of pay-api, its health checks pass", bo)
    note(34, "confirmed: the database primary has a full disk", bo)
    note(34.5, "trigger: a backup from 11:55 filled the disk of the primary", bo)
    note(35, "factor: the disk alert was silenced since Monday", bo)
    story.add(36, "decision_made", "Decided: fail over now, because the disk cannot be freed in time, instead of deleting the backup, waiting",
              actor=ana, what="fail over now", why="the disk cannot be freed in time",
              instead=["deleting the backup", "waiting"])  # fmt: skip
    story.add(36.5, "run_requested", "Asked to run: Fail over and drain", actor=ana, **run)
    story.add(37, "run_approved", "Approved: Fail over and drain", actor=bo, **run)
    story.add(37.1, "run_started", "Running: Fail over and drain", runbook="fail-over", title="Fail over and drain", **run)  # fmt: skip
    for minute, kind, step, path, more in (
        (37.2, "step_started", "drain", "direct", {}),
        (37.4, "access_failed", "drain", "direct", {"error": "connection refused"}),
        (37.5, "step_started", "drain", "bastion", {}),
        (37.6, "step_succeeded", "drain", "bastion", {"seconds": 4.4}),
        (37.7, "step_started", "promote", "bastion", {}),
        (41.2, "step_succeeded", "promote", "bastion", {"seconds": 210.0}),
    ):
        action = next(each["action"] for each in steps if each["id"] == step)
        words = {
            "step_started": action,
            "access_failed": "no way in over direct",
            "step_succeeded": "done",
        }
        story.add(
            minute,
            kind,
            f"{step}: {words[kind]}",
            step=step,
            path=path,
            action=action,
            **more,
            **run,
        )
    story.add(41.5, "run_succeeded", "Fail over and drain: succeeded", seconds=264.0, **run)
    story.add(42, "communication_sent", "Update to customers: payments work again, we watch it", actor=ana, audience="customers")  # fmt: skip
    story.add(
        43, "status_changed", "Status: investigating → monitoring", actor=ana, to="monitoring"
    )
    story.add(44, "alert_resolved", "EdgeErrors resolved", actor=machine, source="alertmanager", fingerprint="f00d")  # fmt: skip
    note(46, "impact: 52 % of card payments were refused, counted at the edge, 41,300 in all", bo)
    note(47, "data loss: none, the ledger replayed all 312 late entries", bo)
    note(48, "lucky: Bo had the bastion's key at hand", ana)
    note(49, "well: the plan showed the lag before anybody approved", bo)
    story.add(50, "clock_started", "DORA: aware of the incident since 2026-01-07 12:07 UTC", actor=ana,
              law="dora", fact="aware", at=(NOON + timedelta(minutes=7)).isoformat(), why="")  # fmt: skip
    note(52, "question: why was the alert about the disk silenced?", ana)
    note(
        53,
        "hypothesis: the deploy of pay-api at 11:58 broke the health checks",
        ana,
        "note_corrected",
        link,
    )
    story.add(55, "task_added", "Follow-up 1: Ask the vendor for their report, Bo Lindqvist", actor=ana,
              task=1, owner="bo", after=True)  # fmt: skip
    story.add(58, "status_changed", "Status: monitoring → resolved", actor=ana, to="resolved")
    return story.rows
