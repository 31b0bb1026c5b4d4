"""Google Docs at a stand-in that holds each request to Google's own description of Drive."""

import io
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from docx import Document

from bot.contract import Connection, Paper, PaperPlace
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from integrations.googledocs.place import GoogleDocs
from tests.integrations.direct import direct
from tests.servers.google_drive import EMAIL, FOLDER, Fault, GoogleDrive, google_drive
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.slow


def docx(text: str) -> bytes:
    made, out = Document(), io.BytesIO()
    made.add_paragraph(text)
    made.save(out)
    return out.getvalue()


def paper(text: str = "Dark", **more: Any) -> Paper:
    given = {"id": "inc-12", "title": "Dark & <still>", "markdown": f"# {text}\n", "body": "",
             "docx": docx(text), "pictures": {"a.png": b"1"}}  # fmt: skip
    return Paper.model_validate(given | more)


@pytest.fixture
def drive() -> Iterator[GoogleDrive]:
    with google_drive() as app:
        yield app
        assert app.wrong == []  # every request was one that Google knows


@pytest.fixture
async def there(drive: GoogleDrive) -> AsyncIterator[Connection]:
    async with at(drive) as connection:
        yield connection


def at(drive: GoogleDrive, **more: str) -> Any:
    settings = {"key": drive.key_file, "folder": FOLDER} | more
    return direct("drive/papers", drive.url, timeout=3, settings=settings)


def shown(content: bytes) -> str:
    return "\n".join(each.text for each in Document(io.BytesIO(content)).paragraphs)


def test_it_is_a_place_for_papers() -> None:
    assert isinstance(GoogleDocs(), PaperPlace)


async def test_a_document_is_made_found_and_brought_up_to_date(
    drive: GoogleDrive, there: Connection
) -> None:
    """Made once in the folder, also where it was moved and renamed; the same again uploads nothing."""
    done = await GoogleDocs().put_paper(paper(), there)
    (made,) = drive.documents
    assert (done.reference, made["name"], made["parents"]) == (made["id"], "INC-12 Dark & <still>", [FOLDER])  # fmt: skip
    assert done.url == f"https://docs.google.com/document/d/{made['id']}/edit?usp=drivesdk"
    made.update(name="Ours", parents=["elsewhere_0001"])
    for reference in ("", done.reference, "gone_doc_000001"):
        again = await GoogleDocs().put_paper(paper(reference=reference), there)
        assert again == done
    assert len(drive.uploads) == 1
    await GoogleDocs().put_paper(paper("Light", pictures={"a.png": b"2"}), there)
    assert [shown(each) for each in drive.uploads] == ["Dark", "Light"]
    (now_is,) = drive.documents
    assert (now_is["id"], now_is["parents"]) == (made["id"], ["elsewhere_0001"])
    await GoogleDocs().put_paper(paper("Light", pictures={"a.png": b"3"}), there)  # a new picture
    assert len(drive.uploads) == 3


async def test_each_folder_and_each_incident_has_its_own(drive: GoogleDrive, there: Connection) -> None:  # fmt: skip
    """Two installations with one account do not take each other's; what is in the bin stays there."""
    await GoogleDocs().put_paper(paper(), there)
    drive.documents[0]["appProperties"]["jacklineFolder"] = "fold_of_others"
    await GoogleDocs().put_paper(paper(), there)
    await GoogleDocs().put_paper(paper(id="inc-13"), there)
    assert len(drive.documents) == 3
    second = drive.documents[1]
    second["trashed"] = True
    done = await GoogleDocs().put_paper(paper(reference=second["id"]), there)
    assert len(drive.documents) == 4
    assert done.reference == drive.documents[3]["id"]


async def test_an_answer_that_was_lost(drive: GoogleDrive, there: Connection) -> None:
    """The upload's own session says whether it arrived; a crash later, the search does; never twice."""
    drive.faults = [Fault("content", lost="after")]
    await GoogleDocs().put_paper(paper(), there)
    drive.faults = [Fault("content", lost="after"), Fault("status", lost="before")]
    with pytest.raises(Unknown):
        await GoogleDocs().put_paper(paper("Light"), there)
    drive.asked.clear()
    await GoogleDocs().put_paper(paper("Light"), there)
    assert drive.asked == ["token", "get", "list"]  # it had arrived
    drive.faults = [Fault("content", lost="before")]
    with pytest.raises(Retryable, match="only in part"):
        await GoogleDocs().put_paper(paper("Night"), there)
    await GoogleDocs().put_paper(paper("Night"), there)
    assert ([shown(each) for each in drive.uploads], len(drive.documents)) == (["Dark", "Light", "Night"], 1)  # fmt: skip


async def test_a_search_that_lags_behind(drive: GoogleDrive, there: Connection) -> None:
    """What was published is known by its own id, whatever the index says."""
    done = await GoogleDocs().put_paper(paper(), there)
    drive.lag = 1
    again = await GoogleDocs().put_paper(paper("Light", reference=done.reference), there)
    assert (again.reference, len(drive.documents)) == (done.reference, 1)
    assert drive.lag == 1  # it was not asked


@pytest.mark.parametrize(
    ("fault", "kind", "hint"),
    [
        (Fault("token", 401, "x"), AuthFailed, "was deleted"),
        (Fault("token", 503), Retryable, ""),
        (Fault("token", lost="before"), Retryable, ""),
        (Fault("get", 401, "authError"), AuthFailed, EMAIL),
        (Fault("list", 403, "accessNotConfigured"), AuthFailed, "Enable the Google Drive API"),
        (Fault("list", 403, "userRateLimitExceeded", headers={"Retry-After": "7"}), Retryable, ""),
        (Fault("list", 429, "rateLimitExceeded"), Retryable, ""),
        (Fault("list", 500), Retryable, ""),
        (Fault("create", 403, "insufficientFilePermissions"), AuthFailed, f"with {EMAIL}"),
        (Fault("create", 403, "teamDriveFileLimitExceeded"), Rejected, "shared drive"),
        (Fault("create", 400, "badRequest"), Rejected, ""),
        (Fault("create", 503), Retryable, ""),
        (Fault("create", lost="after"), Retryable, ""),
        (Fault("content", 404), Retryable, ""),
        (Fault("content", 429), Retryable, ""),
        (Fault("content", 403, "storageQuotaExceeded"), Rejected, "no storage of its own"),
        (Fault("content", 503), Retryable, ""),
    ],
    ids=lambda each: f"{each.of}-{each.reason}-{each.status}" if isinstance(each, Fault) else None,
)
async def test_refusals(
    drive: GoogleDrive, there: Connection, fault: Fault, kind: type[TargetError], hint: str
) -> None:
    """Their words are told and what to do, no credential; nothing is made, and then it is, once."""
    drive.faults = [fault]
    with pytest.raises(kind) as refused:
        await GoogleDocs().put_paper(paper(), there)
    said = str(refused.value)
    assert hint in said
    assert not [part for part in ("ya29", "PRIVATE", "eyJ") if part in said]
    if fault.headers:
        assert getattr(refused.value, "retry_after", 0) == 7.0
    assert drive.documents == []
    await GoogleDocs().put_paper(paper(), there)
    assert len(drive.documents) == 1


async def test_a_folder_that_cannot_be_used(drive: GoogleDrive, there: Connection) -> None:
    """Not shared, in no shared drive, no folder, no id: each says what to do."""
    drive.shared_with.clear()
    with pytest.raises(Rejected, match=f"File not found: {FOLDER}.*with {EMAIL} as Contributor"):
        await GoogleDocs().put_paper(paper(), there)
    drive.shared_with.add(EMAIL)
    shared = drive.files[FOLDER].pop("driveId")
    with pytest.raises(Rejected, match="must be in a shared drive"):
        await GoogleDocs().put_paper(paper(), there)
    drive.files[FOLDER] |= {"driveId": shared, "mimeType": "application/pdf"}
    with pytest.raises(Rejected, match="a file, not a folder"):
        await GoogleDocs().put_paper(paper(), there)
    async with at(drive, folder="https://drive.google.com/drive/folders/x") as wrong:
        with pytest.raises(Rejected, match="what follows /folders/"):
            await GoogleDocs().put_paper(paper(), wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "authorized_user"}, {"private_key": "-----BEGIN PRIVATE KEY-----\nSECRET\n"},
        {"private_key": None}, {"client_email": ...}, "not JSON", "[]",
    ],
    ids=str,
)  # fmt: skip
async def test_a_key_that_is_none(drive: GoogleDrive, change: Any) -> None:
    """Said before anything is asked, and never quoted."""
    key = change
    if isinstance(change, dict):
        whole = json.loads(drive.key_file) | change
        key = json.dumps({name: value for name, value in whole.items() if value is not ...})
    async with at(drive, key=key) as wrong:
        with pytest.raises(AuthFailed, match="Make a JSON key") as refused:
            await GoogleDocs().put_paper(paper(), wrong)
    assert "SECRET" not in str(refused.value)
    assert drive.asked == []


async def test_a_key_that_google_does_not_know(drive: GoogleDrive) -> None:
    with google_drive() as other:
        key = json.loads(other.key_file) | {"token_uri": f"{drive.url}/token"}
        async with at(drive, key=json.dumps(key)) as wrong:
            with pytest.raises(AuthFailed, match=r"Invalid JWT Signature.*clock is right"):
                await GoogleDocs().put_paper(paper(), wrong)


async def test_it_is_not_there(drive: GoogleDrive) -> None:
    key = json.loads(drive.key_file) | {"token_uri": f"http://{HOST}:{free_port()}/token"}
    async with at(drive, key=json.dumps(key)) as nowhere:
        with pytest.raises(NotSent):
            await GoogleDocs().put_paper(paper(), nowhere)
