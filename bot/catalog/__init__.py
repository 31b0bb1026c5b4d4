"""Services, people, alert rules and access paths, read from ``catalog/*.yaml``."""

from bot.catalog.checks import Check, CheckStep
from bot.catalog.files import entries
from bot.catalog.model import (
    AccessDrill,
    Catalog,
    Heartbeat,
    Notifier,
    Person,
    Rule,
    Service,
    Source,
    Target,
)
from bot.catalog.read import catalog_files, load_catalog

__all__ = [
    "AccessDrill",
    "Catalog",
    "Check",
    "CheckStep",
    "Heartbeat",
    "Notifier",
    "Person",
    "Rule",
    "Service",
    "Source",
    "Target",
    "catalog_files",
    "entries",
    "load_catalog",
]
