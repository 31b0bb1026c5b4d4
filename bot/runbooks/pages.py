"""Runbooks as pages to read without Jackline: one HTML file each, and an index with the contacts.

Self-contained: no script, no picture, nothing from elsewhere. Everything that comes from a file is
escaped; prose is Markdown with HTML switched off.
"""

from collections.abc import Iterable
from html import escape

import yaml
from markdown_it import MarkdownIt

from bot.catalog import Catalog
from bot.registry import Registry
from bot.runbooks.model import Runbook, Step, Written
from bot.runbooks.plan import undo_words

_STYLE = """body{font:16px/1.5 sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1d2733}
pre,code{background:#f3f5f7;font:14px monospace}pre{padding:.7rem;overflow-x:auto}
table{border-collapse:collapse}td,th{border:1px solid #d9dee4;padding:.3rem .6rem;text-align:left;vertical-align:top}
section{border-top:2px solid #d9dee4;margin-top:1.5rem}"""


def pages(
    runbooks: Iterable[Runbook], registry: Registry, catalog: Catalog, made: str
) -> dict[str, str]:
    """File name → page. ``made`` says which bag they are of and when it was packed."""
    found = sorted(runbooks, key=lambda r: r.front.title)
    each = {f"{r.id}.html": _runbook(r, registry, made) for r in found}
    return {"index.html": _index(found, catalog, made), **each}


def _index(runbooks: list[Runbook], catalog: Catalog, made: str) -> str:
    listed = "".join(
        f'<li><a href="{escape(r.id)}.html">{escape(r.front.title)}</a> '
        f"<code>{escape(r.id)}</code></li>"
        for r in runbooks
    )
    contacts = _table(
        ("whom", "how", "", "note"),
        [(c.name, c.how, c.value, c.note) for c in catalog.contacts],
    )
    people = _table(
        ("person", "id", "roles", "groups", "mail"),
        [(p.name, p.id, ", ".join(p.roles), ", ".join(p.groups), p.email) for p in catalog.people],
    )
    return _page(
        "Go-bag",
        f"<p>{escape(made)}</p><h2>Contacts and bridges</h2>{contacts or '<p>None are kept.</p>'}"
        f"<h2>Runbooks</h2><ul>{listed}</ul><h2>People</h2>{people}"
        "<h2>To run one</h2><pre>python3 FILE run RUNBOOK name=value … --identity KEY --as YOU</pre>"
        "<p>The plan is shown before anything is done. Approvals are codes that an approver reads "
        "out over the phone.</p>",
    )


def _runbook(runbook: Runbook, registry: Registry, made: str) -> str:
    front = runbook.front
    needed = front.approvals
    inputs = " ".join(f"{name}=…" for name, spec in front.inputs.items() if spec.required)
    facts = [
        ("run it by", f"python3 FILE run {runbook.id} {inputs}".strip()),
        ("approvals", f"{needed.count} of {needed.from_}" if needed.count else "none"),
        ("repairs", ", ".join(front.repairs)),
        ("owner", front.owner),
        ("last drilled", str(front.drilled or "")),
    ]
    spec = _table(
        ("input", "type", "needed", "default", ""),
        [
            (name, i.type, "yes" if i.required else "", "" if i.default is None else str(i.default),
             i.description)
            for name, i in front.inputs.items()
        ],
    )  # fmt: skip
    steps = "".join(_step(written, registry) for written in runbook.steps)
    body = _table(("", ""), [row for row in facts if row[1]]) + prose(runbook.intro)
    body += (f"<h2>Inputs</h2>{spec}" if spec else "") + steps
    source = f"<section><h2>As written</h2><pre>{escape(runbook.text)}</pre></section>"
    back = f'<p><a href="index.html">All runbooks</a> · {escape(made)}</p>'
    return _page(front.title, back + body + source)


def step_rows(written: Written, registry: Registry) -> list[tuple[str, str]]:
    """What a step does and what stands around it, as plain text by what it is."""
    step = written.step
    action = registry.action(step.action) if step.action else None
    does = ((action.__doc__ or "") if action else "").strip().partition("\n")[0]
    rows = [
        ("does", f"{step.action}: {does}" if action else _by_other_means(step)),
        ("with", _yaml(step.with_)),
        ("over", ", ".join(step.via) if isinstance(step.via, list) else "all of the paths given"),
        ("only if", step.when),
        ("not unless", "\n".join(g.expect for g in step.guards)),
        ("done when", "\n".join(v.expect for v in step.verify)),
        ("undo", undo_words(step, action)),
        ("if it fails", {"stop": "", "continue": "go on"}.get(step.on_failure, step.on_failure)),
    ]
    return [row for row in rows if row[1]]


def _step(written: Written, registry: Registry) -> str:
    table = _table(("", ""), list(step_rows(written, registry)))
    heading = f"<h2>{escape(written.heading)} <code>{escape(written.step.id)}</code></h2>"
    return f"<section>{heading}{prose(written.prose)}{table}</section>"


def _by_other_means(step: Step) -> str:
    match step.kind:
        case "manual" if step.manual:
            return "By hand:\n" + "\n".join(f"- {line}" for line in step.manual.checklist)
        case "wait":
            return f"Waits {step.wait:g} s"
        case "runbook":
            return f"Runs {step.runbook}"
    return f"Says: {step.notify}"


def _yaml(value: dict[str, object]) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True).strip() if value else ""


def prose(text: str) -> str:
    """Markdown as HTML; HTML in it stays text, pictures stay out, links are those that are safe."""
    rendered: str = MarkdownIt("commonmark", {"html": False}).disable("image").render(text)
    return rendered


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head) if any(head) else ""
    lines = "".join(
        "<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>{f'<tr>{top}</tr>' if top else ''}{lines}</table>"


def _cell(text: str) -> str:
    return f"<pre>{escape(text)}</pre>" if "\n" in text else escape(text)


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}</html>\n"
    )
