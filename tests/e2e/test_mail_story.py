"""A mail by SMTP becomes an incident, and the next one says that it is over."""

import asyncio
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.e2e.harness import Bot, write_runbooks
from tests.servers.process import HOST, free_port


def _mail(port: int, state: str, at: str) -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "nagios@example.com", f"** {state}: shop/HTTP **"
    message["Date"] = f"Mon, 23 Nov 2026 {at} +0000"
    message.set_content("https://nagios.example.com/shop")
    with smtplib.SMTP(HOST, port, timeout=10) as client:
        client.send_message(message, "nagios@example.com", ["nagios+s3cret@jackline.example.com"])


@pytest.mark.server
async def test_a_mail_becomes_an_incident(database_url: str, tmp_path: Path) -> None:
    """By the entry that the catalog has for this sender; what 250 was said to outlives a SIGKILL."""
    runbooks = write_runbooks(
        tmp_path / "runbooks", team="T0", edge="http://127.0.0.1:1", shop="http://127.0.0.1:1"
    )
    subject = r"(?P<state>[A-Z]+): (?P<service>\w+)/(?P<name>\w+)"
    (runbooks / "catalog" / "mail.yaml").write_text(
        "sources:\n  - name: nagios\n    integration: email\n"
        f"    settings:\n      subject: '{subject}'\n"
    )
    port = free_port()
    extra = {"JACKLINE_WEBHOOKS__NAGIOS__SECRETS": '["s3cret"]',
             "JACKLINE_MAIL__LISTEN": f"{HOST}:{port}"}  # fmt: skip
    async with Bot(tmp_path, runbooks, database_url, **extra) as bot:
        await asyncio.to_thread(_mail, port, "PROBLEM", "21:19:58")
        await bot.stop(9)
        await bot.start()
        received = await bot.row("alert_received")
        assert received["data"]["labels"]["from"] == "nagios@example.com"
        await asyncio.to_thread(_mail, port, "RECOVERY", "21:24:58")
        await bot.row("alert_resolved")
        incidents = await bot.api("/incidents")
        assert [i["services"] for i in incidents] == [["shop"]]
        assert (await bot.api("/alerts/count")) == {
            "stored": 2, "firing": 0, "by_source": {"nagios": 2},
        }  # fmt: skip
        assert "s3cret" not in bot.log()
