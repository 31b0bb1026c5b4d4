"""A plan in the terminal: the same facts as on its card in chat."""

from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from bot.runbooks.consent import approvals

_COLUMNS = ("step", "action", "over", "before → after", "undo", "took")


def plan_table(plan: dict[str, Any]) -> Table:
    """Step, path, before → after with its share, undo, and how long it took before."""
    needed = plan["approvals"]
    who = approvals(needed["count"], needed["from"]) if needed["count"] else "none"
    table = Table(
        # folded, never cut: what is approved must be seen whole, on a narrow terminal too
        *(Column(name, overflow="fold") for name in _COLUMNS),
        title=escape(plan["title"]),
        caption=escape(f"Approvals: {who}. Locks: {', '.join(plan['targets']) or 'nothing'}."),
    )  # fmt: skip
    for step in plan["steps"]:
        table.add_row(*map(escape, _cells(step, plan["earlier"])))
    return table


def _cells(step: dict[str, Any], earlier: dict[str, float]) -> tuple[str, ...]:
    unit = step["id"].partition("[")[2].rstrip("]")
    lines = [
        f"{c['what']}: {c['before']} → {c['after']}"
        + (f" ({c['share']:.0%} of capacity)" if c["share"] else "")
        for c in step["changes"]
    ]
    if step["note"]:
        lines.append(step["note"])
    if step["approval"]:
        lines.append(f"needs {step['approval']['count']} more of {step['approval']['from']}")
    took = f"{earlier[step['id']]:g} s" if step["id"] in earlier else ""
    heading = step["heading"] + (f" · {unit}" if unit else "")
    return heading, step["action"], ", ".join(step["paths"]), "\n".join(lines), step["undo"], took
