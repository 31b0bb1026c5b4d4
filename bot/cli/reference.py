"""Writes ``docs/reference.md`` from the code: ``python -m bot.cli.reference > docs/reference.md``."""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from typer.main import get_command

from bot import registry, settings
from bot.app import Jackline
from bot.chat.command import Form
from bot.chat.verbs import FORMS
from bot.cli.commands import app


def reference() -> str:
    """The whole page."""
    parts = [
        "# Reference\n\nGenerated from the code by `make docs`; do not edit.",
        _settings(),
        _chat(),
        "## Command line\n\nExit codes: 0 done, 1 it failed, 2 wrong use or bad input, 130 Ctrl-C.\n\n"
        + "\n".join(_commands(get_command(app), "jackline")),
        _routes(),
        _actions(),
    ]
    return "\n\n".join(parts) + "\n"


def _settings() -> str:
    lines = [
        "## Settings\n\nAll from the environment.\n",
        "| variable | what it is | example | default |",
        "|---|---|---|---|",
    ]
    for name, text, example, default in settings.reference():
        lines.append(f"| `{name}` | {text} | {_code(example)} | {_code(default)} |")
    return "\n".join(lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _chat() -> str:
    lines = [
        "## Chat commands\n",
        "`/inc` is the same as `/incident`.\n",
        "| command | what it does |",
        "|---|---|",
    ]
    for form in (form for forms in FORMS.values() for form in forms):
        cell = form.usage.replace("|", r"\|")  # a bar would end the table's cell
        lines.append(f"| `{cell}` | {form.what}{_or(form)} |")
    return "\n".join(lines)


def _or(form: Form) -> str:
    said = ", ".join(f"`{word}`" for word in form.synonyms)
    return f" (or {said})" if said else ""


def _commands(command: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - typer's own kind of click command
    for name, child in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(child, f"{path} {name}")
    if hasattr(command, "commands"):
        return
    words = [path]
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            words.append(parameter.name.upper())
        elif parameter.name != "help":
            words.append(f"[{parameter.opts[0]}]")
    yield f"- `{' '.join(words)}`: {(command.help or '').splitlines()[0]}"


def _routes() -> str:
    with TemporaryDirectory() as folder:
        loaded = settings.load(
            {"JACKLINE_DATA_DIR": folder, "JACKLINE_RUNBOOKS_DIR": str(Path("runbooks"))}
        )
        schema = Jackline(loaded).web.openapi()
    lines = ["## HTTP\n", "| route | what it is |", "|---|---|"]
    for path, methods in sorted(schema["paths"].items()):
        for method, details in methods.items():
            lines.append(f"| `{method.upper()} {path}` | {details['summary']} |")
    lines.append(
        "| `POST /slack/events` | Slack's requests, when `JACKLINE_SLACK__MODE` is `http` |"
    )
    return "\n".join(lines)


def _actions() -> str:
    lines = ["## Actions\n", "| action | effect | arguments |", "|---|---|---|"]
    for name, action in sorted(registry.load().actions.items()):
        fields = ", ".join(
            f"`{field}`" + ("" if info.is_required() else " (optional)")
            for field, info in action.Params.model_fields.items()
        )
        lines.append(f"| `{name}` | {action.effect.value} | {fields} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(reference())
