"""The first evidence of an incident: what a responder would look up first, within seconds.

`collector` asks all places at once and within a limit; `places` says which those are; `own` is what
Jackline itself knows; `lines` and `shown` are pure; `book` records and tells.
"""

from bot.alerts.evidence.collector import EvidenceCollector

__all__ = ["EvidenceCollector"]
