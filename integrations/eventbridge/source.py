"""Events that Amazon EventBridge sends to an API destination."""

from collections.abc import Sequence

from bot.contract import Alert, RawRequest
from bot.contract.aws_events import event_alerts
from bot.contract.source import credential, known, require

SOURCE = "eventbridge"
HEADER = "x-api-key"


class EventBridgeSource:
    """A rule's target that is an API destination, with the event as it is."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """The connection's API key as ``x-api-key`` or a bearer token, or its basic password."""
        proven = known(credential(request), secrets)
        proven |= known(request.headers.get(HEADER, ""), secrets)
        require(proven, "EventBridge", f"Give the connection the API key name {HEADER}.")

    def parse(self, request: RawRequest) -> list[Alert]:
        """The alert of an event that fires or resolves one; none of any other event."""
        return event_alerts(SOURCE, request.body) or []
