"""A served Jackline publishes a postmortem, and is killed in the middle of it."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from bot.store import Store
from tests.chat.outside.papers_room import PEOPLE, PapersRoom
from tests.e2e.harness import Bot
from tests.servers.google_drive import google_drive


@pytest.mark.server
async def test_killed_while_a_document_is_made(store: Store, database_url: str, tmp_path: Path) -> None:  # fmt: skip
    """It was made and nobody here knew: the next process finds it, and there is one."""
    with google_drive() as drive:
        room = PapersRoom(store, tmp_path / "data")
        room.drive(drive)
        await room.drafted()
        known = {"people": PEOPLE, "targets": room.targets, "paper_places": room.places}
        (tmp_path / "runbooks" / "catalog").mkdir(parents=True)
        (tmp_path / "runbooks" / "catalog" / "all.yaml").write_text(json.dumps(known))
        drive.holds = "content"
        async with Bot(
            tmp_path, tmp_path / "runbooks", database_url, JACKLINE_AUDIT_KEY="k"
        ) as bot:
            await room.ask("docs")
            async with asyncio.timeout(30):
                while not drive.uploads:
                    await asyncio.sleep(0.02)
            await bot.stop(signal.SIGKILL)
            assert (await room.copy("docs")).state == "pending"
            drive.holds = ""
            await room.lease_over()
            await bot.start()
            async with asyncio.timeout(30):
                while (await room.copy("docs")).state == "pending":
                    await asyncio.sleep(0.05)
        assert drive.wrong == []
        assert (len(drive.documents), len(drive.uploads)) == (1, 1)
        assert (await room.copy("docs")).url == drive.documents[0]["webViewLink"]
        assert await room.kinds() == ["publish_asked", "published"]
