"""Writes ``docs/chat.md``: ``python -m tests.docs.chat > docs/chat.md``.

What there is comes from the code's own tables, its tests from reading tests/.
"""

import ast
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from tempfile import TemporaryDirectory

from starlette.routing import Route, compile_path

from bot import settings
from bot.app import Jackline
from bot.chat.console.forms import DO
from bot.chat.slack.manifest import SHORTCUTS
from bot.chat.slack.menu_views import MENU_CLICKS, STEPS
from bot.chat.slack.views import declare_view
from bot.chat.update_form import update_view
from bot.chat.verbs import FORMS
from bot.settings import REACTIONS
from tests.docs.reading import FOLDERS, ROOT, Read, tests
from tests.docs.wishes import TRAPS, WISHES, Wish

_VIEWS = {v["callback_id"]: v for v in (declare_view(), update_view("C1", "internal", "Text"))}
Does = Callable[[Read], bool]


@dataclass(frozen=True)
class Item:
    """Something that a person can do; ``slack`` and ``console`` say whether a test does it there."""

    kind: str
    name: str
    slack: Does | None
    console: Does | None

    @property
    def in_slack(self) -> Read | None:
        """The test that does it in Slack, over both ways if there is one."""
        found = [t for t in tests() if t.ways and self.slack and self.slack(t)]
        return min(found, key=lambda t: (-len(t.ways), self._rank(t)), default=None)

    @property
    def in_console(self) -> Read | None:
        """The test that does it in the console, in a browser if there is one."""
        found = [t for t in tests() if self.console and self.console(t)]
        return min(found, key=lambda t: (not _browser(t), self._rank(t)), default=None)

    def _rank(self, test: Read) -> tuple[int, bool, str]:
        """Most of Jackline first, then the walk through all of the kind."""
        return FOLDERS.index(test.folder), f"every_{self.kind}" not in test.name, test.where


@cache
def items() -> tuple[Item, ...]:
    """All of them."""
    jackline = _jackline()
    routes = [r for r in jackline.web.routes if isinstance(r, Route) and _of_console(r)]
    return (
        *(_command(name, v) for name, forms in FORMS.items() for v in {f.verb: f for f in forms}),
        *(_button(action) for action in jackline.clicks.handlers),
        *(_modal(callback) for callback in listened()),
        *(Item("choice", action, _chooses(action), None) for action in MENU_CLICKS),
        *(Item("shortcut", s, _says("message_shortcut", s), None) for s in SHORTCUTS),
        *(Item("reaction", f":{r}:", _says("react", r), None) for r in REACTIONS),
        *(Item("form", name, None, _form(what, name)) for what, name in DO),
        *(
            Item("route", f"{method} {route.path}", None, _asks(method, route.path))
            for route in routes
            for method in sorted((route.methods or set()) - {"HEAD"})
        ),
    )


def _jackline() -> Jackline:
    with TemporaryDirectory() as folder:
        runbooks = str(ROOT / "runbooks")
        return Jackline(
            settings.load({"JACKLINE_DATA_DIR": folder, "JACKLINE_RUNBOOKS_DIR": runbooks})
        )


def _of_console(route: Route) -> bool:
    return "bot.chat.console" in getattr(route.endpoint, "__module__", "")


def listened() -> list[str]:
    """The forms of Slack's that the bolt app listens to."""
    tree = ast.parse((ROOT / "bot" / "chat" / "slack" / "app.py").read_text("utf-8"))
    return [
        str(node.args[0].value) for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        and node.func.attr == "view" and isinstance(node.args[0], ast.Constant)
    ]  # fmt: skip


def opened() -> set[str]:
    """The forms that the code makes."""
    found = set()
    for path in (ROOT / "bot" / "chat").rglob("*.py"):
        text = path.read_text("utf-8")
        found |= set(re.findall(r'"callback_id": "(\w+)"', text))
        found |= set(re.findall(r'^CALLBACK = "(\w+)"', text, re.MULTILINE))
    return found


def _command(name: str, verb: str) -> Item:
    root = "(?:incident|inc)" if name == "incident" else name
    typed = re.compile(rf"/{root} {re.escape(verb)}\b")

    def types(test: Read) -> bool:
        return any(typed.match(word) for word in test.words)

    def slack(test: Read) -> bool:
        return "command" in test.calls and types(test)

    def console(test: Read) -> bool:
        filled = _browser(test) and "fill" in test.calls
        return (filled or ("post" in test.calls and "/say" in test.words)) and types(test)

    return Item("command", f"/{name} {verb}", slack, console)


def _button(action: str) -> Item:
    def slack(test: Read) -> bool:
        return bool(test.calls & {"click", "click_view"}) and action in test.words

    def console(test: Read) -> bool:
        posts = "post" in test.calls and "/click" in test.words
        return (posts or (_browser(test) and "click" in test.calls)) and action in test.words

    return Item("button", action, slack, console)


def _chooses(action: str) -> Does:
    return lambda test: "click_view" in test.calls and action in test.words


def _modal(callback: str) -> Item:
    if callback not in _VIEWS:  # the menu, and a form for each of its steps
        return Item("modal", callback, lambda test: "submit_view" in test.calls
                    and bool(test.words & STEPS.keys()), None)  # fmt: skip
    fields = {b["block_id"] for b in _VIEWS[callback]["blocks"] if b["type"] == "input"}
    return Item("modal", callback, lambda test: test.sent == fields, None)


def _says(call: str, word: str) -> Does:
    return lambda test: call in test.calls and word in test.words


def _form(what: str, name: str) -> Does:
    def does(test: Read) -> bool:
        sends = "post" in test.calls and any(w.endswith(f"/do/{what}") for w in test.words)
        return sends or (_browser(test) and "get_by_role" in test.calls and name in test.words)

    return does


def _asks(method: str, path: str) -> Does:
    pattern, _, _ = compile_path(path)

    def does(test: Read) -> bool:
        opened = _browser(test) and "goto" in test.calls and method == "GET"
        if opened and any(pattern.fullmatch(word) for word in test.words):
            return True
        walked = "request" in test.calls and path not in test.passed
        return walked and {path, method} <= test.words

    return does


def _browser(test: Read) -> bool:
    return test.folder == "browser"


def page() -> str:
    """All of it."""
    return "\n\n".join([_HEAD, *map(_table, _TITLES), *_asked()]) + "\n"


_HEAD = """# Chat, and what proves it

Written by `make docs` from the code's own tables and from reading tests/; do not edit. Each thing that
a person can do stands here with the test that does it: in Slack through the real bolt app against a
stand-in for Slack, over Socket Mode, HTTP or both; in the console in a browser, or by its requests.
The tests are relative to `tests/`."""
_TITLES = {
    "command": "Commands", "button": "Buttons", "modal": "Forms in Slack", "shortcut": "Shortcuts",
    "reaction": "Reactions", "form": "Forms of the console", "route": "Routes of the console",
}  # fmt: skip


def _table(kind: str) -> str:
    mine = [item for item in items() if item.kind == kind]
    slack, console = mine[0].slack is not None, mine[0].console is not None
    heads = [kind, *(["in Slack"] if slack else []), *(["in the console"] if console else [])]
    lines = [f"## {_TITLES[kind]}\n", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for item in mine:
        cells = [f"`{item.name}`"]
        cells += [_cell(item.in_slack, _ways)] if slack else []
        cells += [_cell(item.in_console, _how)] if console else []
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _asked() -> tuple[str, ...]:
    return (
        "## What users of other bots asked for\n\n" + _wishes("asked for in", WISHES),
        "## Traps that other bots fell into\n\n" + _wishes("the trap", TRAPS),
    )


def _wishes(head: str, wishes: tuple[Wish, ...]) -> str:
    lines = [f"| {head} | here | where | test |", "|---|---|---|---|"]
    for wish in wishes:
        place = wish.where.removeprefix("../")
        lines.append(f"| {wish.asked} | {wish.here} | [{place}]({wish.where}) | `{wish.test}` |")
    return "\n".join(lines)


def _cell(test: Read | None, how: Callable[[Read], str]) -> str:
    return f"`{test.where}` ({how(test)})" if test else "none"


def _ways(test: Read) -> str:
    names = {"socket": "Socket Mode", "http": "HTTP"}
    return ", ".join(name for way, name in names.items() if way in test.ways)


def _how(test: Read) -> str:
    return "browser" if _browser(test) else "requests"


if __name__ == "__main__":
    sys.stdout.write(page())
