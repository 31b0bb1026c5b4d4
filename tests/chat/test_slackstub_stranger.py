"""Slack's JavaScript framework against the stub: a client that nobody here wrote or tuned."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.slackstub import C_GENERAL, U_ANA, SlackStub
from tests.slackstub.npm import installed

HERE = Path(__file__).parents[1] / "slackstub/stranger"


@pytest.fixture(scope="module")
def node() -> str:
    """Node, with the stranger's packages in place."""
    return installed(HERE)


@pytest.mark.server
async def test_the_javascript_client_walks_the_same_path(node):
    """Command, modal, refused and good submission, message, button, update, mention: by bolt-js."""
    async with SlackStub() as slack:
        env = {
            **os.environ,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
        }
        child = await asyncio.create_subprocess_exec(
            node,
            "app.mjs",
            cwd=HERE,
            env=env,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await slack.wait_sockets(timeout=30)
            done = await slack.command("/stranger", wait=3)
            assert done.acked
            view = done.views[0]["id"]
            refused = await slack.submit_view(view, {"what": "wrong"})
            assert refused.errors == {"what": "not that"}
            sent = await slack.submit_view(view, {"what": "good news"})
            assert sent.acked
            assert not sent.errors
            posted = await slack.wait_message(C_GENERAL, "heard: good news")
            assert posted.metadata == {
                "event_type": "heard",
                "event_payload": {"what": "good news"},
            }
            clicked = await slack.click(C_GENERAL, posted.ts, "done", wait=3)
            assert clicked.responses[0]["text"] == "thank you"
            await slack.wait_message(C_GENERAL, "done: good news")
            assert [m.text for m in slack.ephemerals(C_GENERAL, U_ANA)] == ["thank you"]
            said = await slack.mention(C_GENERAL, "status")
            await slack.wait_for(lambda: slack.messages(C_GENERAL, "you said", said.ts))
            await slack.disconnect_sockets()
            await slack.wait_for(lambda: slack.hub.connections == 2, 15)
            assert (await slack.command("/stranger", wait=3)).views
        finally:
            child.kill()
            await child.wait()
