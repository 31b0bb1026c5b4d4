"""Uploads in three steps: ask for a URL, send the bytes there, say where the file belongs."""

from aiohttp import web

from .args import Args
from .blocks import check_message
from .errors import SlackError
from .render import file_json
from .state import File, Json, Message, Workspace
from .webapi import method
from .webapi_chat import with_ids


@method("files.getUploadURLExternal", 4)
def upload_url(ws: Workspace, args: Args) -> Json:
    name = args.need("filename")
    length = args.number("length", 0, top=10**10, code="invalid_arguments")
    if not length:
        raise SlackError("invalid_arguments", "missing required field: length")
    ident = ws.new_id("F")
    ws.files[ident] = File(ident, name, name, ws.bot_user_id, length, ws.now())
    return {"upload_url": f"{ws.base_url}/upload/v1/{ident}?team={ws.team_id}", "file_id": ident}


async def receive(ws: Workspace, request: web.Request) -> web.Response:
    """The upload URL itself: raw bytes, or one part of a form."""
    file = ws.files.get(request.match_info["file"])
    if file is None or file.complete:
        return web.Response(status=404, text="no such upload")
    if request.content_type == "multipart/form-data":
        form = await request.post()
        part = next((v for v in form.values() if isinstance(v, web.FileField)), None)
        content = part.file.read() if part else b""
    else:
        content = await request.read()
    if len(content) != file.length:
        return web.Response(status=400, text=f"expected {file.length} bytes")
    file.content = content
    return web.Response(text=f"OK - {len(content)}")


async def serve(ws: Workspace, request: web.Request) -> web.Response:
    """Private downloads need the token: a link alone shows nobody a pinned screenshot."""
    if request.headers.get("Authorization") != f"Bearer {ws.bot_token}":
        return web.Response(status=302, headers={"Location": f"{ws.base_url}/signin"})
    file = ws.files.get(request.match_info["file"])
    if file is None or file.content is None:
        return web.Response(status=404)
    return web.Response(body=file.content, content_type=file_json(ws, file)["mimetype"])


@method("files.completeUploadExternal", 4)
def complete_upload(ws: Workspace, args: Args) -> Json:
    wanted = args.json("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted:
        raise SlackError("invalid_arguments", "missing required field: files")
    files = [_finished(ws, w) for w in wanted]
    places = args.listed("channel_id") or args.listed("channels")
    channels = [ws.channel(p) for p in places]
    for channel in channels:
        if ws.bot_user_id not in channel.members:
            raise SlackError("not_in_channel")
    blocks = args.json("blocks", "invalid_blocks") or []
    check_message(blocks, [])
    for file, source in zip(files, wanted, strict=True):
        file.complete, file.title = True, source.get("title") or file.name
        file.shared_in += [c.id for c in channels]
    for channel in channels:
        message = Message(ws.new_ts(), channel.id, ws.bot_user_id, args.text("initial_comment"))
        message.blocks, message.bot_id = with_ids(blocks), ws.bot_id
        message.thread_ts = args.text("thread_ts") or None
        message.files = [f.id for f in files]
        ws.post(message)
    return {"files": [file_json(ws, f) for f in files]}


def _finished(ws: Workspace, source: Json) -> File:
    file = ws.files.get(source.get("id", ""))
    if file is None or file.content is None or file.complete:
        raise SlackError("file_not_found")
    return file
