"""Every button there is, what brings it in sight, and the row that it leaves on the timeline.

One walk through incidents, in an order that makes sense. A button that is in no line of it is missing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.alerts import StoredAlert
from bot.catalog import AudiencePlace, Notifier, Regulation
from bot.catalog.escalation import Reach
from bot.catalog.papers import PaperPlace
from bot.postmortems import Postmortem
from bot.postmortems.editing.tables import Reviewer
from bot.runbooks import Run, StepAttempt
from bot.store import now
from tests.chat.asked import ask
from tests.chat.room import ChatRoom
from tests.slackstub import C_INCIDENTS

Ready = Callable[[ChatRoom, int], Awaitable[None]]
_PLAN: dict[str, Any] = {
    "approvals": {"count": 1, "from": "approver", "ttl": 1800},
    "steps": [{
        "id": "drain", "heading": "Drain edge-3", "action": "haproxy.drain_server", "changes": [],
        "note": "", "undo": "back to what it was",
    }],
}  # fmt: skip
_PHASE = {"approval": "approve", "decision": "ask"}


@dataclass(frozen=True)
class Press:
    """``who`` presses it, after ``ready`` was done to #1 and Ana typed ``typed`` there; ``kind`` is its row.

    ``at`` is the incident in whose channel and on whose page it stands, where it is in no answer to
    what was typed; 0 is the channel for all, and the list.
    """

    action_id: str
    kind: str
    who: str = "ana"
    typed: str = ""
    ready: Ready | None = None
    at: int = 1


async def prepare(room: ChatRoom) -> None:
    """Two incidents with alerts, one alert of none, and a catalog in which all of it can happen."""
    known = room.library.catalog
    for person in known.people:
        person.reach[:] = [Reach(notifier="sms", to=person.id)]
    room.library.catalog = known.model_copy(update={
        "regulations": [Regulation(id="gdpr")],
        "paper_places": [PaperPlace(id="wiki", integration="fake", target="http/shop")],
        "audiences": [AudiencePlace(id="executives", channels=[C_INCIDENTS])],
        "notifiers": [Notifier(id="sms", integration="fake", target="http/shop", when="pages")],
    })  # fmt: skip
    async with room.store.write() as session:
        for number, title in ((1, "The shop is down"), (2, "The blog is slow")):
            await room.incidents.declare(
                session, title=title, severity="sev2", actor="person:ana", origin=title
            )
            for name in ("Down", "Slow"):
                session.add(an_alert(f"{name}{number}", number))
        session.add(an_alert("Lost", None))


def an_alert(name: str, number: int | None) -> StoredAlert:
    return StoredAlert(
        source="alertmanager", fingerprint=name, status="firing", name=name, starts_at=now(),
        labels={"alertname": name}, annotations={}, state="routed", incident_id=number,
    )  # fmt: skip


def run(state: str, step: str = "", **output: Any) -> Ready:
    """A run in that state; ``step``: with one that waits for a person."""

    async def made(room: ChatRoom, at: int) -> None:
        more: dict[str, Any] = {"requester": "cleo", "plan": _PLAN, "started_at": now()}
        number = await room.plan(incident_id=at, state=state, pause=state == "paused", **more)
        async with room.store.write() as session:
            if step:
                session.add(StepAttempt(
                    run_id=number, step="drain", phase=_PHASE.get(step, "do"), attempt=1, epoch=0,
                    action=step, target="", state="unknown" if state == "unknown" else "waiting",
                    output={"by": "responder", "from": "approver", "count": 1, **output},
                ))  # fmt: skip
            await room.runs.show(session, await session.get_one(Run, number))

    return made


def reminder(what: str, button: str) -> Ready:
    """A reminder that asks for that."""

    async def made(room: ChatRoom, at: int) -> None:
        about = what.partition(":")[2] if button != "clock_done" else "gdpr:authority"
        payload = {
            "what": what, "text": f"{what} is due", "to": ["ana"], "due_at": "",
            "button": ["Do it", button, f"{at}" if button == "incident_ack" else f"{at}|{about}"],
        }  # fmt: skip
        async with room.store.write() as session:
            await room.incidents.outbox.say(session, at, f"reminder-{what}", "reminder", payload)

    return made


async def question(room: ChatRoom, at: int) -> None:
    """Whether alerts are an incident, of none so far."""
    del at
    await ask(room.store, room.clicks.questions, open_key=f"g{now()}")


async def made_private(room: ChatRoom, at: int) -> None:
    """#2 is for few."""
    del at
    await room.type_("/incident private", at=2)


async def paper(room: ChatRoom, at: int) -> None:
    """#2 has a postmortem that lacks nothing but Ana's approval, and she owns it."""
    del at
    async with room.store.write() as session:
        session.add(Postmortem(
            incident_id=2, state="in review", markdown="# P\n\n## Summary\n\nWords.\n", html="<p>",
            drawn_from=7, owner="ana", facilitator="ben",
        ))  # fmt: skip
        session.add(Reviewer(incident_id=2, person="ana", asked_by="ben"))


MANUAL = run("held", "manual", checklist=["Turn the key"])
APPROVAL = run("held", "approval")
DECISION = run("held", "decision", error="it broke")

BUTTONS = (
    Press("incident_lead", "commander_assigned"),
    Press("incident_lead", "commander_assigned", at=2),
    Press("handover_refuse", "handover_refused", "ben", "/incident handover ben"),
    Press("handover_accept", "commander_assigned", "ben", "/incident handover ben"),
    Press("task_done", "task_done", typed="/incident task Call the vendor"),
    Press("task_undo", "task_reopened"),
    Press("page_ack", "page_acknowledged", typed="/incident page ana we need you"),
    Press("update_send", "communication_sent", typed="/incident update executives It burns"),
    Press("update_write", "communication_sent", ready=reminder("update:internal", "update_write")),
    Press("incident_ack", "incident_acknowledged", ready=reminder("idle", "incident_ack")),
    Press("reminder_15m", "reminder_snoozed"),
    Press("reminder_1h", "reminder_snoozed"),
    Press("reminder_stop", "reminder_stopped"),
    Press("clock_done", "clock_met", typed="/incident clock gdpr start",
          ready=reminder("clock:gdpr:authority", "clock_done")),
    Press("run_request", "run_requested", ready=run("proposed")),
    Press("run_approve", "run_approved", "ben"),
    Press("run_refuse", "run_refused", "ben", ready=run("waiting")),
    Press("run_pause", "pause_requested", ready=run("running")),
    Press("run_resume", "run_resumed", ready=run("paused")),
    Press("run_abort", "run_aborted", ready=run("running")),
    Press("run_undo", "undo_requested", ready=run("succeeded")),
    Press("run_happened", "outcome_settled", ready=run("unknown", "haproxy.drain_server")),
    Press("run_not_happened", "outcome_settled", ready=run("unknown", "haproxy.drain_server")),
    Press("step_confirm", "manual_settled", ready=MANUAL),
    Press("step_cannot", "manual_settled", ready=MANUAL),
    Press("step_approve", "step_approved", "ben", ready=APPROVAL),
    Press("step_refuse", "step_refused", "ben", ready=APPROVAL),
    Press("step_retry", "decision_made", ready=DECISION),
    Press("step_skip", "decision_made", ready=DECISION),
    Press("step_undo", "decision_made", ready=DECISION),
    Press("step_stop", "decision_made", ready=DECISION),
    Press("question_refuse", "question_refused", ready=question, at=0),
    Press("question_declare", "incident_declared", ready=question, at=0),
    Press("incident_split", "alerts_moved", typed="/incident split #1 alertname=Down1"),
    Press("incident_join", "alerts_moved", typed="/incident join #1 alertname=Lost"),
    Press("incident_merge", "incident_merged", typed="/incident merge #2 into #1"),
    Press("incident_unmerge", "incident_unmerged", typed="/incident unmerge #2"),
    Press("incident_open_up", "incident_opened_up", typed="/incident private #2 off",
          ready=made_private),
    Press("incident_monitoring", "status_changed", at=2),
    Press("incident_resolve", "status_changed", at=2),
    Press("incident_reopen", "status_changed", at=2),
    Press("incident_resolve_export", "status_changed", at=2),
    Press("paper_approve", "postmortem_approved", typed="/incident postmortem #2", ready=paper),
    Press("paper_final", "postmortem_final", typed="/incident postmortem #2"),
    Press("paper_publish", "postmortem_publish_asked", typed="/incident postmortem #2"),
    Press("paper_draft", "postmortem_reopened", typed="/incident postmortem #2"),
    Press("paper_redraw", "postmortem_redraw_asked", typed="/incident postmortem #2"),
    Press("incident_close", "status_changed", at=2),
)  # fmt: skip
