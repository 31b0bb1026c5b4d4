"""What the API says about itself is so, whatever it is asked: Schemathesis generates the questions."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.harness import TOKEN, Bot, firing, write_runbooks

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.server
@pytest.mark.slow
async def test_the_api_is_as_it_is_described(tmp_path: Path) -> None:
    """No status, header, type or body that is not described, and no 5xx, over a real socket."""
    runbooks = write_runbooks(tmp_path / "runbooks", team="T0", edge=NOWHERE, shop=NOWHERE)
    secrets = {"JACKLINE_WEBHOOKS__HEARTBEAT__SECRETS": json.dumps([TOKEN])}
    async with Bot(tmp_path, runbooks, "", **secrets) as bot:
        await bot.alert(firing())
        asked = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("schemathesis"), "run",
            f"{bot.url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {TOKEN}",
            # of two functions at one path, GET and POST, Starlette's Allow names the first one's
            "--checks", "all", "--exclude-checks", "allow_header_conformance", "--max-examples", "100", "--continue-on-failure", "--no-color",
            "--seed", "20261126",
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asked.communicate()
    assert asked.returncode == 0, said.decode()
