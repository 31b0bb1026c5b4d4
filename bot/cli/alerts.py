"""``jackline alerts``: what is stored, what a payload would do and why, and what should be heard of."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from bot.access.proof import age_words
from bot.alerts import Question
from bot.alerts.arrivals import count_alerts
from bot.alerts.flaps import going_on
from bot.alerts.heartbeats import Pulse, signs
from bot.alerts.holding import Hold, covers, holds
from bot.alerts.questions import answer_of
from bot.alerts.rules import Decision, decide, explained
from bot.alerts.silences import standing
from bot.alerts.tables import Flap
from bot.app import Jackline
from bot.catalog import Catalog
from bot.cli.parts import AsJson, from_record, out, without_database
from bot.contract import Alert, RawRequest
from bot.errors import BadInput, Unavailable
from bot.store import now

alerts_app = typer.Typer(
    no_args_is_help=True, help="What alerts are stored, and what they lead to."
)
_SIGN = {"alive": "✓", "missed": "✗", "waiting": "?"}


@alerts_app.command("count")
def alerts_count(as_json: AsJson = False) -> None:
    """How many alerts are stored, and how many still fire."""
    counted = from_record(lambda parts: count_alerts(parts.store))
    if as_json:
        out.print_json(json.dumps(counted))
    else:
        out.print(f"{counted['stored']} stored, {counted['firing']} firing", markup=False)


@alerts_app.command()
def explain(
    file: Annotated[Path, typer.Argument(help="What the source sends, as it sends it.")],
    source: Annotated[
        str, typer.Option(help="The sender's name: /webhooks/NAME.")
    ] = "alertmanager",
    as_json: AsJson = False,
) -> None:
    """Show what a payload would do, and why, rule by rule. Nothing is stored or sent."""
    try:
        body = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from error

    def work(parts: Jackline) -> tuple[Catalog, str, list[Alert]]:
        catalog = parts.library.catalog
        reader, entry = parts.registry.source(source, catalog)
        return catalog, entry.name, reader.parse(RawRequest({}, body, settings=entry.settings))

    catalog, name, alerts = without_database(work)
    on = _on_now(catalog, name, alerts)
    found = [_explained(catalog, alert, name, on) for alert in alerts]
    if as_json:
        out.print_json(json.dumps(found))
        return
    for each in found:
        out.print(f"{each['name']} {each['status']}, since {each['starts_at']}", markup=False)
        for line in each["why"]:
            out.print(f"  {line}", markup=False)
        out.print(f"→ {each['outcome']}", markup=False)
    if not found:
        out.print("No alert is in it.", markup=False)


@dataclass(frozen=True)
class _Now:
    """What is on; ``flaps`` by fingerprint, ``questions`` by group; ``unknown``: what is not known."""

    holds: list[Hold]
    flaps: dict[str, Flap] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    unknown: str = ""


def _on_now(catalog: Catalog, source: str, alerts: list[Alert]) -> _Now:
    """Of the record only the catalog's windows are known while the database is away."""

    async def work(parts: Jackline) -> _Now:
        async with parts.store.read() as session:
            keys = {(source, alert.fingerprint) for alert in alerts}
            found = (await session.execute(going_on(keys))).scalars()
            flaps = {flap.fingerprint: flap for flap in found}
            questions = await parts.questions.standing(session)
            return _Now(await standing(session, catalog), flaps, questions)

    try:
        return from_record(work)
    except Unavailable as error:
        unknown = f"silences, questions and flapping are not known: {error.message}"
        return _Now(holds(catalog, [], now()), unknown=unknown)


def _explained(catalog: Catalog, alert: Alert, source: str, on: _Now) -> dict[str, Any]:
    beats = signs(catalog, alert.name, alert.labels, source)
    decision = decide(catalog, alert.name, alert.labels, source)
    asked = decision, alert.name, alert.labels, source
    hold = next((hold for hold in on.holds if covers(hold.match, *asked)), None)
    question = on.questions.get(decision.group) if decision.asks else None
    why = [] if beats else explained(catalog, alert.name, alert.labels, source)
    counts = decision.declare and not beats
    may_be_held = alert.status == "firing" and counts
    if may_be_held and (hold or on.unknown):
        why.append(f"held back by {hold.words}" if hold else on.unknown)
    if may_be_held and question:
        why.append(f"question {question.number} of its group: {answer_of(catalog, question)}")
    flap = on.flaps.get(alert.fingerprint)
    if counts and flap:
        why.append(
            f"flaps since {flap.since:%Y-%m-%d %H:%M} UTC, {flap.fired + flap.resolved} changes: "
            f"counted in #{flap.incident_id}, not told"
        )
    outcome = _outcome(alert, decision, beats, hold if may_be_held else None)
    return {
        "name": alert.name, "status": alert.status, "fingerprint": alert.fingerprint,
        "starts_at": alert.starts_at.isoformat(), "labels": alert.labels, "summary": alert.summary,
        "link": alert.link, "heartbeats": beats, "decision": decision.as_dict(), "why": why,
        "outcome": outcome,
    }  # fmt: skip


def _outcome(alert: Alert, decision: Decision, beats: list[str], hold: Hold | None) -> str:
    if beats:
        return f"a sign of life of {', '.join(beats)}; not stored as an alert"
    if alert.status == "resolved":
        return "is noted in the incident that its firing opened or joined, if there is one"
    if not decision.declare:
        return "is stored; no incident"
    done = f"joins the open incident of {decision.group}, else opens a {decision.severity} one"
    if decision.asks:
        done = (
            f"joins the open incident or question of {decision.group}, else asks whether to open a "
            f"{decision.severity} one"
        )
    return f"is held back by {hold.name}; if it fires when that is over: {done}" if hold else done


@alerts_app.command()
def heartbeats(as_json: AsJson = False) -> None:
    """Show each heartbeat and when it came last; exits 1 if one is missed."""

    async def work(parts: Jackline) -> list[Pulse]:
        return await parts.heartbeats.pulses()

    found = from_record(work)
    if as_json:
        out.print_json(json.dumps([pulse.as_dict() for pulse in found]))
    else:
        table = Table("heartbeat", "", "came last", "due at")
        for pulse in found:
            table.add_row(*map(escape, _cells(pulse)))
        out.print(table)
    raise SystemExit(1 if any(pulse.standing == "missed" for pulse in found) else 0)


def _cells(pulse: Pulse) -> tuple[str, str, str, str]:
    age = age_words((now() - pulse.seen_at).total_seconds()) + " ago" if pulse.seen_at else "never"
    due = f"{pulse.due_at:%Y-%m-%d %H:%M:%S} UTC"
    return pulse.entry.name, f"{_SIGN[pulse.standing]} {pulse.standing}", age, due
