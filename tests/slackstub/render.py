"""How the state looks on the wire: one function for each of Slack's objects."""

import hashlib
from urllib.parse import quote

from .state import Channel, File, Json, Message, User, Usergroup, View, Workspace


def user_json(ws: Workspace, user: User) -> Json:
    first, _, last = user.real_name.partition(" ")
    avatar = hashlib.sha256(user.id.encode()).hexdigest()[:12]
    profile: Json = {
        "title": "",
        "phone": "",
        "skype": "",
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "first_name": first,
        "last_name": last,
        "fields": {},
        "status_text": "",
        "status_emoji": "",
        "status_expiration": 0,
        "avatar_hash": avatar,
        "image_24": f"{ws.base_url}/avatars/{avatar}_24.png",
        "image_192": f"{ws.base_url}/avatars/{avatar}_192.png",
        "team": ws.team_id,
    }
    if user.email:
        profile["email"] = user.email
    if user.id == ws.bot_user_id:
        profile |= {"bot_id": ws.bot_id, "api_app_id": ws.app_id, "always_active": True}
    return {
        "id": user.id,
        "team_id": ws.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "color": avatar[:6],
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": 3600,
        "profile": profile,
        "is_admin": user.is_admin,
        "is_owner": user.is_admin,
        "is_primary_owner": user.is_admin,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": user.updated,
    }


def channel_json(ws: Workspace, channel: Channel, *, num_members: bool = False) -> Json:
    common: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.is_archived,
    }
    common |= {"is_im": channel.is_im, "is_org_shared": False}
    if channel.is_im:
        other = next((m for m in channel.members if m != ws.bot_user_id), ws.bot_user_id)
        return common | {"user": other, "is_user_deleted": False, "priority": 0}
    public = not (channel.is_private or channel.is_mpim)
    body = common | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": public,
        "is_group": channel.is_private and not channel.is_mpim,
        "is_mpim": channel.is_mpim,
        "is_private": not public,
        "is_general": channel.is_general,
        "is_member": ws.bot_user_id in channel.members,
        "is_shared": False,
        "is_ext_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "unlinked": 0,
        "creator": channel.creator,
        "topic": dict(channel.topic),
        "purpose": dict(channel.purpose),
        "previous_names": list(channel.previous_names),
        "priority": 0,
    }
    return body | ({"num_members": len(channel.members)} if num_members else {})


def file_json(ws: Workspace, file: File) -> Json:
    kind = file.name.rpartition(".")[2] if "." in file.name else "text"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": "image/png" if kind == "png" else "text/plain",
        "filetype": kind,
        "pretty_type": kind.upper(),
        "user": file.user,
        "size": len(file.content or b""),
        "mode": "hosted",
        "is_external": False,
        "is_public": True,
        "url_private": f"{ws.base_url}/files-pri/{file.id}/{quote(file.name)}",
        "url_private_download": f"{ws.base_url}/files-pri/{file.id}/download/{quote(file.name)}",
        "permalink": f"https://{ws.domain}.slack.test/files/{file.user}/{file.id}",
        "channels": list(file.shared_in),
    }


def bot_profile(ws: Workspace) -> Json:
    return {
        "id": ws.bot_id,
        "app_id": ws.app_id,
        "name": ws.users[ws.bot_user_id].name,
        "team_id": ws.team_id,
        "deleted": False,
        "updated": ws.users[ws.bot_user_id].updated,
        "icons": {
            f"image_{size}": f"{ws.base_url}/avatars/bot_{size}.png" for size in (36, 48, 72)
        },
    }


def message_json(ws: Workspace, message: Message, *, metadata: bool = False) -> Json:
    """A message as history shows it; its metadata only for those who ask for it, as at Slack."""
    body: Json = {"type": "message", "ts": message.ts, "user": message.user, "text": message.text}
    body["team"] = ws.team_id
    if message.bot_id:
        body |= {"bot_id": message.bot_id, "app_id": ws.app_id, "bot_profile": bot_profile(ws)}
    for key in ("subtype", "username", "edited", "client_msg_id"):
        if getattr(message, key):
            body[key] = getattr(message, key)
    if message.blocks:
        body["blocks"] = message.blocks
    if message.attachments:
        body["attachments"] = message.attachments
    if message.files:
        body["files"] = [file_json(ws, ws.files[f]) for f in message.files]
    if message.metadata and metadata:
        body["metadata"] = message.metadata
    body |= _reactions(message)
    channel = ws.channels[message.channel]
    if message.ts in channel.pins:
        body["pinned_to"] = [channel.id]
    if message.ephemeral_to:
        return body | {"is_ephemeral": True}
    return body | _thread(channel, message)


def _reactions(message: Message) -> Json:
    counted = [
        {"name": name, "users": list(users), "count": len(users)}
        for name, users in message.reactions.items()
    ]
    return {"reactions": counted} if counted else {}


def _thread(channel: Channel, message: Message) -> Json:
    if message.thread_ts and message.thread_ts != message.ts:
        parent = channel.messages.get(message.thread_ts)
        found = {"parent_user_id": parent.user} if parent else {}
        return {"thread_ts": message.thread_ts, **found}
    replies = [
        m for m in channel.messages.values() if m.thread_ts == message.ts and m is not message
    ]
    if not replies:
        return {}
    people = list(dict.fromkeys(m.user for m in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": people,
        "reply_users_count": len(people),
        "latest_reply": replies[-1].ts,
        "is_locked": False,
        "subscribed": False,
    }


def view_json(ws: Workspace, view: View, values: Json | None = None) -> Json:
    source = view.source
    body: Json = {
        "id": view.id,
        "team_id": ws.team_id,
        "type": source["type"],
        "blocks": source.get("blocks", []),
        "private_metadata": source.get("private_metadata", ""),
        "callback_id": source.get("callback_id", ""),
        "state": {"values": values or {}},
        "hash": view.hash,
        "title": source.get("title"),
        "close": source.get("close"),
        "submit": source.get("submit"),
        "clear_on_close": bool(source.get("clear_on_close")),
        "notify_on_close": bool(source.get("notify_on_close")),
        "previous_view_id": view.previous_view_id,
        "root_view_id": view.root_view_id,
        "external_id": view.external_id,
        "app_id": ws.app_id,
        "app_installed_team_id": ws.team_id,
        "bot_id": ws.bot_id,
    }
    return body


def usergroup_json(ws: Workspace, group: Usergroup, *, users: bool) -> Json:
    body: Json = {
        "id": group.id,
        "team_id": ws.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": group.created,
        "date_update": group.created,
        "date_delete": 0,
        "auto_type": None,
        "auto_provision": False,
        "enterprise_subteam_id": "",
        "created_by": ws.bot_user_id,
        "updated_by": ws.bot_user_id,
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
        "user_count": len(group.users),
    }
    return body | ({"users": list(group.users)} if users else {})
