"""A server that speaks Slack's protocol, so that the very same app runs against it unchanged.

In process: `async with SlackStub() as slack`, then `AsyncWebClient(base_url=slack.api_url, …)`.
In another process: `python -m tests.slackstub`, and `RemoteStub(control_url)` with the same methods.
It keeps Slack's limits and refusals, and fails on request in the ways in which Slack fails.
"""

from .errors import HumanError
from .remote import RemoteStub
from .responses import Interaction
from .server import SlackStub
from .state import C_GENERAL, C_INCIDENTS, U_ANA, U_BEN, U_CAROL, Channel, Message, User
from .teams import Team

__all__ = [
    "C_GENERAL",
    "C_INCIDENTS",
    "U_ANA",
    "U_BEN",
    "U_CAROL",
    "Channel",
    "HumanError",
    "Interaction",
    "Message",
    "RemoteStub",
    "SlackStub",
    "Team",
    "User",
]
