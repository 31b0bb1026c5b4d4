"""The schemas by which everything is judged that the tests send are those of Slack's own types."""

import json
import subprocess

import pytest

from tests.slackstub import C_GENERAL, SlackStub, schemas
from tests.slackstub.args import Args
from tests.slackstub.npm import installed
from tests.slackstub.webapi_chat import content


def test_what_the_types_do_not_allow_is_named() -> None:
    """With the pointer to it, in a message and in a view."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
    assert schemas.faults("message", [section]) == []
    assert "[/1" in schemas.faults("message", [section, {"type": "section", "text": 3}])[0]
    assert schemas.faults("home", {"type": "home", "blocks": [section]}) == []
    assert schemas.faults("modal", {"type": "modal", "blocks": [section]})


@pytest.mark.server
async def test_a_fault_fails_the_test_that_made_it() -> None:
    """A rich text that the stub's own rules take but the types do not: told when the stub stops."""
    piece = {"type": "rich_text_section", "elements": [{"type": "colour", "name": "red"}]}
    slack = SlackStub()
    await slack.start()
    content(Args({"text": "x", "blocks": [{"type": "rich_text", "elements": [piece]}]}))
    assert slack.messages(C_GENERAL) == []
    with pytest.raises(AssertionError, match="Slack's own types"):
        await slack.stop()


@pytest.mark.slow
@pytest.mark.server
def test_the_schemas_are_those_of_the_package() -> None:
    """Generated anew from the locked @slack/types they are what is kept here."""
    installed(schemas.HERE)
    done = subprocess.run(
        ["npm", "run", "-s", "generate"], cwd=schemas.HERE, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == json.loads((schemas.HERE / "blocks.json").read_text("utf-8"))
    lock = json.loads((schemas.HERE / "package-lock.json").read_text("utf-8"))
    named = json.loads((schemas.HERE / "package.json").read_text("utf-8"))["dependencies"]
    assert {n: lock["packages"][f"node_modules/{n}"]["version"] for n in named} == named
