"""A document that is put where a company keeps its documents: the ability of integrations that publish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pydantic import Field

from bot.contract.frozen import Frozen

if TYPE_CHECKING:
    from bot.contract import Connection
    from bot.contract.status import Published


class Paper(Frozen):
    """A finished postmortem. ``id`` is the same whenever the same one is published, changed or not.

    ``markdown`` has its front matter; ``body`` is the same as HTML without a page around it, its pictures
    left out; ``docx`` is the same for Word. ``pictures`` are by the names that ``markdown`` has them
    under, in ``../evidence/``. ``reference`` is what `Published` had there the last time, empty before.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")
    title: str = Field(min_length=1, max_length=250)
    markdown: str
    body: str
    docx: bytes
    pictures: dict[str, bytes] = Field(default={})
    reference: str = Field(default="", max_length=300)


@runtime_checkable
class PaperPlace(Protocol):
    """Keeps documents: a repository, a wiki."""

    async def put_paper(self, paper: Paper, connection: Connection) -> Published:
        """Puts it there, or makes what is there of it this; the same again changes nothing.

        It is found by its id, so that after a crash or a lost answer it may be put again; by its
        reference first, where ids are only in an index that lags behind.
        """
