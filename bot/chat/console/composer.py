"""The composer's list of choices, and the facts that it is made of."""

import asyncio

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.access.graph import graph_of
from bot.catalog import Catalog, Person
from bot.chat.command import Form
from bot.chat.console import reads
from bot.chat.console.completion import Facts, Offer, completed
from bot.chat.console.desk import Desk
from bot.chat.console.posts import number_of, word
from bot.chat.verbs import FORMS
from bot.chat.verbs.postmortem import STEPS
from bot.incidents import SEVERITIES, Incident
from bot.incidents.rules import following
from bot.runbooks import Run
from bot.runbooks.roles import has_role

_LONGEST = 3000  # of a text, as the page lets it be


async def complete(desk: Desk, request: Request, person: Person) -> Response:
    """The choices for the text as far as it is typed. By POST: addresses end up in logs."""
    form = await request.form()
    number, text = number_of(word(form, "incident")), word(form, "text")[:_LONGEST]
    async with desk.store.read() as session:
        incident = await reads.incident_of(desk, session, number, person)
        open_ones, _ = await reads.listed(desk, session, person)
        runs = await desk.runs.of(session, number)
    forms = forms_for(person)
    known = facts(desk, incident, open_ones, runs)
    if text.startswith("/access"):  # of a large catalog that takes long: not at every key
        known.words["NODE"] = await asyncio.to_thread(_nodes, desk.catalog())
    found = completed(text, forms, known)
    return HTMLResponse(desk.draw("choices.html", choices=found))


def forms_for(person: Person) -> dict[str, list[Form]]:
    """What the person may type: without a role that is less."""
    role = has_role(person)
    return {name: [f for f in forms if role or f.anybody] for name, forms in FORMS.items()}


def facts(desk: Desk, incident: Incident, open_ones: list[Incident], runs: list[Run]) -> Facts:
    """What the placeholders of the usages stand for on this incident's page."""
    catalog, library = desk.catalog(), desk.runs.library
    people = [(person.id, person.name) for person in catalog.people]
    others = [(f"#{i.number}", i.title) for i in open_ones if i.number != incident.number]
    hosts = [t.name.removeprefix("ssh/") for t in catalog.targets if t.name.startswith("ssh/")]
    words: dict[str, list[Offer]] = {
        "SEVERITY": [(s, "now" if s == incident.severity else "") for s in SEVERITIES],
        "STATUS": [(status, "") for status in following(incident.status)],
        "ID": [(r.id, r.front.title) for r in library.runbooks.values()],
        "RUN": [(str(run.number), f"{run.title}: {run.state}") for run in runs],
        "#N": others,
        "STEP": [(step, "") for step in STEPS],
        "PLACE": [(place.id, place.name) for place in catalog.paper_places],
        "LABEL=VALUE": [("here", "the alerts of this incident")],
        "2h": [("30m", ""), ("2h", ""), ("1d", "")],
        "NAME": [(drill.name, ", ".join(drill.down)) for drill in catalog.drills],
        "SERVICE": [(service.id, service.title) for service in catalog.services],
        "HOST": [(host, "") for host in hosts],
        **dict.fromkeys(("PERSON", "@PERSON", "WHO"), people),
    }
    return Facts(words, {r.id: r.front.inputs for r in library.runbooks.values()})


def _nodes(catalog: Catalog) -> list[Offer]:
    """What can be down, what people think of first before Jackline's own parts and the paths."""
    nodes = list(graph_of(catalog).needs)
    nodes.sort(key=lambda node: node.startswith(("jackline:", "path:", "target:", "credential:")))
    return [(node, "") for node in nodes]
