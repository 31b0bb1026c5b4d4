"""A notice as a mail. Pure."""

from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from bot.contract import Notice


def letter(notice: Notice, to: str, sender: str) -> bytes:
    """The whole mail, seven bits wide. All mails of an incident make one conversation."""
    domain = sender.rpartition("@")[2]
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = " ".join(notice.subject.split())
    mail["Date"] = format_datetime(notice.at)
    mail["Message-ID"] = f"<{notice.id}@{domain}>"
    mail["References"] = f"<{notice.thread}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # no mailbox answers with its holiday note
    mail["X-Priority"] = "1"
    asked = f"\n\nAcknowledge: {notice.link}" if notice.link else ""
    mail.set_content(f"{notice.text}{asked}\n", cte="quoted-printable")
    return mail.as_bytes(policy=policy.SMTP)
