"""The one way out to Slack: everything with blocks is made to fit, and goes out as text if refused.

`SlackClient` looks at each call just before it is sent, whoever makes it; `respond` does the same
for response URLs, which are no methods of the Web API.
"""

from typing import Any

from aiohttp import ClientSession, ClientTimeout
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.chat import limits
from bot.chat.blocks import Block, clip, section
from bot.chat.fit import fit_message, fit_view, words
from bot.log import get

log = get("slack")
_REFUSED = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"}
_GONE, _TOO_MANY, _OF_THEIRS = 404, 429, 500
_NO_FORM = "This cannot be shown right now. Typed commands work: `/incident help` lists them."


class SlackClient(AsyncWebClient):
    """Slack's client, which never sends what Slack is known to refuse."""

    async def api_call(
        self,
        api_method: str,
        *,
        json: dict[str, Any] | None = None,
        **given: Any,  # noqa: ANN401 - as the library takes them
    ) -> AsyncSlackResponse:
        """One call. Blocks and views in ``json`` are fitted first; refused blocks go as text.

        The connection is kept: without a session the library shakes hands anew for each call.
        """
        if self.session is None:
            self.session = ClientSession(timeout=ClientTimeout(total=self.timeout))
        fitted = _fitted(api_method, json) if json else json
        try:
            return await super().api_call(api_method, json=fitted, **given)
        except SlackApiError as error:
            instead = _instead(api_method, fitted or {}, error)
            if instead is None:
                raise
        return await super().api_call(api_method, json=instead, **given)

    async def close(self) -> None:
        """Lets the connection go."""
        if self.session is not None:
            await self.session.close()


def _fitted(method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    made = dict(arguments)
    notes: list[str] = []
    if isinstance(blocks := made.get("blocks"), list) and blocks:
        made["blocks"], notes = fit_message(blocks)
    if isinstance(view := made.get("view"), dict):
        made["view"], notes = fit_view(view)
    if isinstance(text := made.get("text"), str):
        top = limits.UPDATED if method == "chat.update" else limits.POSTED
        made["text"] = clip(text, top)
    if notes:
        log.warning("slack_blocks_cut", method=method, changes=notes[:20])
    return made


def _instead(method: str, sent: dict[str, Any], error: SlackApiError) -> dict[str, Any] | None:
    """The same without what Slack refused; None where it was refused for something else."""
    data = getattr(error.response, "data", None)
    if not isinstance(data, dict):  # text or none, where a proxy answered or Slack fell over
        return None
    code = data.get("error")
    refused_blocks = code in _REFUSED and sent.get("blocks")
    refused_view = code == "invalid_arguments" and sent.get("view")
    if not refused_blocks and not refused_view:
        return None
    found = (data.get("response_metadata") or {}).get("messages") or []
    log.error("slack_blocks_refused", method=method, code=code, found=found[:20])
    if refused_view:
        view = {k: v for k, v in sent["view"].items() if k in ("type", "title", "close")}
        text = words(sent["view"]["blocks"]) if view["type"] == "home" else _NO_FORM
        return {**sent, "view": {**view, "blocks": [section(text or _NO_FORM)]}}
    return {
        **sent,
        "text": _all_words(method, sent),
        "blocks": [],
    }  # empty: else an edit keeps them


def _all_words(method: str, sent: dict[str, Any]) -> str:
    top = limits.UPDATED if method == "chat.update" else limits.POSTED
    return clip("\n".join(filter(None, (sent.get("text"), words(sent["blocks"])))), top)


async def respond(url: str, text: str, blocks: list[Block]) -> None:
    """Answers a person alone by their request's response URL.

    Raises `OSError` or aiohttp's `ClientError` where the same may work later. An URL that is used up or too
    old is given up, for nobody can hear it any more.
    """
    sent = _fitted("response_url", {"text": text, "blocks": blocks or None})
    hook = AsyncWebhookClient(url)
    answer = await hook.send(**sent, response_type="ephemeral", replace_original=False)
    if answer.status_code >= _OF_THEIRS or answer.status_code == _TOO_MANY:
        raise OSError(f"the response URL answered {answer.status_code}")
    if 400 <= answer.status_code != _GONE and sent.get("blocks"):  # noqa: PLR2004 - refused
        log.error("slack_blocks_refused", method="response_url", found=[answer.body[:500]])
        await hook.send(
            text=_all_words("response_url", sent), response_type="ephemeral", replace_original=False
        )
