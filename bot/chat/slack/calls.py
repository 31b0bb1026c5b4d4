"""Slack's answers as Jackline's errors: what may be tried again and what may not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.contract.http import retry_after
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown

_AUTH = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
MISSING_SCOPE = "missing_scope"
_LIMITED = ("ratelimited", "rate_limited")  # the second one is what posts and edits say, too
_BROKEN = ("internal_error", "fatal_error", "service_unavailable")
# done was nothing, and it passes: cut off on its way, or the workspace is just being migrated
_NOT_NOW = ("request_timeout", "team_added_to_org", "org_login_required")
_SERVER_ERROR = 500
_RATE_LIMITED = 429


@asynccontextmanager
async def slack_errors(method: str, *, once: bool) -> AsyncIterator[None]:
    """Translates what a call raised.

    ``once``: the call must not be repeated blindly (posting, creating), so a lost answer is
    `Unknown`; for the others it is `Retryable`. So is what somebody else answered in Slack's place: a
    proxy's page says nothing of what became of the call, whatever its status.
    """
    lost = Unknown if once else Retryable
    try:
        yield
    except SlackApiError as error:
        raise _of_answer(method, error, lost) from error
    except aiohttp.ClientConnectorError as error:
        raise NotSent(f"Slack cannot be reached: {error}.") from error
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        raise lost(f"Slack did not answer {method}: {type(error).__name__}.") from error
    except AttributeError as error:
        if error.name != "get" or error.obj is None:
            raise
        # the library takes whatever was answered for an object
        raise lost(f"Something else than Slack answered {method}.") from error
    except SlackRequestError as error:  # a file's upload, which is no method of the Web API
        kind = Rejected if "(status: 4" in str(error) else lost
        raise kind(f"Slack did not take the file: {error}.") from error


def _of_answer(
    method: str, error: SlackApiError, lost: type[Unknown | Retryable]
) -> Unknown | Retryable | AuthFailed | Rejected:
    response = error.response
    status = getattr(response, "status_code", 200)
    data = getattr(response, "data", response)  # text, where a proxy answered instead of Slack
    code = data.get("error", "") if isinstance(data, dict) else ""
    if status == _RATE_LIMITED or code in _LIMITED:
        pause = retry_after(_headers(response)) or 1.0
        return Retryable(f"Slack limits {method}.", retry_after=pause)
    if code in _NOT_NOW:
        return Retryable(f"Slack does not take {method} just now: {code}.")
    if not code or status >= _SERVER_ERROR or code in _BROKEN:
        return lost(f"Slack failed at {method} ({code or status}).")
    if code in _AUTH:
        return AuthFailed(f"Slack refuses the bot's token: {code}.", hint="Install the app again.")
    needed = str(data.get("needed", "")) if code == MISSING_SCOPE and isinstance(data, dict) else ""
    return Rejected(f"Slack refused {method}: {code}.", field=needed)


def code_of(error: Rejected) -> str:
    """Slack's error code inside one of our refusals."""
    return error.message.rpartition(": ")[2].rstrip(".")


def granted_scopes(answer: AsyncSlackResponse) -> str | None:
    """What Slack says the token may, in the header of an answer; None where it says nothing."""
    return _headers(answer).get("x-oauth-scopes")


def _headers(answer: Any) -> dict[str, str]:  # noqa: ANN401 - the library's answer, or what it is made of
    return {name.lower(): value for name, value in (answer.headers or {}).items()}
