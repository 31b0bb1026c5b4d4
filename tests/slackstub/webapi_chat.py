"""Posting, changing and deleting messages."""

import copy
from dataclasses import replace
from typing import Any

from . import schemas
from .args import Args
from .blocks import ATTACHMENTS, check_message, elements_of
from .errors import HumanError, SlackError
from .render import message_json
from .state import Channel, Json, Message, Workspace
from .webapi import method

POST_TEXT = 40_000
UPDATE_TEXT = 4_000


def content(args: Args, *, top: int = POST_TEXT) -> Json:
    """A message's text, blocks and attachments, checked; ids filled in as Slack fills them in."""
    text = args.text("text")
    blocks = args.json("blocks", "invalid_blocks_format") or []
    attachments = args.json("attachments", "invalid_attachments") or []
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if not (text or blocks or attachments):
        raise SlackError("no_text")
    if len(text) > top:
        raise SlackError("msg_too_long")
    if len(attachments) > ATTACHMENTS:
        raise SlackError("too_many_attachments")
    check_message(blocks, attachments)
    schemas.note("message", blocks)
    kept = with_ids(blocks)
    attachments = [
        {"id": i, **a, **({"blocks": with_ids(a["blocks"])} if "blocks" in a else {})}
        for i, a in enumerate(attachments, 1)
    ]
    return {"text": text, "blocks": kept, "attachments": attachments}


def with_ids(blocks: list[Any]) -> list[Json]:
    """Blocks and elements that came without an id get one, by which a click can name them."""
    kept: list[Json] = copy.deepcopy(blocks)
    for index, block in enumerate(kept):
        block.setdefault("block_id", f"blk{index:02d}")
        for number, (_, element) in enumerate(elements_of(block)):
            if element["type"] != "image":
                element.setdefault("action_id", f"act{index:02d}{number:02d}")
    return kept


def _metadata(args: Args) -> Json | None:
    value = args.json("metadata", "invalid_metadata_format")
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    if not isinstance(value.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    return {"event_type": value["event_type"], "event_payload": value["event_payload"]}


def _target(ws: Workspace, args: Args) -> Channel:
    """Where to post: a channel's id, its name, or a person, whose direct messages it opens."""
    ident = args.text("channel")
    if ident in ws.users:
        return ws.im(ident)
    try:
        channel = ws.channel(ws.any_channel(ident).id)
    except HumanError:
        raise SlackError("channel_not_found") from None
    if channel.is_archived:
        raise SlackError("is_archived")
    public = not (channel.is_private or channel.is_im or channel.is_mpim)
    if ws.bot_user_id not in channel.members and not (public and ws.settings.public_post):
        raise SlackError("not_in_channel")
    return channel


@method("chat.postMessage", 4)
def post_message(ws: Workspace, args: Args) -> Json:
    channel, parts = _target(ws, args), content(args)
    thread = args.text("thread_ts") or None
    if thread and thread not in channel.messages:
        raise SlackError("thread_not_found")
    broadcast = "thread_broadcast" if thread and args.flag("reply_broadcast") else "bot_message"
    message = Message(
        ws.new_ts(),
        channel.id,
        ws.bot_user_id,
        **parts,
        thread_ts=channel.messages[thread].thread_ts or thread if thread else None,
        bot_id=ws.bot_id,
        username=args.text("username") or None,
        subtype=broadcast if broadcast == "thread_broadcast" else None,
        metadata=_metadata(args),
    )
    ws.post(message)
    shown = message_json(ws, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


@method("chat.postEphemeral", 4)
def post_ephemeral(ws: Workspace, args: Args) -> Json:
    channel, parts = _target(ws, args), content(args)
    user = args.text("user")
    if user not in ws.users or user not in channel.members:
        raise SlackError("user_not_in_channel")
    return {"message_ts": ephemeral(ws, channel, user, parts, args.text("thread_ts") or None).ts}


def ephemeral(
    ws: Workspace, channel: Channel, user: str, parts: Json, thread: str | None = None
) -> Message:
    message = Message(ws.new_ts(), channel.id, ws.bot_user_id, **parts, thread_ts=thread)
    message.bot_id, message.ephemeral_to = ws.bot_id, user
    channel.ephemerals[message.ts] = message
    return message


@method("chat.update", 3)
def update(ws: Workspace, args: Args) -> Json:
    channel = ws.channel(args.text("channel"))
    message = ws.message(channel, args.text("ts"))
    if message.bot_id != ws.bot_id:
        raise SlackError("cant_update_message")
    if channel.is_archived:
        raise SlackError("is_inactive")
    parts = content(args, top=UPDATE_TEXT)
    change(
        ws,
        message,
        ws.bot_user_id,
        {
            **{k: v for k, v in parts.items() if v or k in args.values or k == "blocks"},
            **({"metadata": _metadata(args)} if "metadata" in args.values else {}),
        },
    )
    shown = message_json(ws, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def change(ws: Workspace, message: Message, user: str, parts: Json) -> None:
    before = message_json(ws, replace(message))
    for name, value in parts.items():
        setattr(message, name, value)
    message.edited = {"user": user, "ts": ws.new_ts()}
    event: Json = {"type": "message", "subtype": "message_changed", "channel": message.channel}
    event |= {"message": message_json(ws, message), "previous_message": before}
    ws.emit(event | {"hidden": True, "ts": message.edited["ts"]})


@method("chat.delete", 3)
def delete(ws: Workspace, args: Args) -> Json:
    channel = ws.channel(args.text("channel"))
    message = ws.message(channel, args.text("ts"))
    if message.bot_id != ws.bot_id:
        raise SlackError("cant_delete_message")
    erase(ws, message)
    return {"channel": channel.id, "ts": message.ts}


def erase(ws: Workspace, message: Message) -> None:
    channel = ws.channels[message.channel]
    before = message_json(ws, message)
    del channel.messages[message.ts]
    channel.pins.pop(message.ts, None)
    event: Json = {"type": "message", "subtype": "message_deleted", "channel": channel.id}
    event |= {"deleted_ts": message.ts, "previous_message": before}
    ws.emit(event | {"hidden": True, "ts": ws.new_ts()})
