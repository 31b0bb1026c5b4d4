"""A postmortem as a file to take away: read, sent through the gate, and put into its form."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from markdown_it.token import Token
from sqlalchemy.ext.asyncio import AsyncSession

from bot.access.secrets import Secrets
from bot.catalog import Catalog
from bot.contract import Paper as Published
from bot.errors import NotFound
from bot.located import near
from bot.postmortems.cast import Cast
from bot.postmortems.editing.states import require_final
from bot.postmortems.exports import sheet
from bot.postmortems.exports.customers import for_customers
from bot.postmortems.exports.document import Document, read, taken
from bot.postmortems.exports.gate import Gate, Passed
from bot.postmortems.exports.outline import outline
from bot.postmortems.exports.pdf import pdf
from bot.postmortems.exports.remade import remade, xhtml
from bot.postmortems.exports.word import word
from bot.postmortems.files import read_pictures
from bot.postmortems.redact import Redactor
from bot.postmortems.render import drawn, tokens, uncollected
from bot.postmortems.tables import Postmortem
from bot.timeline import Entry, rows_of

FORMS = {
    "md": "text/markdown",
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "json": "application/json",
    "csv": "text/csv",
}
_OUTSIDE = ("md", "html", "pdf", "docx")  # what customers may get: no record, no structure


@dataclass(frozen=True)
class File:
    """What is handed over."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Paper:
    """A postmortem with all that its exports are drawn from; nothing has passed the gate yet."""

    number: int
    state: str
    markdown: str
    rows: list[Entry]
    catalog: Catalog
    secrets: frozenset[str]
    cast: Cast

    @cached_property
    def gate(self) -> Gate:
        """For this incident's people."""
        return Gate(self.secrets, Redactor(self.catalog.redactions), self.cast.plain)


class Exports:
    """Makes files of postmortems. ``secrets`` are the installation's own."""

    def __init__(
        self, catalog: Callable[[], Catalog], data_dir: Path, secrets: Collection[str] = ()
    ) -> None:
        self.catalog = catalog
        self.data_dir = data_dir
        self.secrets = frozenset(secrets)

    async def file(
        self, session: AsyncSession, number: int, form: str, *, customers: bool = False
    ) -> File:
        """One form of an incident's postmortem; for ``customers`` the short one, once it is final.

        Raises `NotFound`, and `Conflict` for what must not leave as it is.
        """
        require_form(form, customers=customers)
        paper = await self.paper(session, number)
        content = await asyncio.to_thread(self._made, paper, form, customers=customers)
        return File(file_name(number, form, customers=customers), FORMS[form], content)

    async def paper(self, session: AsyncSession, number: int) -> Paper:
        """What is stored now. Raises `NotFound`."""
        found = await session.get(Postmortem, number)
        if found is None:
            raise NotFound(
                f"There is no postmortem of #{number} yet.",
                hint="One is drafted shortly after an incident is resolved.",
            )
        rows = await rows_of(session, number)
        catalog = self.catalog()
        secrets = self.secrets | await asyncio.to_thread(_of_catalog, catalog)
        return Paper(number, found.state, found.markdown, rows, catalog, secrets, Cast(rows, catalog))  # fmt: skip

    async def published(self, session: AsyncSession, number: int) -> Published:
        """As places for papers get it. Raises `NotFound`, and `Conflict` until people have approved it."""
        paper = await self.paper(session, number)
        require_final(number, paper.state)
        return await asyncio.to_thread(self._published, paper)

    def _published(self, paper: Paper) -> Published:
        with uncollected():
            passed = paper.gate.passed(paper.markdown)
            document = taken(passed.front, passed.stream)
        pictures = self.pictures(document)
        return Published(
            id=f"inc-{paper.number}", title=(document.title or f"INC-{paper.number}")[:250],
            markdown=passed.markdown, body=xhtml(document), docx=word(document, pictures, stand=_stand(paper)),
            pictures=pictures,
        )  # fmt: skip

    def gate(self) -> Gate:
        """For what is no postmortem: the installation's secrets and the catalog's rules."""
        catalog = self.catalog()
        return Gate(self.secrets | _of_catalog(catalog), Redactor(catalog.redactions))

    def pictures(self, document: Document) -> dict[str, bytes]:
        """Those that it shows and that are there."""
        return read_pictures(self.data_dir / "evidence", document.pictures())

    def _made(self, paper: Paper, form: str, *, customers: bool) -> bytes:
        if form == "csv":
            who = [paper.gate.text(paper.cast.actor(row.actor)) for row in paper.rows]
            return sheet.timeline(paper.rows, paper.gate, who)
        with uncollected():
            passed = public(paper) if customers else paper.gate.passed(paper.markdown)
            if form == "md":
                return passed.markdown.encode()
            document = taken(passed.front, passed.stream)
            if form == "json":
                return outline(document, paper.number, paper.state)
        return self._drawn(paper, form, passed.stream, document, customers=customers)

    def _drawn(
        self, paper: Paper, form: str, stream: Sequence[Token], document: Document, *, customers: bool
    ) -> bytes:  # fmt: skip
        pictures = self.pictures(document)
        stand = "" if customers else _stand(paper)
        if form == "html":
            name = document.title if customers else f"{document.title} ({paper.state})"
            return drawn(name, stream, pictures).encode()
        if form == "docx":
            return word(document, pictures, stand=stand)
        return pdf(document, pictures, stand=stand, foot=stand or document.title)


def _stand(paper: Paper) -> str:
    return f"Postmortem of incident {paper.number}, {paper.state}"


def public(paper: Paper) -> Passed:
    """The version for customers. Raises `Conflict` until people have approved it."""
    require_final(paper.number, paper.state)
    short = remade(for_customers(read(paper.markdown), paper.number, paper.catalog, paper.gate))
    return Passed("", short, tokens(short))


def require_form(form: str, *, customers: bool = False) -> None:
    """Raises `NotFound` for one that there is not."""
    forms = _OUTSIDE if customers else tuple(FORMS)
    if form not in forms:
        whom = " for customers" if customers else ""
        raise NotFound(
            f"There is no export{whom} as {form[:40]!r}{near(form, forms) or '.'}",
            hint=f"There are {', '.join(forms)}.",
        )


def file_name(number: int, form: str, *, customers: bool = False) -> str:
    """``incident-12-postmortem.pdf``, ``incident-12-timeline.csv``, ``incident-12-customers.pdf``."""
    what = "customers" if customers else "timeline" if form == "csv" else "postmortem"
    return f"incident-{number}-{what}.{form}"


def _of_catalog(catalog: Catalog) -> frozenset[str]:
    """What the catalog's references stand for, as far as that is at hand."""
    secrets = Secrets(lambda: catalog)
    return frozenset(filter(None, map(secrets.at_hand, _texts(catalog.model_dump()))))


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - a catalog of any shape
    if isinstance(value, str):
        yield value.rpartition(" ")[2]  # of a header the last word may be one
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
