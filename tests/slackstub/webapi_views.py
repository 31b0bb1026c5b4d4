"""Modals and home tabs, and the stack in which modals lie on each other."""

import copy
import secrets
from typing import Any

from . import schemas
from .args import Args
from .blocks import check_view
from .errors import SlackError
from .render import view_json
from .state import Json, View, Workspace
from .webapi import method
from .webapi_chat import with_ids

STACK_MAX = 3


def read_view(value: Any, kind: str) -> Json:
    check_view(value)
    if value["type"] != kind:
        raise SlackError("invalid_arguments", f"must be a {kind} [json-pointer:/view/type]")
    schemas.note(value["type"], value)
    source: Json = copy.deepcopy(value)
    source["blocks"] = with_ids(source["blocks"])
    return source


def make_view(ws: Workspace, user: str, source: Json, under: View | None = None) -> View:
    external = source.get("external_id", "")
    if external and any(v.external_id == external and v.open for v in ws.views.values()):
        raise SlackError("duplicate_external_id")
    ident = ws.new_id("V")
    view = View(ident, user, source, new_hash(ws), ident, external_id=external)
    if under is not None:
        view.root_view_id, view.previous_view_id = under.root_view_id, under.id
    ws.views[ident] = view
    return view


def new_hash(ws: Workspace) -> str:
    return f"{ws.now()}.{secrets.token_hex(4)}"


def stack(ws: Workspace, root: str) -> list[View]:
    return [v for v in ws.views.values() if v.root_view_id == root and v.open]


def push_view(ws: Workspace, view: View, source: Json) -> View:
    if len(stack(ws, view.root_view_id)) >= STACK_MAX:
        raise SlackError("push_limit_reached")
    return make_view(ws, view.user, source, stack(ws, view.root_view_id)[-1])


def replace_view(ws: Workspace, view: View, source: Json) -> None:
    view.source, view.hash = source, new_hash(ws)
    view.external_id = source.get("external_id", view.external_id)


@method("views.open", 4)
def views_open(ws: Workspace, args: Args) -> Json:
    source = read_view(args.json("view", "invalid_arguments"), "modal")
    trigger = ws.spend_trigger(args.need("trigger_id"))
    view = make_view(ws, trigger.user, source)
    trigger.used = True
    ws.opened(view, trigger.interaction)
    return {"view": view_json(ws, view)}


@method("views.push", 4)
def views_push(ws: Workspace, args: Args) -> Json:
    source = read_view(args.json("view", "invalid_arguments"), "modal")
    trigger = ws.spend_trigger(args.need("trigger_id"))
    below = ws.views.get(trigger.view_id or "")
    if below is None or not below.open:
        raise SlackError("invalid_trigger_id")
    view = push_view(ws, below, source)
    trigger.used = True
    ws.opened(view, trigger.interaction)
    return {"view": view_json(ws, view)}


@method("views.update", 4)
def views_update(ws: Workspace, args: Args) -> Json:
    ident, external = args.text("view_id"), args.text("external_id")
    view = (
        ws.views.get(ident)
        if ident
        else next(
            (v for v in ws.views.values() if external and v.external_id == external and v.open),
            None,
        )
    )
    if view is None or not view.open:
        raise SlackError("not_found")
    source = read_view(args.json("view", "invalid_arguments"), view.source["type"])
    if args.text("hash") and args.text("hash") != view.hash:
        raise SlackError("hash_conflict")
    replace_view(ws, view, source)
    return {"view": view_json(ws, view)}


@method("views.publish", 4)
def views_publish(ws: Workspace, args: Args) -> Json:
    user = ws.user(args.need("user_id"))
    source = read_view(args.json("view", "invalid_arguments"), "home")
    known = ws.views.get(ws.homes.get(user.id, ""))
    if known is None:
        known = make_view(ws, user.id, source)
        ws.homes[user.id] = known.id
    else:
        if args.text("hash") and args.text("hash") != known.hash:
            raise SlackError("hash_conflict")
        replace_view(ws, known, source)
    return {"view": view_json(ws, known)}
