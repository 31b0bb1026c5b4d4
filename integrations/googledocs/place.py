"""Puts a postmortem in Google Drive as a document of Google Docs, and brings that up to date.

Drive makes it of the DOCX. Ids that are given out beforehand are not allowed for what Drive converts,
so a document is known by properties that only we see: the paper and the folder that it was made for.
It may be renamed and moved. Whether an upload whose answer was lost has arrived, its session tells.
"""

import hashlib
import re
from typing import Any

from bot.contract import Connection, Paper, Published
from bot.contract.http import an_object
from bot.errors import Rejected, Retryable, Unknown

from .drive import Drive, opened

_DOCUMENT = "application/vnd.google-apps.document"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_FOLDER = "application/vnd.google-apps.folder"
_FIELDS = "id,webViewLink,trashed,appProperties"
_ID = re.compile(r"[A-Za-z0-9_-]{10,200}")
_FILES, _UPLOAD = "/drive/v3/files", "/upload/drive/v3/files"
_UNFINISHED = 308


class GoogleDocs:
    """One folder, best of a shared drive: a service account can own nothing elsewhere."""

    async def put_paper(self, paper: Paper, connection: Connection) -> Published:
        """Makes the document, or what is there of it this; the same again uploads nothing."""
        folder = connection.settings.get("folder", "")
        if not _ID.fullmatch(folder):
            raise Rejected(
                "folder of the target is no folder's id.",
                hint="It is what follows /folders/ in the folder's address.",
            )
        drive = await opened(connection)
        found = await _known(drive, paper.reference) or await _sought(drive, paper.id, folder)
        made_from = _digest(paper)
        if found and (found.get("appProperties") or {}).get("jacklineMadeFrom") == made_from:
            return _published(found)
        own = {"jackline": paper.id, "jacklineFolder": folder, "jacklineMadeFrom": made_from}
        about: dict[str, Any] = {"name": _name(paper), "mimeType": _DOCUMENT, "appProperties": own}
        if found is None:
            about["parents"] = [folder]
        return _published(await _uploaded(drive, found, about, paper.docx))


async def _known(drive: Drive, reference: str) -> dict[str, Any] | None:
    """The document that it was last time; None where it is gone or in the bin."""
    if not _ID.fullmatch(reference):
        return None
    found = await drive.read(f"{_FILES}/{reference}", {"fields": _FIELDS}, lacking=True)
    return None if found is None or found.get("trashed") else found


async def _sought(drive: Drive, paper: str, folder: str) -> dict[str, Any] | None:
    """By our own properties, wherever it was moved in the drive; the oldest, should somebody have copied it."""
    there = await drive.read(f"{_FILES}/{folder}", {"fields": "mimeType,driveId"})
    if there is None or there.get("mimeType") != _FOLDER:
        raise Rejected("folder of the target is a file, not a folder.")
    wanted = [
        f"appProperties has {{ key='{key}' and value='{value}' }}"
        for key, value in (("jackline", paper), ("jacklineFolder", folder))
    ]
    asked = {
        "q": " and ".join([*wanted, "trashed = false"]), "orderBy": "createdTime", "pageSize": "10",
        "fields": f"files({_FIELDS})", "includeItemsFromAllDrives": "true",
    }  # fmt: skip
    if shared := there.get("driveId"):
        asked |= {"corpora": "drive", "driveId": str(shared)}
    listed = (await drive.read(_FILES, asked) or {}).get("files")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise Retryable("Google Drive's answer is no list of files.")
    return listed[0] if listed else None


async def _uploaded(
    drive: Drive, found: dict[str, Any] | None, about: dict[str, Any], docx: bytes
) -> dict[str, Any]:
    method, path = ("PATCH", f"{_UPLOAD}/{_id(found)}") if found else ("POST", _UPLOAD)
    session = await drive.session(method, path, about, _DOCX, len(docx), _FIELDS)
    try:
        answer = await drive.send(session, docx, {"Content-Type": _DOCX})
    except Unknown:
        answer = await drive.send(session, b"", {"Content-Range": f"bytes */{len(docx)}"})
    if answer.status_code == _UNFINISHED:  # nothing is made of a part
        raise Retryable("Google Drive has got the document only in part.")
    made = an_object(answer)
    if made is None:
        raise Unknown("Google Drive's answer is no file.")
    return made


def _published(found: dict[str, Any]) -> Published:
    url = str(found.get("webViewLink") or "")
    safe = url if url.startswith("https://") else ""
    return Published(reference=_id(found), url=safe[:500], state="current")


def _id(found: dict[str, Any]) -> str:
    name = str(found.get("id", ""))
    if not _ID.fullmatch(name):
        raise Unknown("Google Drive's answer is no file.")
    return name


def _name(paper: Paper) -> str:
    number = paper.id.upper()
    return paper.title if number in paper.title.upper() else f"{number} {paper.title}"


def _digest(paper: Paper) -> str:
    """Of what is in it: a DOCX made anew differs in its times."""
    whole = hashlib.sha256(paper.markdown.encode())
    for name, picture in sorted(paper.pictures.items()):
        whole.update(name.encode() + hashlib.sha256(picture).digest())
    return whole.hexdigest()[:32]
