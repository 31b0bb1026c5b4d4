"""A ticket, as trackers are told of one."""

from datetime import UTC, datetime

from bot.contract import Ticket

ABOUT_JIRA = {"project": "OPS", "issue_type": "Bug"}
TICKET = Ticket(
    marker="jackline-1772334840-12-3",
    title="Alert 30 days before a certificate ends",
    text="Alert 30 days before a certificate ends\n\nType: detect\nOwner: Ana",
    made_at=datetime(2026, 3, 1, 5, 0, tzinfo=UTC),
    sent_at=datetime(2026, 3, 1, 5, 0, tzinfo=UTC),
)
