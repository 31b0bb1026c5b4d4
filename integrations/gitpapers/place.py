"""Puts a postmortem on a branch of its own: one commit with the document and its pictures.

The branch is the document's name in the repository: the same again adds no commit, a changed one adds
one on top. What people have merged meanwhile stays as it is.
"""

from bot.contract import Connection, Paper, Published
from bot.contract.git import Place, put_files
from bot.errors import Rejected


class GitPapers:
    """One repository."""

    async def put_paper(self, paper: Paper, connection: Connection) -> Published:
        """A commit where something is new; `Retryable` where somebody pushed at the same moment."""
        settings = connection.settings
        folder = settings.get("folder", "postmortems").strip("/")
        if ".." in folder:
            raise Rejected("folder of the target must lie inside the repository.")
        branch = f"{settings.get('prefix', 'postmortem/')}{paper.id}"
        lead = f"{folder}/" if folder else ""
        path = f"{lead}{paper.id}.md"
        # the document names its pictures as ../evidence/: here they lie beside it
        text = paper.markdown.replace("](../evidence/", f"]({paper.id}/")
        files = {path: text.encode()}
        files |= {f"{lead}{paper.id}/{name}": data for name, data in paper.pictures.items()}
        place = Place(branch, path, settings.get("base", "main"))
        await put_files(connection, place, files, f"Postmortem: {paper.title}")
        site = settings.get("site", "").rstrip("/")
        url = f"{site}/{branch}/{path}" if site else ""
        return Published(reference=branch, url=url[:500], state="pushed")
