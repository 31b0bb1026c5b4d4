"""Puts the console together: every route it has is in this file."""

import hashlib
import importlib.resources
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from bot.access import PathProof
from bot.catalog import Catalog
from bot.chat.cards import SIGN, Cards
from bot.chat.clicks import Clicks
from bot.chat.commands import Commands
from bot.chat.console import (
    access,
    acking,
    composer,
    configured,
    figures,
    forms,
    installing,
    live,
    mrkdwn,
    oncall,
    pages,
    paper,
    paper_posts,
    posts,
    reads,
    runbooks,
    searching,
    signin,
)
from bot.chat.console import exports as files
from bot.chat.console.desk import Desk, Postmortem
from bot.chat.console.guard import open_to_all, private
from bot.chat.console.passwords import Passwords
from bot.chat.console.sessions import Sessions
from bot.chat.slack.oauth import Installer
from bot.chat.standing import lasted
from bot.errors import NotFound
from bot.incidents import ACTIVE, SEVERITIES, Incidents
from bot.postmortems.exports import Exports
from bot.runbooks import Runs
from bot.settings import Shown
from bot.store import Store

_HERE = Path(__file__).parent
_HTMX = Path(str(importlib.resources.files("django_htmx"))) / "static" / "django_htmx"
_FILES = {
    "htmx.js": _HTMX / "htmx-2.min.js",
    "sse.js": _HTMX / "ext" / "hx-sse-2.min.js",
    "console.js": _HERE / "static" / "console.js",
    "composer.js": _HERE / "static" / "composer.js",
    "paper.js": _HERE / "static" / "paper.js",
    "shortcuts.js": _HERE / "static" / "shortcuts.js",
    "console.css": _HERE / "static" / "console.css",
    "icon.svg": _HERE / "static" / "icon.svg",
}


def build_console(
    *,
    store: Store,
    cards: Cards,
    commands: Commands,
    clicks: Clicks,
    incidents: Incidents,
    runs: Runs,
    postmortem: Callable[[AsyncSession, int], Awaitable[Postmortem | None]],
    exports: Exports,
    catalog: Callable[[], Catalog],
    session_key: bytes,
    data_dir: Path,
    settings: Callable[[], Sequence[Shown]],
    proofs: Callable[[], Awaitable[Sequence[PathProof]]],
    notice: Callable[[], str] = lambda: "",
    installer: Installer | None = None,
) -> list[BaseRoute]:
    """The console's routes, for the web app to take in.

    ``notice`` is one line for everybody, such as that Slack cannot be reached, or empty.
    """
    passwords = Passwords(store, incidents.ledger, session_key, catalog)
    desk = Desk(
        store=store, commands=commands, clicks=clicks, incidents=incidents, runs=runs,
        cards=Cards(cards.catalog, "", inside=True),
        postmortem=postmortem, exports=exports, catalog=catalog, passwords=passwords,
        sessions=Sessions(session_key, catalog, passwords.since), data_dir=data_dir, notice=notice, settings=settings, proofs=proofs, templates=_templates(),
        installer=installer,
    )  # fmt: skip
    one = "/incidents/{id:int}"
    return [
        Route("/", private(desk, pages.listing)),
        Route("/list", private(desk, pages.list_fragment)),
        Route("/events", private(desk, live.list_events)),
        Route(one, private(desk, pages.incident)),
        Route(one + "/feed", private(desk, pages.feed), methods=["GET", "POST"]),
        Route(one + "/events", private(desk, live.incident_events)),
        Route(one + "/export.{kind}", private(desk, files.export, drawn=True)),
        Route(one + "/postmortem", private(desk, pages.postmortem_page)),
        Route(one + "/postmortem/edit", private(desk, paper.overview)),
        Route(one + "/postmortem/edit/{section}", private(desk, paper.editor)),
        Route(
            one + "/postmortem/edit/{section}", private(desk, paper_posts.save), methods=["POST"]
        ),
        Route(one + "/postmortem/preview", private(desk, paper_posts.look), methods=["POST"]),
        Route(one + "/postmortem/history", private(desk, paper.past)),
        Route(one + "/postmortem/do/{what}", private(desk, paper_posts.step), methods=["POST"]),
        Route(one + "/postmortem.{kind}", private(desk, files.postmortem, drawn=True)),
        Route(one + "/customers.{kind}", private(desk, files.customers, drawn=True)),
        Route(one + "/do/{what}", private(desk, forms.show)),
        Route(one + "/do/{what}", private(desk, forms.send), methods=["POST"]),
        Route("/evidence/{file}", private(desk, pages.evidence)),
        Route("/oncall", private(desk, oncall.oncall)),
        Route("/figures", private(desk, figures.page)),
        Route("/figures.png", private(desk, figures.picture)),
        Route("/digest", private(desk, figures.week)),
        Route("/search", private(desk, searching.search)),
        Route("/runbooks", private(desk, runbooks.listing)),
        Route("/runbooks/{runbook}", private(desk, runbooks.one)),
        Route("/settings", private(desk, configured.settings)),
        Route("/slack/install", private(desk, installing.install)),
        Route("/slack/oauth_redirect", private(desk, installing.back)),
        Route("/access", private(desk, access.access)),
        Route("/access.svg", private(desk, access.access_picture)),
        Route("/declare", private(desk, forms.declare)),
        Route("/declare", private(desk, posts.declare), methods=["POST"]),
        Route("/click", private(desk, posts.click), methods=["POST"]),
        Route("/say", private(desk, posts.say), methods=["POST"]),
        Route("/update", private(desk, posts.update), methods=["POST"]),
        Route("/complete", private(desk, composer.complete), methods=["POST"]),
        Route("/signout", private(desk, posts.signout), methods=["POST"]),
        Route("/signin", open_to_all(desk, signin.signin)),
        Route("/signin", open_to_all(desk, signin.enter), methods=["POST"]),
        Route("/me/signin", private(desk, signin.own)),
        Route("/me/signin", private(desk, signin.set_up), methods=["POST"]),
        Route("/me/signout", private(desk, posts.signout_everywhere), methods=["POST"]),
        Route("/ack", open_to_all(desk, acking.look)),
        Route("/ack", open_to_all(desk, acking.acknowledge), methods=["POST"]),
        Route("/static/{file}", open_to_all(desk, _static)),
    ]


async def _static(desk: Desk, request: Request) -> Response:
    del desk
    path = _FILES.get(str(request.path_params["file"]))
    if path is None:
        raise NotFound("There is no such file.")
    return FileResponse(path, headers={"Cache-Control": "public, max-age=31536000, immutable"})


@cache  # a page is compiled once
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    digest = hashlib.blake2b(b"".join(p.read_bytes() for p in _FILES.values()), digest_size=6)
    made.globals.update(
        version=digest.hexdigest(), sign=reads.sign, lasted=lasted, SIGN=SIGN,
        SEVERITIES=SEVERITIES, ACTIVE=ACTIVE,
    )  # fmt: skip
    made.filters["mrkdwn"] = mrkdwn.to_html
    made.filters["unescaped"] = mrkdwn.unescape  # names come escaped for Slack
    return made
