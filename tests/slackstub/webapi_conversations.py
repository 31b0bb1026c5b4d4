"""The `conversations.*` methods that change or list channels."""

import re

from .args import Args
from .errors import SlackError
from .paging import page
from .render import channel_json
from .state import Channel, Json, Message, Workspace
from .webapi import method

NAME_MAX = 80
TOPIC_MAX = 250


def writable(ws: Workspace, args: Args, *, member: bool = True) -> Channel:
    """A channel that the bot may change: seen, not archived, and (mostly) joined."""
    channel = ws.channel(args.text("channel"))
    if channel.is_im:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    if member and ws.bot_user_id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def check_name(ws: Workspace, name: str, *, but: Channel | None = None) -> str:
    """Names are unique over public, private and archived channels alike."""
    if not name:
        raise SlackError("invalid_name_required")
    if len(name) > NAME_MAX:
        raise SlackError("invalid_name_maxlength")
    if re.fullmatch(r"[-_]+", name):
        raise SlackError("invalid_name_punctuation")
    if not re.fullmatch(r"[a-z0-9_-]+", name):
        raise SlackError("invalid_name_specials")
    if any(c.name == name and c is not but for c in ws.channels.values()):
        raise SlackError("name_taken")
    return name


def note(ws: Workspace, channel: Channel, user: str, subtype: str, text: str) -> None:
    """The grey line by which a channel says that something about it changed."""
    ws.post(Message(ws.new_ts(), channel.id, user, text, subtype=subtype))


@method("conversations.create", 2)
def create(ws: Workspace, args: Args) -> Json:
    name = check_name(ws, args.text("name").lstrip("#"))
    private = args.flag("is_private")
    channel = Channel(ws.new_id("C"), name, ws.bot_user_id, ws.now(), is_private=private)
    ws.channels[channel.id] = channel
    about = {"id": channel.id, "name": name, "created": channel.created, "creator": ws.bot_user_id}
    if not private:
        ws.emit({"type": "channel_created", "channel": about})
    ws.join(channel, ws.bot_user_id)
    return {"channel": channel_json(ws, channel)}


@method("conversations.list", 2)
def list_channels(ws: Workspace, args: Args) -> Json:
    found, more = page(args, _listed(ws, args))
    return {"channels": [channel_json(ws, c, num_members=True) for c in found], **more}


@method("users.conversations", 3)
def own_channels(ws: Workspace, args: Args) -> Json:
    """Those that the bot is in; that it is, is said of none."""
    found, more = page(args, [c for c in _listed(ws, args) if ws.bot_user_id in c.members])
    shown = [channel_json(ws, c) for c in found]
    return {"channels": [{k: c[k] for k in c if k != "is_member"} for c in shown], **more}


def _listed(ws: Workspace, args: Args) -> list[Channel]:
    kinds = set(args.listed("types") or ["public_channel"])
    if kinds - {"public_channel", "private_channel", "im", "mpim"}:
        raise SlackError("invalid_types")

    def wanted(channel: Channel) -> bool:
        if args.flag("exclude_archived") and channel.is_archived:
            return False
        if _kind(channel) != "public_channel" and ws.bot_user_id not in channel.members:
            return False
        return _kind(channel) in kinds

    return [c for c in ws.channels.values() if wanted(c)]


def _kind(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    if channel.is_mpim:
        return "mpim"
    return "private_channel" if channel.is_private else "public_channel"


@method("conversations.info", 3)
def info(ws: Workspace, args: Args) -> Json:
    channel = ws.channel(args.text("channel"))
    return {"channel": channel_json(ws, channel, num_members=args.flag("include_num_members"))}


@method("conversations.members", 4)
def members(ws: Workspace, args: Args) -> Json:
    found, more = page(args, ws.channel(args.text("channel")).members)
    return {"members": found, **more}


@method("conversations.join", 3)
def join(ws: Workspace, args: Args) -> Json:
    channel = writable(ws, args, member=False)
    if channel.is_private:
        raise SlackError("method_not_supported_for_channel_type")
    if ws.bot_user_id in channel.members:
        already = {"response_metadata": {"warnings": ["already_in_channel"]}}
        return {"channel": channel_json(ws, channel), "warning": "already_in_channel", **already}
    ws.join(channel, ws.bot_user_id)
    return {"channel": channel_json(ws, channel)}


@method("conversations.leave", 3)
def leave(ws: Workspace, args: Args) -> Json:
    channel = ws.channel(args.text("channel"))
    if ws.bot_user_id not in channel.members:
        return {"not_in_channel": True}
    channel.members.remove(ws.bot_user_id)
    return {}


@method("conversations.kick", 3)
def kick(ws: Workspace, args: Args) -> Json:
    channel, user = writable(ws, args), ws.user(args.text("user"))
    if user.id == ws.bot_user_id:
        raise SlackError("cant_kick_self")
    if user.id not in channel.members:
        raise SlackError("not_in_channel")
    channel.members.remove(user.id)
    ws.emit({"type": "member_left_channel", "user": user.id, "channel": channel.id})
    return {}


@method("conversations.invite", 3)
def invite(ws: Workspace, args: Args) -> Json:
    """One bad name refuses them all, unless `force` is set."""
    channel, users = writable(ws, args), args.listed("users")
    if not users:
        raise SlackError("no_user")
    if len(users) > 1000:
        raise SlackError("too_many_users")
    errors: list[Json] = []
    for user in users:
        if user not in ws.users or ws.users[user].deleted:
            errors.append({"user": user, "ok": False, "error": "user_not_found"})
        elif user == ws.bot_user_id:
            errors.append({"user": user, "ok": False, "error": "cant_invite_self"})
        elif user in channel.members:
            errors.append({"user": user, "ok": False, "error": "already_in_channel"})
    bad = {e["user"] for e in errors}
    if errors and (not args.flag("force") or len(bad) == len(set(users))):
        raise SlackError(errors[0]["error"], errors=errors)
    for user in users:
        if user not in bad:
            ws.join(channel, user, ws.bot_user_id)
    return {"channel": channel_json(ws, channel), **({"errors": errors} if errors else {})}


@method("conversations.setTopic", 2)
def set_topic(ws: Workspace, args: Args) -> Json:
    channel, topic = writable(ws, args), args.text("topic")
    if len(topic) > TOPIC_MAX:
        raise SlackError("too_long")
    channel.topic = {"value": topic, "creator": ws.bot_user_id, "last_set": ws.now()}
    note(ws, channel, ws.bot_user_id, "channel_topic", f"set the channel topic: {topic}")
    return {"channel": channel_json(ws, channel)}


@method("conversations.setPurpose", 2)
def set_purpose(ws: Workspace, args: Args) -> Json:
    channel, purpose = writable(ws, args), args.text("purpose")
    if len(purpose) > TOPIC_MAX:
        raise SlackError("too_long")
    channel.purpose = {"value": purpose, "creator": ws.bot_user_id, "last_set": ws.now()}
    note(ws, channel, ws.bot_user_id, "channel_purpose", f"set the channel description: {purpose}")
    return {"channel": channel_json(ws, channel)}


@method("conversations.archive", 2)
def archive(ws: Workspace, args: Args) -> Json:
    channel = ws.channel(args.text("channel"))
    if channel.is_general:
        raise SlackError("cant_archive_general")
    if channel.is_archived:
        raise SlackError("already_archived")
    if ws.bot_user_id not in channel.members:
        raise SlackError("not_in_channel")
    set_archived(ws, channel, ws.bot_user_id, True)
    return {}


@method("conversations.unarchive", 2)
def unarchive(ws: Workspace, args: Args) -> Json:
    channel = ws.channel(args.text("channel"))
    if not channel.is_archived:
        raise SlackError("not_archived")
    set_archived(ws, channel, ws.bot_user_id, False)
    return {}


def set_archived(ws: Workspace, channel: Channel, user: str, archived: bool) -> None:
    channel.is_archived = archived
    verb = "archive" if archived else "unarchive"
    ws.emit({"type": f"channel_{verb}", "channel": channel.id, "user": user, "is_moved": 0})


@method("conversations.rename", 2)
def rename(ws: Workspace, args: Args) -> Json:
    channel = writable(ws, args)
    if channel.creator != ws.bot_user_id:
        raise SlackError("not_authorized")
    set_name(ws, channel, check_name(ws, args.text("name").lstrip("#"), but=channel))
    return {"channel": channel_json(ws, channel)}


def set_name(ws: Workspace, channel: Channel, name: str) -> None:
    channel.previous_names.append(channel.name)
    channel.name = name
    about = {"id": channel.id, "name": name, "name_normalized": name, "created": channel.created}
    ws.emit({"type": "channel_rename", "channel": about | {"is_channel": not channel.is_private}})


@method("conversations.open", 3)
def open_conversation(ws: Workspace, args: Args) -> Json:
    users = [u for u in args.listed("users") if u != ws.bot_user_id]
    if ident := args.text("channel"):
        return {"channel": channel_json(ws, ws.channel(ident))}
    if not users:
        raise SlackError("users_list_not_supplied")
    for user in users:
        ws.user(user)
    found = ws.im(users[0]) if len(users) == 1 else _group_conversation(ws, users)
    whole = channel_json(ws, found)
    return {"channel": whole if args.flag("return_im") else {"id": found.id}}


def _group_conversation(ws: Workspace, users: list[str]) -> Channel:
    people = [ws.bot_user_id, *dict.fromkeys(users)]
    for channel in ws.channels.values():
        if channel.is_mpim and set(channel.members) == set(people):
            return channel
    names = "--".join(ws.users[u].name for u in people)
    ident = ws.new_id("C")
    group = Channel(ident, f"mpdm-{names}-1", ws.bot_user_id, ws.now(), True, is_mpim=True)
    group.members = people
    ws.channels[ident] = group
    return group
