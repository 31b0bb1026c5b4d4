"""What the stub refuses: each limit of blocks and views, by its pointer."""

import pytest
from slack_sdk.errors import SlackApiError

from tests.chat.stub_app import MODAL, client_of, plain
from tests.slackstub import C_GENERAL, U_ANA


def button(**more):
    return {"type": "button", "action_id": "a", "text": plain("b"), **more}


def select(**option):
    made = {"text": plain("o"), "value": "v", **option}
    return {"type": "static_select", "action_id": "s", "options": [made]}


def actions(*elements, **more):
    return {"type": "actions", "elements": list(elements), **more}


def section(text="x", **more):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


FIELD = {"type": "mrkdwn", "text": "f"}
BAD_BLOCKS = {
    "/blocks": [{"type": "divider"}] * 51,
    "/blocks/0/text/text": [section("x" * 3001)],
    "/blocks/1/text/text": [section(), {"type": "header", "text": plain("x" * 151)}],
    "/blocks/0/fields": [{"type": "section", "fields": [FIELD] * 11}],
    "/blocks/0/fields/0/text": [{"type": "section", "fields": [{**FIELD, "text": "x" * 2001}]}],
    "/blocks/0/elements": [actions(*[button(action_id=str(n)) for n in range(26)])],
    "/blocks/1/elements": [section(), {"type": "context", "elements": [FIELD] * 11}],
    "/blocks/0/elements/0/text/text": [actions(button(text=plain("x" * 76)))],
    "/blocks/0/elements/0/value": [actions(button(value="x" * 2001))],
    "/blocks/0/elements/0/options/0/text/text": [actions(select(text=plain("x" * 76)))],
    "/blocks/0/elements/0/options/0/value": [actions(select(value="x" * 151))],
    "/blocks/0/elements/0/action_id": [actions(button(action_id="x" * 256))],
    "/blocks/0/block_id": [section(block_id="x" * 256)],
    "/blocks/1/block_id": [section(block_id="b"), section(block_id="b")],
    "/blocks/0/elements/1/action_id": [actions(button(), button())],
    "/blocks/0": [{"type": "sektion"}],
    "/blocks/2": [section(), section(), {"type": "section"}],
    "/blocks/0/accessory": [section(accessory={"type": "plain_text_input"})],
    "/blocks/0/text": [section(text="x") | {"text": "not an object"}],
}


@pytest.mark.parametrize("pointer", BAD_BLOCKS)
async def test_block_limits_name_the_pointer(slack, pointer):
    """A message over one of Block Kit's limits is refused, and the answer says where."""
    with pytest.raises(SlackApiError) as caught:
        await client_of(slack).chat_postMessage(
            channel=C_GENERAL, text="x", blocks=BAD_BLOCKS[pointer]
        )
    answer = caught.value.response
    assert answer["error"] == "invalid_blocks"
    found = " ".join(answer["response_metadata"]["messages"])
    assert f"[json-pointer:{pointer}]" in found


BAD_VIEWS = {
    "/view/title/text": {"title": plain("x" * 25)},
    "/view/submit/text": {"submit": plain("x" * 25)},
    "/view/close/text": {"close": plain("x" * 25)},
    "/view/private_metadata": {"private_metadata": "x" * 3001},
    "/view/callback_id": {"callback_id": "x" * 256},
    "/view/blocks": {"blocks": [{"type": "divider"}] * 101},
    "/view": {"submit": None},
}


@pytest.mark.parametrize("pointer", BAD_VIEWS)
async def test_view_limits_name_the_pointer(slack, pointer):
    """A view over a limit is refused as Slack refuses views: with `invalid_arguments`."""
    trigger = slack.ws.new_trigger(U_ANA, slack.begin("test", U_ANA).id)
    with pytest.raises(SlackApiError) as caught:
        await client_of(slack).views_open(
            trigger_id=trigger.id, view={**MODAL, **BAD_VIEWS[pointer]}
        )
    answer = caught.value.response
    assert answer["error"] == "invalid_arguments"
    assert f"[json-pointer:{pointer}]" in " ".join(answer["response_metadata"]["messages"])
