"""Services, people, alert rules and access paths, read from ``catalog/*.yaml``."""

from bot.catalog.model import Catalog, Check, Person, Rule, Service, Target
from bot.catalog.read import load_catalog

__all__ = ["Catalog", "Check", "Person", "Rule", "Service", "Target", "load_catalog"]
