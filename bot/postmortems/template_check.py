"""What is wrong with a team's templates, before an incident needs them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.catalog import Catalog
from bot.located import BadFile, Problem
from bot.postmortems.case import Facts
from bot.postmortems.draft import draft
from bot.postmortems.page import Draft
from bot.postmortems.templating import DEFAULT, SEVERITIES, SUFFIX, Templates, templates_of

_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def check_templates(folder: Path) -> list[Problem]:
    """Each is tried with a draft that has every section; a name that no severity has is a mistake."""
    if not folder.is_dir():
        return []
    names = {f"{name}{SUFFIX}" for name in (*SEVERITIES, DEFAULT)}
    problems = []
    known, templates = list(templates_of(folder)), Templates(folder)
    for path in known:
        severity = path.name.removesuffix(SUFFIX)
        try:
            templates.render(path, _sample(severity if severity in SEVERITIES else "sev1"))
        except BadFile as error:
            problems.append(error.problem)
    used = "".join(path.read_text("utf-8", "replace") for path in known)
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if path.name not in names and path.name not in used:
            words = f"is used by nothing; a template is called {', '.join(sorted(names))}"
            problems.append(Problem(str(path), 1, words))
    return problems


def _sample(severity: str) -> Draft:
    facts = Facts(
        id=1, title="A sample", severity=severity, status="resolved", services=(), drill=False,
        declared_at=_AT, resolved_at=_AT + timedelta(hours=1), declared_by="jackline",
    )  # fmt: skip
    return draft(facts, [], Catalog(), {})
