"""Alerts: accepted durably, grouped, held back, turned into incidents; checks and first evidence."""

from bot.alerts.access import AccessAlerts
from bot.alerts.behind import oldest_waiting, standstill
from bot.alerts.checks import CheckRunner
from bot.alerts.endings import Endings
from bot.alerts.evidence import EvidenceCollector
from bot.alerts.flaps import FlapWatch
from bot.alerts.heartbeats import Heartbeats
from bot.alerts.intake import Intake
from bot.alerts.questions import Questions
from bot.alerts.routing import AlertRouter
from bot.alerts.silences import Silences
from bot.alerts.tables import CheckSample, Question, Silence, StoredAlert

__all__ = [
    "AccessAlerts",
    "AlertRouter",
    "CheckRunner",
    "CheckSample",
    "Endings",
    "EvidenceCollector",
    "FlapWatch",
    "Heartbeats",
    "Intake",
    "Question",
    "Questions",
    "Silence",
    "Silences",
    "StoredAlert",
    "oldest_waiting",
    "standstill",
]
