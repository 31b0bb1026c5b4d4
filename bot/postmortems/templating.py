"""The templates of drafts: the one that ships, and a team's own, for a severity or for all.

A team's stands in ``RUNBOOKS_DIR/postmortems``: ``sev1.md.j2`` is for that severity, ``default.md.j2``
for the rest. It decides which sections come, in what order and between what words; it runs in a
sandbox, and whatever it prints of a draft is escaped, however it prints it. It may extend or import
those that ship: ``postmortem.md.j2`` has blocks, ``parts.md.j2`` shows one section. One that is broken
is reported with its line, and the shipped one serves instead.
"""

import re
import traceback
from collections.abc import Iterator
from pathlib import Path

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from bot.located import BadFile, Problem
from bot.log import get
from bot.postmortems import escape
from bot.postmortems.page import Draft, Section

SHIPPED = Path(__file__).parent / "templates"
DEFAULT, SUFFIX = "default", ".md.j2"
SEVERITIES = ("sev1", "sev2", "sev3", "sev4")
FOLDER = "../evidence/"
LARGEST = 100_000  # bytes of a template
_PAGES = Environment(
    loader=FileSystemLoader(SHIPPED), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
)  # fmt: skip
log = get("postmortems")


class Templates:
    """``folder`` is the team's; it need not be there."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._shipped = _environment(FileSystemLoader(SHIPPED))

    def body(self, draft: Draft) -> str:
        """The draft's Markdown without its front matter, by the template that is for it."""
        own = self.own(str(draft.front.get("severity", "")))
        if own is not None:
            try:
                return self.render(own, draft)
            except BadFile as error:
                log.error("postmortem_template_broken", problem=str(error.problem))
        return _tidy(self._shipped.get_template("postmortem.md.j2").render(draft=draft))

    def own(self, severity: str) -> Path | None:
        """The team's template for a severity, or None."""
        names = (severity, DEFAULT) if severity in SEVERITIES else (DEFAULT,)
        places = (self.folder / f"{name}{SUFFIX}" for name in names) if self.folder else ()
        return next((place for place in places if place.is_file()), None)

    def render(self, path: Path, draft: Draft) -> str:
        """By a team's template. Raises `BadFile` with its place."""
        try:
            if path.stat().st_size > LARGEST:
                raise BadFile(Problem(str(path), 1, f"is larger than {LARGEST:,} bytes"))
            own = _environment(FileSystemLoader([path.parent, SHIPPED]))
            text = _tidy(own.get_template(path.name).render(draft=draft))
        except TemplateSyntaxError as error:
            name = str(path.parent / error.name) if error.name else str(path)
            raise BadFile(Problem(name, error.lineno, error.message or "is no template")) from None
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:  # fmt: skip
            raise BadFile(Problem(str(path), _line(error, path), _words(error))) from None
        except OSError as error:
            raise BadFile(Problem(str(path), 1, error.strerror or "cannot be read")) from None
        if not text.strip():
            raise BadFile(Problem(str(path), 1, "prints nothing at all"))
        return text


def around(title: str, content: str) -> str:
    """The page of HTML around what Markdown's reader made."""
    page = _PAGES.get_template("page.html.j2")
    return page.render(title=title, content=Markup(content))  # noqa: S704 - markdown-it's, HTML off


def templates_of(folder: Path) -> Iterator[Path]:
    """The team's templates that are there."""
    for name in (*SEVERITIES, DEFAULT):
        if (path := folder / f"{name}{SUFFIX}").is_file():
            yield path


def _environment(loader: FileSystemLoader) -> ImmutableSandboxedEnvironment:
    """Whatever is printed is escaped as Markdown, unless one of the filters has done that."""
    made = ImmutableSandboxedEnvironment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True, finalize=_final,
    )  # fmt: skip
    made.filters["line"] = escape.line
    made.filters["cells"] = escape.cells
    made.filters["plain"] = lambda value: escape.line((str(value),))
    made.filters["heading"] = _heading
    made.filters["figure"] = lambda block: escape.figure(block, FOLDER)
    return made


def _final(value: object) -> Markup:
    return value if isinstance(value, Markup) else escape.line((str(value),))


def _heading(section: Section) -> Markup:
    """``## Summary``."""
    return Markup("#" * section.level + " ") + escape.line((section.title,))  # noqa: S704 - escaped


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _line(error: Exception, path: Path) -> int:
    """The template's line in which it happened: Jinja's frames carry it."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno or 1 for f in reversed(frames) if f.filename == str(path)), 1)


def _words(error: Exception) -> str:
    message = str(error) or type(error).__name__
    return f"{message[:300]}"
