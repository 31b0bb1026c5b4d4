"""Services, people, alert rules and access paths, read from ``catalog/*.yaml``."""

from bot.catalog.checks import Check, CheckStep
from bot.catalog.durations import LONGEST, seconds
from bot.catalog.files import entries
from bot.catalog.matching import check_match, match_words, matches
from bot.catalog.model import Catalog
from bot.catalog.people import Notifier, Person
from bot.catalog.read import catalog_files, load_catalog
from bot.catalog.redaction import Redaction
from bot.catalog.regulation import Regulation
from bot.catalog.rule import Rule
from bot.catalog.senders import Heartbeat, Source
from bot.catalog.service import Evidence, Service
from bot.catalog.severity import AUDIENCES, Audience, AudiencePlace, SeverityRule
from bot.catalog.target import AccessDrill, Target
from bot.catalog.tracker import Tracker

__all__ = [
    "AUDIENCES",
    "LONGEST",
    "AccessDrill",
    "Audience",
    "AudiencePlace",
    "Catalog",
    "Check",
    "CheckStep",
    "Evidence",
    "Heartbeat",
    "Notifier",
    "Person",
    "Redaction",
    "Regulation",
    "Rule",
    "Service",
    "SeverityRule",
    "Source",
    "Target",
    "Tracker",
    "catalog_files",
    "check_match",
    "entries",
    "load_catalog",
    "match_words",
    "matches",
    "seconds",
]
