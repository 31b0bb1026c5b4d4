"""Who may press which button: one row for each button, with what stands behind it when it is pressed.

`test_who_may` presses each as each of `ROLES`; a button without a row fails there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import select

from bot.catalog import Person
from bot.chat.clicks import INCIDENT_CLICKS, RUN_CLICKS, STEP_CLICKS
from bot.chat.clock_card import CLOCK_CLICKS
from bot.chat.life_clicks import LIFE_CLICKS
from bot.chat.page_card import PAGE_CLICKS
from bot.chat.paper_card import PAPER_CLICKS
from bot.chat.question_card import QUESTION_CLICKS
from bot.chat.regroup import REGROUP_CLICKS
from bot.chat.reminder_card import REMINDER_CLICKS
from bot.chat.update_card import UPDATE_CLICKS
from bot.incidents.handover import Roles
from bot.paging.tables import Page, PageLink
from bot.postmortems import Postmortem
from bot.postmortems.editing.papers import Papers
from bot.postmortems.editing.reviews import Reviews
from bot.postmortems.editing.states import FINAL, REVIEW
from bot.postmortems.editing.tables import Reviewer
from tests.chat.every_button import (
    APPROVAL,
    DECISION,
    MANUAL,
    Ready,
    an_alert,
    question,
    reminder,
    run,
)
from tests.chat.room import ChatRoom
from tests.slackstub import U_BEN

TABLES = {
    "incident": INCIDENT_CLICKS, "life": LIFE_CLICKS, "regroup": REGROUP_CLICKS, "run": RUN_CLICKS,
    "step": STEP_CLICKS, "question": QUESTION_CLICKS, "page": PAGE_CLICKS, "update": UPDATE_CLICKS,
    "reminder": REMINDER_CLICKS, "clock": CLOCK_CLICKS, "paper": PAPER_CLICKS,
}  # fmt: skip

# What the one who presses is in the catalog. Who is not in it at all has no person there.
ROLES = {
    "stranger": None, "none": (), "responder": ("responder",), "commander": ("commander",),
    "approver": ("approver",), "admin": ("admin",),
}  # fmt: skip
NOBODY: frozenset[str] = frozenset()
WITH_ROLE = frozenset(ROLES) - {"stranger", "none"}
RESPONDERS = frozenset({"responder", "commander", "admin"})
COMMANDERS = frozenset({"commander", "admin"})
APPROVERS = frozenset({"approver", "admin"})
MANUALS = frozenset({"responder", "admin"})  # the step's front matter says who
ADMINS = frozenset({"admin"})
KNOWN = frozenset(ROLES) - {"stranger"}


@dataclass(frozen=True)
class Row:
    """One button in one situation. ``may``: who may press it; ``kind``: the row that it then leaves,
    nothing where what is written is shown to its author first.

    ``ready`` is done to the incident that Fay declared, then she types ``typed`` in its channel:
    ``{n}`` is its number, ``{m}`` that of the next one, which is there where it is named. She is an admin then; what she is when she
    presses decides.
    """

    action_id: str
    may: frozenset[str]
    kind: str
    ready: Sequence[Ready] = ()
    typed: str = ""
    asked: bool = False  # it stands in the channel for all
    also: str = ""  # what else of the situation decides

    @property
    def name(self) -> str:
        return f"{self.action_id} {self.also}".strip()


def status(*those: str) -> Ready:
    """Brought there by Ana."""

    async def made(room: ChatRoom, at: int) -> None:
        async with room.store.write() as session:
            incident = await room.incidents.get(session, at)
            for each in those:
                await room.incidents.set_status(session, incident, each, "person:ana")

    return made


def led(who: str) -> Ready:
    """Somebody commands it."""

    async def made(room: ChatRoom, at: int) -> None:
        async with room.store.write() as session:
            incident = await room.incidents.get(session, at)
            await room.incidents.take_command(session, incident, who)

    return made


def offered(to: str) -> Ready:
    """Ana commands, and hands it over."""

    async def made(room: ChatRoom, at: int) -> None:
        await led("ana")(room, at)
        ana, other = room.person("ana"), room.person(to)
        assert ana is not None
        async with room.store.write() as session:
            incident = await room.incidents.get(session, at)
            await Roles(room.incidents).hand_over(
                session, incident, other, ana, note=["All is said"], key=f"h{at}"
            )

    return made


def says(text: str) -> Ready:
    """Ana types it there."""

    async def made(room: ChatRoom, at: int) -> None:
        await room.type_(f"/incident {text}", at=at)

    return made


async def alerts(room: ChatRoom, at: int) -> None:
    """It has two, and there is one of no incident."""
    async with room.store.write() as session:
        for name in ("Down", "Slow"):
            session.add(an_alert(f"{name}{at}", at))
        session.add(an_alert(f"Lost{at}", None))


async def called(room: ChatRoom, at: int) -> None:
    """The message of her page is out."""
    async with room.store.write() as session:
        page = (await session.execute(select(Page).where(Page.incident_id == at))).scalar_one()
        session.add(PageLink(token_hash=f"h{at}", page_id=page.number, person="fay"))


def paper(state: str = REVIEW, *, owner: str = "ana", reviewer: str = "ana") -> Ready:
    """It is over and has a postmortem, which Ben facilitates; Ana, if it is hers to do, has approved it."""

    async def made(room: ChatRoom, at: int) -> None:
        await status("resolved")(room, at)
        ana = room.person("ana")
        assert ana is not None
        async with room.store.write() as session:
            incident = await room.incidents.get(session, at)
            row = Postmortem(
                incident_id=at, state=REVIEW, markdown="# P\n\n## Summary\n\nWords.\n", html="<p>",
                drawn_from=7, owner=owner, facilitator="ben",
            )  # fmt: skip
            session.add_all([row, Reviewer(incident_id=at, person=reviewer, asked_by="ben")])
            await session.flush()
            if reviewer == "ana":
                await Reviews(Papers(room.incidents)).approve(session, incident, ana)
            row.state = state

    return made


async def merged(room: ChatRoom, at: int) -> None:
    """The next one is part of it."""
    shown = await room.type_(f"/incident merge #{at + 1} into #{at}")
    (button,) = shown.blocks[-1]["elements"]
    await room.click(button["action_id"], button["value"])


ROWS = (
    Row("incident_lead", WITH_ROLE, "commander_assigned"),
    Row("incident_monitoring", WITH_ROLE, "status_changed"),
    Row("incident_resolve", WITH_ROLE, "status_changed"),
    Row("incident_resolve_export", WITH_ROLE, "incident_exported"),
    Row("incident_reopen", WITH_ROLE, "status_changed", [status("resolved")]),
    Row("incident_close", WITH_ROLE, "status_changed", [status("resolved")]),
    Row("handover_accept", WITH_ROLE, "commander_assigned", [offered("fay")]),
    Row("handover_accept", NOBODY, "commander_assigned", [offered("ben")], also="of Ben's"),
    Row("handover_refuse", WITH_ROLE, "handover_refused", [offered("fay")]),
    Row("handover_refuse", NOBODY, "handover_refused", [offered("ben")], also="of Ben's"),
    Row("incident_open_up", ADMINS, "incident_opened_up", [says("private")],
        "/incident private off"),
    Row("incident_open_up", WITH_ROLE, "incident_opened_up", [led("fay"), says("private")],
        "/incident private off", also="of her own"),
    Row("task_done", RESPONDERS, "task_done", [says("task Call the vendor")]),
    Row("task_undo", RESPONDERS, "task_reopened",
        [says("task Call the vendor"), says("task done 1")]),
    Row("incident_merge", RESPONDERS, "incident_merged", (),
        "/incident merge #{m} into #{n}"),
    Row("incident_unmerge", RESPONDERS, "incident_unmerged", [merged],
        "/incident unmerge #{m}"),
    Row("incident_split", RESPONDERS, "alerts_moved", [alerts],
        "/incident split #{n} alertname=Down{n}"),
    Row("incident_join", RESPONDERS, "alerts_moved", [alerts],
        "/incident join #{n} alertname=Lost{n}"),
    Row("run_request", WITH_ROLE, "run_requested", [run("proposed")]),
    Row("run_approve", APPROVERS, "run_approved", [run("waiting")]),
    Row("run_refuse", WITH_ROLE, "run_refused", [run("waiting")]),
    Row("run_pause", WITH_ROLE, "pause_requested", [run("running")]),
    Row("run_resume", WITH_ROLE, "run_resumed", [run("paused")]),
    Row("run_abort", WITH_ROLE, "run_aborted", [run("running")]),
    Row("run_undo", WITH_ROLE, "undo_requested", [run("succeeded")]),
    Row("run_happened", WITH_ROLE, "outcome_settled", [run("unknown", "haproxy.drain_server")]),
    Row("run_not_happened", WITH_ROLE, "outcome_settled", [run("unknown", "haproxy.drain_server")]),
    Row("step_confirm", MANUALS, "manual_settled", [MANUAL]),
    Row("step_cannot", MANUALS, "manual_settled", [MANUAL]),
    Row("step_approve", APPROVERS, "step_approved", [APPROVAL]),
    Row("step_refuse", WITH_ROLE, "step_refused", [APPROVAL]),
    Row("step_retry", WITH_ROLE, "decision_made", [DECISION]),
    Row("step_skip", WITH_ROLE, "decision_made", [DECISION]),
    Row("step_undo", WITH_ROLE, "decision_made", [DECISION]),
    Row("step_stop", WITH_ROLE, "decision_made", [DECISION]),
    Row("question_declare", RESPONDERS, "incident_declared", [question], asked=True),
    Row("question_refuse", RESPONDERS, "question_refused", [question], asked=True),
    Row("page_ack", RESPONDERS, "page_acknowledged", [says("page ben We need you")]),
    Row("page_ack", KNOWN, "page_acknowledged", [says("page fay We need you"), called], also="of her own"),
    Row("update_send", COMMANDERS, "communication_sent", (), "/incident update executives It burns"),
    Row("update_send", WITH_ROLE, "communication_sent", [led("fay")],
        "/incident update executives It burns", also="of an incident she commands"),
    Row("update_write", RESPONDERS, "communication_sent",
        [reminder("update:internal", "update_write")]),
    Row("update_write", COMMANDERS, "", [reminder("update:executives", "update_write")],
        also="to executives"),
    Row("incident_ack", RESPONDERS, "incident_acknowledged", [reminder("idle", "incident_ack")]),
    Row("reminder_15m", RESPONDERS, "reminder_snoozed", [reminder("idle", "incident_ack")]),
    Row("reminder_1h", RESPONDERS, "reminder_snoozed", [reminder("idle", "incident_ack")]),
    Row("reminder_stop", RESPONDERS, "reminder_stopped", [reminder("idle", "incident_ack")]),
    Row("clock_done", RESPONDERS, "clock_met",
        [says("clock gdpr start"), reminder("clock:gdpr:authority", "clock_done")]),
    Row("paper_approve", WITH_ROLE, "postmortem_approved", [paper(reviewer="fay")],
        "/incident postmortem"),
    Row("paper_approve", NOBODY, "postmortem_approved", [paper(reviewer="ben")],
        "/incident postmortem", also="that Ben reviews"),
    Row("paper_final", COMMANDERS, "postmortem_final", [paper()], "/incident postmortem"),
    Row("paper_final", RESPONDERS, "postmortem_final", [paper(owner="fay")],
        "/incident postmortem", also="of her own"),
    Row("paper_publish", COMMANDERS, "postmortem_publish_asked", [paper(FINAL)],
        "/incident postmortem"),
    Row("paper_draft", RESPONDERS, "postmortem_reopened", [paper()], "/incident postmortem"),
    Row("paper_draft", COMMANDERS, "postmortem_reopened", [paper(FINAL)], "/incident postmortem",
        also="of a final one"),
    Row("paper_redraw", RESPONDERS, "postmortem_redraw_asked", [paper()], "/incident postmortem"),
)  # fmt: skip

# The menu of a bare /incident: what its choice and its form come to, by the same rules as what is typed.
MENU = (
    Row("menu_lead", WITH_ROLE, "commander_assigned"),
    Row("menu_resolve", WITH_ROLE, "status_changed"),
    Row("menu_close", WITH_ROLE, "status_changed", [status("resolved")]),
    Row("menu_reopen", WITH_ROLE, "status_changed", [status("resolved")]),
    Row("menu_task", RESPONDERS, "task_added"),
    Row("menu_status", WITH_ROLE, "status_changed"),
    Row("menu_severity", WITH_ROLE, "severity_changed"),
    Row("menu_role", RESPONDERS, "role_assigned"),
    Row("menu_run", WITH_ROLE, "run_requested"),
    Row("menu_page", RESPONDERS, "page_opened"),
    Row("menu_update", RESPONDERS, "communication_sent"),
)  # fmt: skip

FORMS: dict[str, dict[str, str]] = {
    "menu_task": {"text": "Call the vendor", "who": U_BEN},
    "menu_status": {"choice": "mitigating"},
    "menu_severity": {"choice": "sev1"},
    "menu_role": {"choice": "operations", "who": U_BEN},
    "menu_run": {"choice": "fix", "inputs": "percent=5"},
    "menu_page": {"choice": "ben", "why": "We need you"},
    "menu_update": {"text": "We look at it", "next": "30m"},
}


def become(room: ChatRoom, role: str, slack: str) -> None:
    """From now on Fay is that in the catalog, or nobody."""
    roles, known = ROLES[role], room.library.catalog
    fay = {
        "id": "fay", "name": "Fay", "roles": roles, "slack": [slack],
        "reach": [{"notifier": "sms", "to": "fay"}],
    }  # fmt: skip
    people = [p for p in known.people if p.id != "fay"]
    if roles is not None:
        people.append(Person.model_validate(fay))
    room.library.catalog = known.model_copy(update={"people": people})
