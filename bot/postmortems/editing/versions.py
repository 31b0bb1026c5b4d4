"""Versions of a postmortem on disk: each section's text is kept once, however many versions have it."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.errors import NotFound
from bot.postmortems.editing.sections import Document, Part, origin_of, split
from bot.postmortems.editing.tables import SectionText, Version
from bot.postmortems.tables import Postmortem
from bot.store import now

CONTINUED = timedelta(minutes=10)  # in which one person's typing in one section is one version
TAKEN_OUT = 80  # characters: a save that takes out more is a version of its own
Listed = list[list[str]]


def digest_of(text: str) -> str:
    """What tells a text from another."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def taken_out(before: str, after: str) -> int:
    """How many characters of the one are not in the other, where one place was changed."""
    most = min(len(before), len(after))
    start = next((i for i in range(most) if before[i] != after[i]), most)
    most -= start
    end = next((i for i in range(most) if before[-1 - i] != after[-1 - i]), most)
    return len(before) - start - end


async def latest(session: AsyncSession, paper: Postmortem) -> Version:
    """The current version; of a postmortem from before there were any, the first is made."""
    if paper.version == 0:
        document = split(paper.markdown)
        drawn_at = {
            "kind": "drawn",
            "by": "jackline",
            "what": f"Drawn from {paper.drawn_from} rows",
        }
        return await put(session, paper, document, drawn=document, **drawn_at)
    return await numbered(session, paper.incident_id, paper.version)


async def numbered(session: AsyncSession, incident_id: int, number: int) -> Version:
    """Raises `NotFound`."""
    query = select(Version).where(Version.incident_id == incident_id, Version.number == number)
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound(
            f"The postmortem of #{incident_id} has no version {number}.",
            hint="Its history lists them.",
        )
    return found


async def history(session: AsyncSession, incident_id: int) -> list[Version]:
    """All versions, newest first."""
    query = select(Version).where(Version.incident_id == incident_id)
    return list((await session.execute(query.order_by(col(Version.number).desc()))).scalars())


async def document_of(
    session: AsyncSession, version: Version, *, drawn: bool = False
) -> Document:  # fmt: skip
    """The document as it stood; ``drawn``: as Jackline alone had drawn it last by then."""
    listed: Listed = version.drawn if drawn else version.parts
    query = select(SectionText.digest, SectionText.text).where(
        SectionText.incident_id == version.incident_id,
        col(SectionText.digest).in_({digest for *_, digest in listed}),
    )
    texts = {row.digest: row.text for row in (await session.execute(query)).all()}
    head = next((texts[digest] for key, *_, digest in listed if not key), "")
    parts = [Part(k, title, origin, texts[d]) for k, title, origin, d in listed if k]
    return Document(head, tuple(parts))


async def put(
    session: AsyncSession,
    paper: Postmortem,
    document: Document,
    *,
    kind: str,
    by: str,
    what: str,
    section: str = "",
    drawn: Document | None = None,
) -> Version:
    """A new version, which is the current one from here on; ``drawn`` is left out where it stays."""
    number = paper.incident_id
    before = None if paper.version == 0 else await latest(session, paper)
    kept = await _keep(session, number, document)
    base = await _keep(session, number, drawn) if drawn else list(before.drawn if before else kept)
    paper.version += 1
    version = Version(
        incident_id=number, number=paper.version, kind=kind, section=section, what=what, by=by,
        drawn_from=paper.drawn_from, parts=kept, drawn=base,
    )  # fmt: skip
    session.add(version)
    await session.flush()
    return version


async def go_on(
    session: AsyncSession, paper: Postmortem, version: Version, document: Document
) -> None:
    """The version's author goes on typing in its section: it gets another number, and its last text
    goes if no version has it.
    """
    before = {digest for *_, digest in version.parts}
    version.parts = await _keep(session, paper.incident_id, document)
    paper.version += 1
    version.number, version.at = paper.version, now()
    await session.flush()
    for digest in before - {d for *_, d in version.parts}:
        await _forget(session, paper.incident_id, digest)


async def _forget(session: AsyncSession, incident_id: int, digest: str) -> None:
    query = select(Version.parts, Version.drawn).where(Version.incident_id == incident_id)
    for parts, drawn in (await session.execute(query)).all():
        if any(digest == each[-1] for each in (*parts, *drawn)):
            return
    if text := await session.get(SectionText, (incident_id, digest)):
        await session.delete(text)


async def _keep(session: AsyncSession, incident_id: int, document: Document) -> Listed:
    """Stores the texts that are not there yet."""
    whole = [Part("", "", "", document.head), *document.parts]
    texts = {digest_of(part.body): part.body for part in whole}
    query = select(SectionText.digest).where(
        SectionText.incident_id == incident_id, col(SectionText.digest).in_(texts)
    )
    there = set((await session.execute(query)).scalars())
    session.add_all(
        SectionText(incident_id=incident_id, digest=digest, text=text)
        for digest, text in texts.items() if digest not in there
    )  # fmt: skip
    await session.flush()
    return [[part.key, part.title, part.origin, digest_of(part.body)] for part in whole]


def marked(document: Document, drawn: Document) -> Document:
    """The document with each section's origin said anew, by what was drawn."""
    return Document(document.head, tuple(_marked(document.parts, drawn)))


def _marked(parts: Sequence[Part], drawn: Document) -> list[Part]:
    found = []
    for part in parts:
        base = drawn.part(part.key)
        origin = origin_of(base.origin if base else "", edited=not base or base.body != part.body)
        found.append(Part(part.key, part.title, origin, part.body))
    return found
