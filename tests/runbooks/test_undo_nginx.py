"""Taking back what an nginx has in its file and does not run yet, over real SSH."""

import json
from pathlib import Path

import pytest

from bot.registry import Registry
from bot.store import Store
from integrations.nginx.shed import Shed, parse, render
from tests.runbooks.room import runbook
from tests.runbooks.shipped.room import placed
from tests.servers.nginx import nginx
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.server
SHED = """\
action: nginx.shed
with: {server: web1, service: search, percent: 100}
on_failure: undo"""


async def test_what_would_come_with_the_next_reload_is_taken_back(
    store: Store,
    registry: Registry,
    tmp_path: Path,
    sshd_server: Sshd,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file is in place and nginx' own test of it hangs, as it does where names do not resolve.

    What runs is as before. But whoever reloads nginx for another reason would turn people away.
    """
    monkeypatch.setattr("integrations.nginx.host._PATIENCE", 1.5)
    hangs = tmp_path / "hangs"
    hangs.touch()
    with nginx(render(Shed())) as server:
        test = json.dumps(["sh", "-c", f"test ! -e {hangs} || (rm {hangs}; sleep 9)"])
        settings = {**server.settings(), **sshd_server.settings, "test": test}
        entry = {"url": sshd_server.url, "settings": settings}
        room = placed(runbook(SHED), "fix", store, registry, tmp_path, {"nginx/web1": entry})
        number = await room.approved()
        await room.work()
        run = await room.run(number)
        assert (run.state, run.error.partition(":")[0]) == ("failed", "s1")
        assert "did not end in" in run.error
        assert not hangs.exists()
        assert parse(server.file.read_text()).percent == {}
        assert server.get("/search").status == 200
