"""Runbooks: the format, the plan, approvals and the run engine with its journal."""

from bot.runbooks.consent import approvers
from bot.runbooks.decisions import Decision, Decisions
from bot.runbooks.drills import Drills
from bot.runbooks.engine import RunEngine
from bot.runbooks.holds import held_up
from bot.runbooks.library import Library
from bot.runbooks.model import Runbook
from bot.runbooks.propose import Proposer
from bot.runbooks.requests import Runs
from bot.runbooks.tables import Approval, Run, StepAttempt

__all__ = [
    "Approval",
    "Decision",
    "Decisions",
    "Drills",
    "Library",
    "Proposer",
    "Run",
    "RunEngine",
    "Runbook",
    "Runs",
    "StepAttempt",
    "approvers",
    "held_up",
]
