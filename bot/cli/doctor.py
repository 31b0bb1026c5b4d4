"""What ``jackline doctor`` looks at: settings, folders, database, runbooks, go-bag, Slack."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import httpx
from asyncpg import InterfaceError, PostgresError  # type: ignore[import-untyped]  # it has none
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot import registry
from bot.access.bag_drills import bag_standing
from bot.access.independence import dependent
from bot.access.proof import age_words
from bot.access.ways import host_and_port
from bot.catalog import load_catalog
from bot.chat.slack.calls import granted_scopes, slack_errors
from bot.chat.slack.installations import Installations
from bot.chat.slack.manifest import missing_scopes
from bot.chat.slack.sockets import SOCKETS
from bot.chat.slack.standing import lacking
from bot.chat.slack.tables import SlackInstallation
from bot.errors import BadInput, TargetError, Unavailable
from bot.runbooks.library import Library
from bot.settings import Settings, load
from bot.store import Store, load_key, now
from bot.web.mail import Certificate

# What opening a database may raise; asyncpg's own errors come unwrapped while it connects.
NO_DATABASE = (SQLAlchemyError, OSError, PostgresError, InterfaceError)


@dataclass(frozen=True)
class Result:
    """One thing looked at."""

    name: str
    ok: bool
    detail: str


async def diagnose() -> list[Result]:
    """All checks that make sense; a wrong setting ends them."""
    try:
        settings = load()
    except BadInput as error:
        return [Result("settings", False, str(error))]
    results = [Result("settings", True, "readable"), _integrations(), _runbooks(settings)]
    results += _notifiers(settings)
    results += _mail_in(settings)
    results += _placement(settings, os.environ)
    results.append(await _database(settings))
    there = results[-1].ok
    if there:
        results.append(await _bag(settings))
    results.append(await _slack(settings))
    if there and settings.slack.enabled:
        results += await _workspaces(settings)
    results.append(await _server(settings))
    return results


def _integrations() -> Result:
    found = registry.load()
    if found.broken:
        return Result(
            "integrations", False, "; ".join(f"{k}: {v}" for k, v in found.broken.items())
        )
    return Result("integrations", True, ", ".join(sorted(found.manifests)))


def _runbooks(settings: Settings) -> Result:
    if not settings.runbooks_dir.is_dir():
        detail = f"{settings.runbooks_dir} is not a folder. Set JACKLINE_RUNBOOKS_DIR."
        return Result("runbooks", False, detail)
    try:
        library = Library(settings.runbooks_dir, registry.load())
    except BadInput as error:
        return Result("runbooks", False, str(error))
    problems = [str(p) for found in library.problems.values() for p in found]
    detail = problems[0] if problems else f"{len(library.runbooks)} in {settings.runbooks_dir}"
    return Result("runbooks", not problems, detail)


def _notifiers(settings: Settings) -> list[Result]:
    """Who would be told when Slack is down, and what would silence several of them at once."""
    try:
        catalog = load_catalog(settings.runbooks_dir / "catalog")
    except BadInput:
        return []  # the runbooks' line says it
    if not catalog.notifiers:
        detail = "none: when Slack is down, only the console tells anybody"
        return [Result("notifiers", True, detail)]
    able = registry.load().notifiers
    unable = [n for n in catalog.notifiers if n.integration not in able]
    if unable:
        detail = "; ".join(f"{n.id}: {n.integration} has no notifier" for n in unable)
        return [Result("notifiers", False, f"{detail}. Known: {', '.join(sorted(able))}.")]
    if not settings.slack.enabled and all(n.when == "slack_down" for n in catalog.notifiers):
        warnings = ["no Slack is connected, so `when: slack_down` never tells anybody"]
    else:
        warnings = dependent(catalog)
    names = ", ".join(n.id for n in catalog.notifiers)
    return [Result("notifiers", True, "; ".join([names, *(f"warning: {w}" for w in warnings)]))]


def _mail_in(settings: Settings) -> list[Result]:
    """Whether the certificate can be used; without one the secrets cross the network in the clear."""
    mail = settings.mail
    if not mail.listen:
        return []
    if not (mail.certificate or mail.key):
        detail = (
            f"{mail.listen}; warning: no certificate, the addresses' secrets can be read on the way"
        )
        return [Result("mail in", True, detail)]
    try:
        Certificate(mail)
    except BadInput as error:
        return [Result("mail in", False, str(error))]
    return [Result("mail in", True, f"{mail.listen}, with STARTTLS")]


def _placement(settings: Settings, environment: Mapping[str, str]) -> list[Result]:
    """Whether Jackline runs in a cluster that its runbooks act on: then it goes down with it."""
    if "KUBERNETES_SERVICE_HOST" not in environment:
        return []
    try:
        catalog = load_catalog(settings.runbooks_dir / "catalog")
    except BadInput:
        return []  # the runbooks' line says it
    own = environment["KUBERNETES_SERVICE_HOST"]
    managed = [t.name for t in catalog.targets if t.name.startswith("kubernetes/")]
    same = [t.name for t in catalog.targets if host_and_port(t.url)[0] == own]
    if not managed and not same:
        return [Result("placement", True, "in a cluster that no target names")]
    known = any(node.id == "jackline:placement" for node in catalog.nodes)
    said = "warning: Jackline runs in a cluster, and acts on " + ", ".join(same or managed)
    hint = "" if known else "; say in `nodes` what jackline:placement depends on, and check again"
    return [Result("placement", not same, f"{said}{hint}")]


async def _database(settings: Settings) -> Result:
    try:
        store = Store(settings.store_url)
    except Unavailable as error:
        return Result("database", False, str(error))
    try:
        async with store.read() as session:
            await session.execute(text("SELECT 1"))
    except NO_DATABASE as error:
        return Result("database", False, why(error))
    finally:
        await store.close()
    return Result("database", True, "SQLite" if store.is_sqlite else "PostgreSQL")


async def _bag(settings: Settings) -> Result:
    """None yet is no fault: it is said, and how to pack one."""
    store = Store(settings.store_url)
    try:
        async with store.read() as session:
            bag = await bag_standing(session)
    except NO_DATABASE:  # a new database has no tables yet
        bag = None
    finally:
        await store.close()
    if bag is None:
        return Result("go-bag", True, "none was packed yet: see `jackline bag pack --help`")
    at, most = now(), timedelta(days=settings.bag.max_age_days)
    age = at - bag.newest.packed_at
    detail = f"the newest is {age_words(age.total_seconds())} old; {bag.words(at)}"
    todo = ["pack another one"] if age > most else []
    todo += ["drill one: `python3 FILE bag drill`"] if bag.drill_due(most) <= at else []
    return Result("go-bag", not todo, "; ".join([detail, *todo]))


def why(error: BaseException) -> str:
    """A database error's reason in one line, without the statement and its values."""
    reason = str(getattr(error, "orig", None) or error) or type(error).__name__
    return reason.splitlines()[0].rstrip(".") + "."


async def _slack(settings: Settings) -> Result:
    token = settings.slack.bot_token
    if token is None:
        return Result("slack", True, "not connected; the console works alone")
    client = AsyncWebClient(token=token.get_secret_value(), base_url=settings.slack.api_url)
    try:
        async with slack_errors("auth.test", once=False):
            answer = await client.auth_test()
    except TargetError as error:
        return Result("slack", False, str(error))
    lacks = _lacks(settings, missing_scopes(granted_scopes(answer)))
    return Result("slack", not lacks, "; ".join([f"{answer['user']} in {answer['team']}", *lacks]))


async def _workspaces(settings: Settings) -> list[Result]:
    """Each that Jackline was installed in by its own page: whether its token is good, and may enough."""
    key = load_key(settings.console.session_key, settings.data_dir.absolute(), "session")
    store = Store(settings.store_url)
    found = Installations(store, key)
    try:
        rows = await found.rows()
    except NO_DATABASE:  # a new database has no tables yet
        rows = []
    finally:
        await store.close()
    return [await _workspace(settings, found, row) for row in rows]


async def _workspace(settings: Settings, found: Installations, row: SlackInstallation) -> Result:
    name = f"slack in {row.name}"
    if row.removed_at is not None:
        return Result(name, True, f"removed {row.removed_at:%Y-%m-%d %H:%M} UTC")
    try:
        token = found.installed(row).token
        client = AsyncWebClient(token=token, base_url=settings.slack.api_url)
        async with slack_errors("auth.test", once=False):
            answer = await client.auth_test()
    except (TargetError, Unavailable) as error:
        return Result(name, False, str(error))
    scopes = missing_scopes(granted_scopes(answer))
    lacks = [f"the app lacks {lacking(scopes)}"] if scopes else []
    return Result(name, not lacks, "; ".join([str(answer["user"]), *lacks]))


async def _server(settings: Settings) -> Result:
    """What a Jackline that runs with these settings says of itself; none running is no fault."""
    host, port = settings.listen
    host = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 - where it listens
    address = f"[{host}]" if ":" in host else host
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            answer = await client.get(f"http://{address}:{port}/readyz")
            said = answer.json()
    except (httpx.HTTPError, ValueError):
        return Result("server", True, f"none answers at {settings.http_listen}")
    slack = str(said.get("slack", "")) if isinstance(said, dict) else ""
    fine = answer.is_success and slack in ("", "over HTTP", f"{SOCKETS} of {SOCKETS} sockets")
    standing = "ready" if answer.is_success else "not ready: the database does not answer it"
    return Result("server", fine, "; ".join(filter(None, (standing, slack and f"Slack: {slack}"))))


def _lacks(settings: Settings, scopes: list[str]) -> list[str]:
    """What is needed of Slack and is not there."""
    lacks = [f"the app lacks {lacking(scopes)}"] if scopes else []
    try:
        rules = load_catalog(settings.runbooks_dir / "catalog").rules
    except BadInput:
        return lacks  # the runbooks' line says it
    if any(rule.declare == "ask" for rule in rules) and not settings.slack.digest_channel:
        lacks.append(
            "rules ask people first: set JACKLINE_SLACK__DIGEST_CHANNEL, where they are asked"
        )
    return lacks
