"""The stub and somebody else's stand-in of Slack, asked the same: only reviewed differences.

`emulate` was written by others from Slack's pages. Where the two agree, that is worth something; where
they do not, the table below says who is right, and why.
"""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.servers.process import free_port
from tests.slackstub import SlackStub
from tests.slackstub.npm import installed
from tests.slackstub.webapi import METHODS

pytestmark = [pytest.mark.server, pytest.mark.slow]
HERE = Path(__file__).parent / "emulate"
SEED = """slack:
  team: {name: Stub Works, domain: stub-works}
  users: [{name: ana, real_name: Ana Alvarez, email: ana@example.test}]
"""
Json = dict[str, Any]
Given = dict[str, str]
Step = tuple[str, str, Callable[[Given], Json]]
TEXT = {"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}
HOME = {"type": "home", "blocks": [TEXT]}

# (name of the step, method, its arguments from what earlier steps left)
STEPS: list[Step] = [
    ("who am I", "auth.test", lambda g: {}),
    ("team", "team.info", lambda g: {}),
    ("users", "users.list", lambda g: {}),
    ("an app of nobody", "oauth.v2.access",
     lambda g: {"client_id": "1.2", "client_secret": "s", "code": "none"}),
    ("user", "users.info", lambda g: {"user": g["user"]}),
    ("no such user", "users.info", lambda g: {"user": "U0NOBODY"}),
    ("by email", "users.lookupByEmail", lambda g: {"email": "ana@example.test"}),
    ("by no email", "users.lookupByEmail", lambda g: {"email": "no@example.test"}),
    ("create", "conversations.create", lambda g: {"name": "inc-1-shop"}),
    ("create again", "conversations.create", lambda g: {"name": "inc-1-shop"}),
    ("create without a name", "conversations.create", lambda g: {"name": ""}),
    ("create in capitals", "conversations.create", lambda g: {"name": "Inc 1"}),
    ("create too long", "conversations.create", lambda g: {"name": "x" * 81}),
    ("create private", "conversations.create", lambda g: {"name": "secret", "is_private": True}),
    ("info", "conversations.info", lambda g: {"channel": g["channel"]}),
    ("info of none", "conversations.info", lambda g: {"channel": "C0NOWHERE"}),
    ("list", "conversations.list", lambda g: {"types": "public_channel"}),
    ("topic", "conversations.setTopic", lambda g: {"channel": g["channel"], "topic": "SEV1"}),
    ("purpose", "conversations.setPurpose", lambda g: {"channel": g["channel"], "purpose": "p"}),
    ("invite", "conversations.invite", lambda g: {"channel": g["channel"], "users": g["user"]}),
    ("invite again", "conversations.invite",
     lambda g: {"channel": g["channel"], "users": g["user"]}),
    ("invite nobody", "conversations.invite",
     lambda g: {"channel": g["channel"], "users": "U0NOBODY"}),
    ("members", "conversations.members", lambda g: {"channel": g["channel"]}),
    ("join", "conversations.join", lambda g: {"channel": g["channel"]}),
    ("open a conversation", "conversations.open", lambda g: {"users": g["user"]}),
    ("post", "chat.postMessage",
     lambda g: {"channel": g["channel"], "text": "hello", "blocks": [TEXT]}),
    ("post nothing", "chat.postMessage", lambda g: {"channel": g["channel"]}),
    ("post nowhere", "chat.postMessage", lambda g: {"channel": "C0NOWHERE", "text": "x"}),
    ("post in a thread", "chat.postMessage",
     lambda g: {"channel": g["channel"], "text": "re", "thread_ts": g["ts"]}),
    ("history", "conversations.history", lambda g: {"channel": g["channel"]}),
    ("replies", "conversations.replies", lambda g: {"channel": g["channel"], "ts": g["ts"]}),
    ("replies of none", "conversations.replies", lambda g: {"channel": g["channel"], "ts": "1.1"}),
    ("permalink", "chat.getPermalink",
     lambda g: {"channel": g["channel"], "message_ts": g["ts"]}),
    ("permalink of none", "chat.getPermalink",
     lambda g: {"channel": g["channel"], "message_ts": "1.1"}),
    ("edit", "chat.update",
     lambda g: {"channel": g["channel"], "ts": g["ts"], "text": "edited", "blocks": [TEXT]}),
    ("edit none", "chat.update", lambda g: {"channel": g["channel"], "ts": "1.1", "text": "x"}),
    ("for one alone", "chat.postEphemeral",
     lambda g: {"channel": g["channel"], "user": g["user"], "text": "psst"}),
    ("react", "reactions.add",
     lambda g: {"channel": g["channel"], "timestamp": g["ts"], "name": "eyes"}),
    ("react again", "reactions.add",
     lambda g: {"channel": g["channel"], "timestamp": g["ts"], "name": "eyes"}),
    ("react to none", "reactions.add",
     lambda g: {"channel": g["channel"], "timestamp": "1.1", "name": "eyes"}),
    ("reactions", "reactions.get", lambda g: {"channel": g["channel"], "timestamp": g["ts"]}),
    ("unreact", "reactions.remove",
     lambda g: {"channel": g["channel"], "timestamp": g["ts"], "name": "eyes"}),
    ("unreact again", "reactions.remove",
     lambda g: {"channel": g["channel"], "timestamp": g["ts"], "name": "eyes"}),
    ("pin", "pins.add", lambda g: {"channel": g["channel"], "timestamp": g["ts"]}),
    ("pin again", "pins.add", lambda g: {"channel": g["channel"], "timestamp": g["ts"]}),
    ("pins", "pins.list", lambda g: {"channel": g["channel"]}),
    ("unpin", "pins.remove", lambda g: {"channel": g["channel"], "timestamp": g["ts"]}),
    ("unpin again", "pins.remove", lambda g: {"channel": g["channel"], "timestamp": g["ts"]}),
    ("bookmark", "bookmarks.add",
     lambda g: {"channel_id": g["channel"], "title": "call", "type": "link",
                "link": "https://meet.example.test"}),
    ("bookmarks", "bookmarks.list", lambda g: {"channel_id": g["channel"]}),
    ("edit bookmark", "bookmarks.edit",
     lambda g: {"channel_id": g["channel"], "bookmark_id": g["bookmark"], "title": "room"}),
    ("remove bookmark", "bookmarks.remove",
     lambda g: {"channel_id": g["channel"], "bookmark_id": g["bookmark"]}),
    ("remove it again", "bookmarks.remove",
     lambda g: {"channel_id": g["channel"], "bookmark_id": g["bookmark"]}),
    ("ask to upload", "files.getUploadURLExternal", lambda g: {"filename": "a.txt", "length": 3}),
    ("upload without a name", "files.getUploadURLExternal", lambda g: {"length": 3}),
    ("uploaded", "files.completeUploadExternal",
     lambda g: {"files": [{"id": g["file"], "title": "A"}], "channel_id": g["channel"]}),
    ("home tab", "views.publish", lambda g: {"user_id": g["user"], "view": HOME}),
    ("home tab of nobody", "views.publish", lambda g: {"user_id": "U0NOBODY", "view": HOME}),
    ("modal without a trigger", "views.open",
     lambda g: {"trigger_id": "no", "view": {**HOME, "type": "modal",
                "title": {"type": "plain_text", "text": "t"}}}),
    ("push without a trigger", "views.push",
     lambda g: {"trigger_id": "no", "view": {**HOME, "type": "modal",
                "title": {"type": "plain_text", "text": "t"}}}),
    ("update no view", "views.update",
     lambda g: {"view_id": "V0NONE", "view": {**HOME, "type": "modal",
                "title": {"type": "plain_text", "text": "t"}}}),
    ("delete", "chat.delete", lambda g: {"channel": g["channel"], "ts": g["ts"]}),
    ("delete again", "chat.delete", lambda g: {"channel": g["channel"], "ts": g["ts"]}),
    ("kick", "conversations.kick", lambda g: {"channel": g["channel"], "user": g["user"]}),
    ("kick again", "conversations.kick", lambda g: {"channel": g["channel"], "user": g["user"]}),
    ("rename", "conversations.rename", lambda g: {"channel": g["channel"], "name": "inc-1-x"}),
    ("archive", "conversations.archive", lambda g: {"channel": g["channel"]}),
    ("archive again", "conversations.archive", lambda g: {"channel": g["channel"]}),
    ("post into the archive", "chat.postMessage",
     lambda g: {"channel": g["channel"], "text": "x"}),
    ("topic of the archive", "conversations.setTopic",
     lambda g: {"channel": g["channel"], "topic": "x"}),
    ("unarchive", "conversations.unarchive", lambda g: {"channel": g["channel"]}),
    ("unarchive again", "conversations.unarchive", lambda g: {"channel": g["channel"]}),
    ("invite back", "conversations.invite", lambda g: {"channel": g["channel"], "users": g["user"]}),
    ("leave", "conversations.leave", lambda g: {"channel": g["channel"]}),
    ("leave again", "conversations.leave", lambda g: {"channel": g["channel"]}),
]  # fmt: skip

# a step whose outcome differs (ours, theirs) -> who is right, and why
OUTCOMES: dict[str, str] = {
    "an app of nobody": "Slack asks first which app it is; theirs takes any while it is told of none",
    "create without a name": "invalid_name_required is Slack's code for that; theirs is for signs",
    "create in capitals": "Slack refuses capitals and spaces, theirs makes the channel",
    "kick again": "not_in_channel in Slack's own description, theirs has no such code there",
    "replies of none": "Slack answers thread_not_found, theirs with nothing",
}
# a field that they answer and we do not, or with another type, by its name -> why
FIELDS: dict[str, str] = {
    "image_48": "one of the many sizes of a face; nobody reads it",
    "status_emoji_display_info": "of a person's status, which nobody reads",
    "huddle_state": "of a person's huddle, which nobody reads",
    "huddle_state_expiration_ts": "same",
    "is_open": "Slack has it for direct conversations",
    "last_read": "of a person's own view of a channel; a bot reads nothing",
    "num_members": "Slack answers it only where it is asked for (include_num_members) and in lists",
    "errors": "of a kick; always empty in theirs",
    "purpose": "setPurpose repeats it in theirs; in Slack's description it stands in the channel",
    "response_metadata": "of a page that is the last one: Slack leaves it out or empty",
    "next_cursor": "same",
    "permalink": "of a pinned message; chat.getPermalink has it",
    "shortcut_id": "of a bookmark; always empty in theirs",
    "app_id": "of a bookmark: theirs knows no app, ours is one",
    "files[]": "what a finished upload is: ours answers id and title, as Slack's page shows",
}


async def ask(client: AsyncWebClient, method: str, arguments: Json) -> Json:
    """The answer, or its error code in an answer."""
    try:
        answer = await client.api_call(method, json=arguments)
    except SlackApiError as error:
        data = error.response.data
        return data if isinstance(data, dict) else {"ok": False, "error": str(data)[:40]}
    return dict(answer.data) if isinstance(answer.data, dict) else {}


async def walk(client: AsyncWebClient, user: str) -> dict[str, Json]:
    """All steps; what one leaves, later ones use."""
    given = {"user": user}
    answers: dict[str, Json] = {}
    for name, method, arguments in STEPS:
        answer = answers[name] = await ask(client, method, arguments(given))
        match name:
            case "create":
                given["channel"] = answer["channel"]["id"]
            case "post":
                given["ts"] = answer["ts"]
            case "bookmark":
                given["bookmark"] = answer["bookmark"]["id"]
            case "ask to upload":
                given["file"] = answer["file_id"]
                async with aiohttp.ClientSession() as session:
                    await session.post(answer["upload_url"], data=b"abc")
    return answers


def shape(value: Any, at: str = "") -> dict[str, str]:
    """Each path with its type; of a list its first entry."""
    if isinstance(value, dict):
        return {at: "object"} | {
            path: kind
            for key, each in value.items()
            for path, kind in shape(each, f"{at}/{key}").items()
        }
    if isinstance(value, list):
        return {at: "array"} | (shape(value[0], f"{at}[]") if value else {})
    return {
        at: "number"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else type(value).__name__
    }


def differences(ours: dict[str, Json], theirs: dict[str, Json]) -> dict[tuple[str, str], str]:
    """Another outcome, another type, and what they answer and we do not.

    What we answer besides is none: `test_contract` compares that with Slack's own description.
    """
    found = {}
    for name, _, _ in STEPS:
        mine, other = ours[name], theirs[name]
        outcomes = [answer.get("error", "ok") for answer in (mine, other)]
        if outcomes[0] != outcomes[1]:
            found[name, "outcome"] = " / ".join(outcomes)
        elif mine.get("ok"):
            left = shape(mine)
            for path, kind in shape(other).items():
                if left.get(path) != kind:
                    found[name, path] = f"{left.get(path, '-')} / {kind}"
    return found


def reason(step: str, path: str) -> str:
    """What was found at the review, by the name in the table; empty where nobody has looked."""
    if path == "outcome":
        return step if step in OUTCOMES else ""
    inside = "files[]" if path.startswith("/files[]/") else path.rpartition("/")[2]
    return inside if inside in FIELDS else ""


@pytest.fixture(scope="module")
def node() -> Path:
    installed(HERE)
    return HERE / "node_modules/node/bin/node"


@pytest.fixture
async def emulate(node: Path, tmp_path: Path) -> AsyncIterator[str]:
    """Its Web API's address."""
    port = free_port()
    (tmp_path / "seed.yaml").write_text(SEED)
    command = [node, HERE / "node_modules/.bin/emulate", "start", "--service", "slack"]
    child = subprocess.Popen(
        [*command, "--port", str(port), "--seed", tmp_path / "seed.yaml"], cwd=tmp_path,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}/api/"
    try:
        until = time.monotonic() + 30
        while True:
            try:
                async with aiohttp.ClientSession() as session:
                    await session.post(f"{url}api.test")
                break
            except aiohttp.ClientError:
                assert time.monotonic() < until, "emulate does not start"
                await asyncio.sleep(0.1)
        yield url
    finally:
        child.kill()
        child.wait()


async def user_of(client: AsyncWebClient) -> str:
    answer = await ask(client, "users.lookupByEmail", {"email": "ana@example.test"})
    return str(answer["user"]["id"])


async def test_only_reviewed_differences(emulate: str) -> None:
    """Asked the same in the same order; every method that both know is asked."""
    async with SlackStub() as slack:
        mine = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        other = AsyncWebClient("xoxb-any", base_url=emulate, retry_handlers=[])
        ours = await walk(mine, await user_of(mine))
        theirs = await walk(other, await user_of(other))
        found = differences(ours, theirs)
        unknown = {key: what for key, what in found.items() if not reason(*key)}
        assert not unknown, "\n".join(f"{key}: {what}" for key, what in unknown.items())
        reasons = {reason(*key) for key in found}
        assert reasons == OUTCOMES.keys() | FIELDS.keys(), "reviewed, and no difference any more"

        known = set()
        async with aiohttp.ClientSession() as session:
            for method in METHODS:
                async with session.post(f"{emulate}{method}") as answer:
                    if answer.status != 404:
                        known.add(method)
        assert known - {method for _, method, _ in STEPS} == set()
