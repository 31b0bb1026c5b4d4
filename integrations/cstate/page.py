"""Tells customers by a commit to a cState repository, which its host builds into the page."""

from bot.contract import Connection, Published, StatusUpdate
from bot.contract.git import Place, edit_file, read_file
from bot.errors import Rejected

from .issue import added, has, name_of, state_of


class CState:
    """One cState repository: one Markdown file for each incident."""

    async def publish(
        self, update: StatusUpdate, reference: str, connection: Connection
    ) -> Published:
        """One commit; an update that stands there already makes none."""
        place = _place(update, reference, connection)
        message = f"{update.status.capitalize()}: {update.title}"
        text = await edit_file(connection, place, lambda before: added(before, update), message)
        return _published(place, text, connection)

    async def find(
        self, update: StatusUpdate, reference: str, connection: Connection
    ) -> Published | None:
        """By the update's mark in the file."""
        place = _place(update, reference, connection)
        text = await read_file(connection, place)
        return _published(place, text, connection) if has(text, update.id) else None

    async def read(self, reference: str, connection: Connection) -> Published | None:
        """The incident as the repository has it; whether the page was built since, Git cannot tell."""
        place = Place(_branch(connection), reference)
        text = await read_file(connection, place)
        return _published(place, text, connection) if text else None


def _place(update: StatusUpdate, reference: str, connection: Connection) -> Place:
    folder = connection.settings.get("folder", "content/issues").strip("/")
    if ".." in folder:
        raise Rejected("folder of the target must lie inside the repository.")
    return Place(_branch(connection), reference or f"{folder}/{name_of(update)}")


def _branch(connection: Connection) -> str:
    return connection.settings.get("branch", "main")


def _published(place: Place, text: str, connection: Connection) -> Published:
    site = connection.settings.get("site", "").rstrip("/")
    name = place.path.rpartition("/")[2].removesuffix(".md")
    url = f"{site}/issues/{name}/" if site else ""
    return Published(reference=place.path, url=url, state=state_of(text))
