"""Methods about who is who: the token's owner, people, user groups, the team, and sockets' tickets."""

import secrets

from .args import Args
from .errors import SlackError
from .paging import page
from .render import user_json, usergroup_json
from .state import Json, Workspace
from .webapi import method


@method("api.test", 4)
def api_test(_ws: Workspace, args: Args) -> Json:
    if error := args.text("error"):
        raise SlackError(error, args=dict(args.values))
    return {"args": {k: v for k, v in args.values.items() if k != "token"}}


@method("auth.test", 4)
def auth_test(ws: Workspace, _args: Args) -> Json:
    return {
        "url": f"https://{ws.domain}.slack.test/",
        "team": ws.team_name,
        "user": ws.users[ws.bot_user_id].name,
        "team_id": ws.team_id,
        "user_id": ws.bot_user_id,
        "bot_id": ws.bot_id,
        "is_enterprise_install": False,
    }


@method("apps.connections.open", 4)
def connections_open(ws: Workspace, _args: Args) -> Json:
    ticket = secrets.token_hex(16)
    ws.tickets.add(ticket)
    host = ws.base_url.replace("http://", "ws://", 1)
    return {"url": f"{host}/link/?ticket={ticket}&app_id={ws.app_id}"}


@method("team.info", 3)
def team_info(ws: Workspace, _args: Args) -> Json:
    icon = {f"image_{size}": f"{ws.base_url}/avatars/team_{size}.png" for size in (34, 44, 68)}
    return {
        "team": {
            "id": ws.team_id,
            "name": ws.team_name,
            "domain": ws.domain,
            "email_domain": "example.test",
            "icon": icon | {"image_default": True},
        }
    }


@method("users.info", 4)
def users_info(ws: Workspace, args: Args) -> Json:
    return {"user": user_json(ws, ws.user(args.text("user")))}


@method("users.list", 2)
def users_list(ws: Workspace, args: Args) -> Json:
    people, more = page(args, list(ws.users.values()), 1000)
    return {"members": [user_json(ws, u) for u in people], "cache_ts": ws.now(), **more}


@method("users.lookupByEmail", 3)
def lookup_by_email(ws: Workspace, args: Args) -> Json:
    wanted = args.text("email").lower()
    for user in ws.users.values():
        if wanted and user.email.lower() == wanted and not user.deleted:
            return {"user": user_json(ws, user)}
    raise SlackError("users_not_found")


@method("usergroups.list", 2)
def usergroups_list(ws: Workspace, args: Args) -> Json:
    users = args.flag("include_users")
    return {"usergroups": [usergroup_json(ws, g, users=users) for g in ws.usergroups.values()]}


@method("usergroups.users.list", 2)
def usergroups_users(ws: Workspace, args: Args) -> Json:
    group = ws.usergroups.get(args.text("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}
