"""The two ways in which the stub says no."""

from typing import Any


class SlackError(Exception):
    """Slack's own refusal: HTTP 200 with `ok: false` and a code that the caller must understand."""

    def __init__(self, code: str, *messages: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.messages = list(messages)
        self.extra = extra

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            body["response_metadata"] = {"messages": [f"[ERROR] {m}" for m in self.messages]}
        return body


class HumanError(AssertionError):
    """A test asked a person for something that Slack's own client would not let them do."""
