"""What people attach to a channel or a message: bookmarks, pins, reactions."""

import re

from .args import Args
from .errors import SlackError
from .render import message_json
from .state import Channel, Json, Message, Workspace
from .webapi import method


def _member_channel(ws: Workspace, ident: str) -> Channel:
    channel = ws.channel(ident)
    if ws.bot_user_id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _bookmark(channel: Channel, args: Args) -> Json:
    found = channel.bookmarks.get(args.text("bookmark_id"))
    if found is None:
        raise SlackError("not_found")
    return found


@method("bookmarks.add", 2)
def bookmarks_add(ws: Workspace, args: Args) -> Json:
    channel = _member_channel(ws, args.text("channel_id"))
    title, kind, link = args.need("title"), args.text("type"), args.text("link")
    if kind != "link":
        raise SlackError("invalid_bookmark_type")
    if not re.match(r"https?://", link):
        raise SlackError("invalid_link")
    if len(channel.bookmarks) >= 100:
        raise SlackError("too_many_bookmarks")
    bookmark: Json = {
        "id": ws.new_id("Bk"),
        "channel_id": channel.id,
        "title": title,
        "link": link,
        "emoji": args.text("emoji"),
        "icon_url": "",
        "type": kind,
        "entity_id": None,
        "date_created": ws.now(),
        "date_updated": 0,
        "rank": str(len(channel.bookmarks)),
        "last_updated_by_user_id": ws.bot_user_id,
        "last_updated_by_team_id": ws.team_id,
        "app_id": ws.app_id,
    }
    channel.bookmarks[bookmark["id"]] = bookmark
    return {"bookmark": bookmark}


@method("bookmarks.edit", 2)
def bookmarks_edit(ws: Workspace, args: Args) -> Json:
    bookmark = _bookmark(_member_channel(ws, args.text("channel_id")), args)
    for key in ("title", "link", "emoji"):
        if key in args.values:
            bookmark[key] = args.text(key)
    bookmark["date_updated"] = ws.now()
    return {"bookmark": bookmark}


@method("bookmarks.list", 2)
def bookmarks_list(ws: Workspace, args: Args) -> Json:
    return {"bookmarks": list(_member_channel(ws, args.text("channel_id")).bookmarks.values())}


@method("bookmarks.remove", 2)
def bookmarks_remove(ws: Workspace, args: Args) -> Json:
    channel = _member_channel(ws, args.text("channel_id"))
    del channel.bookmarks[_bookmark(channel, args)["id"]]
    return {}


def _item(ws: Workspace, args: Args) -> tuple[Channel, Message]:
    channel, ts = _member_channel(ws, args.text("channel")), args.text("timestamp")
    if not ts:
        raise SlackError("no_item_specified")
    if not re.fullmatch(r"\d+\.\d+", ts):
        raise SlackError("bad_timestamp")
    return channel, ws.message(channel, ts)


@method("pins.add", 2)
def pins_add(ws: Workspace, args: Args) -> Json:
    channel, message = _item(ws, args)
    if channel.is_archived:
        raise SlackError("is_archived")
    if message.ts in channel.pins:
        raise SlackError("already_pinned")
    pin(ws, message, ws.bot_user_id)
    return {}


@method("pins.remove", 2)
def pins_remove(ws: Workspace, args: Args) -> Json:
    channel, message = _item(ws, args)
    if message.ts not in channel.pins:
        raise SlackError("no_pin")
    unpin(ws, message, ws.bot_user_id)
    return {}


@method("pins.list", 2)
def pins_list(ws: Workspace, args: Args) -> Json:
    channel = _member_channel(ws, args.text("channel"))
    return {
        "items": [
            p | {"type": "message", "message": message_json(ws, channel.messages[ts])}
            for ts, p in reversed(channel.pins.items())
        ]
    }


def pin(ws: Workspace, message: Message, user: str) -> None:
    channel = ws.channels[message.channel]
    channel.pins[message.ts] = {"channel": channel.id, "created": ws.now(), "created_by": user}
    _pin_event(ws, "pin_added", message, user)


def unpin(ws: Workspace, message: Message, user: str) -> None:
    del ws.channels[message.channel].pins[message.ts]
    _pin_event(ws, "pin_removed", message, user)


def _pin_event(ws: Workspace, kind: str, message: Message, user: str) -> None:
    item = {"type": "message", "channel": message.channel, "created": ws.now(), "created_by": user}
    item["message"] = message_json(ws, message)
    event = {"type": kind, "user": user, "channel_id": message.channel, "item": item}
    count = len(ws.channels[message.channel].pins)
    ws.emit(event | {"item_user": message.user, "pin_count": count, "event_ts": ws.new_ts()})


def _emoji(args: Args) -> str:
    name = args.text("name").strip(":")
    if not re.fullmatch(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?", name):
        raise SlackError("invalid_name")
    return name


@method("reactions.add", 3)
def reactions_add(ws: Workspace, args: Args) -> Json:
    name, (channel, message) = _emoji(args), _item(ws, args)
    if channel.is_archived:
        raise SlackError("is_archived")
    if ws.bot_user_id in message.reactions.get(name, []):
        raise SlackError("already_reacted")
    add_reaction(ws, message, name, ws.bot_user_id)
    return {}


@method("reactions.remove", 2)
def reactions_remove(ws: Workspace, args: Args) -> Json:
    name, (_, message) = _emoji(args), _item(ws, args)
    if ws.bot_user_id not in message.reactions.get(name, []):
        raise SlackError("no_reaction")
    take_reaction(ws, message, name, ws.bot_user_id)
    return {}


@method("reactions.get", 3)
def reactions_get(ws: Workspace, args: Args) -> Json:
    channel, message = _item(ws, args)
    return {"type": "message", "channel": channel.id, "message": message_json(ws, message)}


def add_reaction(ws: Workspace, message: Message, name: str, user: str) -> None:
    message.reactions.setdefault(name, []).append(user)
    _reaction_event(ws, "reaction_added", message, name, user)


def take_reaction(ws: Workspace, message: Message, name: str, user: str) -> None:
    message.reactions[name].remove(user)
    if not message.reactions[name]:
        del message.reactions[name]
    _reaction_event(ws, "reaction_removed", message, name, user)


def _reaction_event(ws: Workspace, kind: str, message: Message, name: str, user: str) -> None:
    item = {"type": "message", "channel": message.channel, "ts": message.ts}
    event = {"type": kind, "user": user, "reaction": name, "item": item}
    ws.emit(event | {"item_user": message.user, "event_ts": ws.new_ts()})
