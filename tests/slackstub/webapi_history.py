"""Reading a channel back: history, threads, permalinks."""

import re

from .args import Args
from .errors import SlackError
from .paging import page
from .render import message_json
from .state import Channel, Json, Message, Workspace
from .webapi import method

_TS = re.compile(r"\d+(\.\d+)?")


def _readable(ws: Workspace, args: Args) -> Channel:
    channel = ws.channel(args.text("channel"))
    if ws.bot_user_id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _between(args: Args, messages: list[Message]) -> list[Message]:
    oldest, latest = args.text("oldest") or "0", args.text("latest") or "9999999999"
    for name, value in (("oldest", oldest), ("latest", latest)):
        if not _TS.fullmatch(value):
            raise SlackError(f"invalid_ts_{name}")
    low, high = _micros(oldest), _micros(latest)
    if args.flag("inclusive"):
        return [m for m in messages if low <= _micros(m.ts) <= high]
    return [m for m in messages if low < _micros(m.ts) < high]


def _micros(ts: str) -> int:
    whole, _, part = ts.partition(".")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0")[:6] or 0)


@method("conversations.history", 3)
def history(ws: Workspace, args: Args) -> Json:
    channel = _readable(ws, args)
    top = [
        m
        for m in channel.messages.values()
        if not m.thread_ts or m.thread_ts == m.ts or m.subtype == "thread_broadcast"
    ]
    found, more = page(args, _between(args, top)[::-1])
    following = more["response_metadata"]["next_cursor"]
    metadata = args.flag("include_all_metadata")
    return {
        "messages": [message_json(ws, m, metadata=metadata) for m in found],
        "has_more": bool(following),
        "pin_count": len(channel.pins),
        "channel_actions_ts": None,
        "channel_actions_count": 0,
        **(more if following else {}),
    }


@method("conversations.replies", 3)
def replies(ws: Workspace, args: Args) -> Json:
    channel, ts = _readable(ws, args), args.text("ts")
    parent = channel.messages.get(ts)
    if parent is None:
        raise SlackError("thread_not_found")
    root = parent.thread_ts or parent.ts
    thread = [m for m in channel.messages.values() if root in {m.ts, m.thread_ts}]
    first = [m for m in thread if m.ts == root]
    rest = _between(args, [m for m in thread if m.ts != root])
    found, more = page(args, first + rest, 1000)
    following = more["response_metadata"]["next_cursor"]
    metadata = args.flag("include_all_metadata")
    return {
        "messages": [message_json(ws, m, metadata=metadata) for m in found],
        "has_more": bool(following),
        **(more if following else {}),
    }


@method("chat.getPermalink", 4)
def permalink(ws: Workspace, args: Args) -> Json:
    channel = ws.channel(args.text("channel"))
    message = ws.message(channel, args.text("message_ts"))
    place = f"{channel.id}/p{message.ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": f"https://{ws.domain}.slack.test/archives/{place}"}
