"""A notice, and a connection that trusts the test's own authority."""

from datetime import UTC, datetime

from bot.contract import Notice

NOTICE = Notice(
    id="jackline-12-7.mail",
    thread="jackline-12",
    subject="#12 SEV1 mitigating: Search is slow",
    text="03:12 UTC Status: investigating → mitigating\n03:14 UTC Drain eu1: succeeded",
    at=datetime(2026, 3, 1, 3, 14, tzinfo=UTC),
)
HOSTILE = NOTICE.model_copy(
    update={
        "subject": "#12 SEV1 declared: a\r\nBcc: all@example.com\r\nQUIT :\x01",
        "text": "one\r\nPRIVMSG #other :x\n.\r\n</Say><Hangup/>\u2028\0two & three",
    }
)
