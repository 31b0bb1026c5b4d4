"""Facebook, 4 October 2021: a maintenance command took the backbone down, the name servers took
their routes back, and with them went sign-in, chat and the tools that would have mended it.

Here a router takes the addresses of a data centre back. Whoever sits at corp then reaches no
service, no name server, no sign-in and no Slack. The on-call's host in the ops network reaches one
thing, the router, and has a go-bag.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest

from tests.e2e.harness import Bot, Process, firing
from tests.postmortems.rubric import Truth, score
from tests.runbooks.shipped.room import SHIPPED
from tests.runbooks.shipped.test_restore_routes import commands
from tests.servers.bgp import SERVICE, DataCentre, data_centre
from tests.servers.process import running, scratch, spawn, wait_for
from tests.servers.sshd import Sshd, sshd
from tests.servers.tools import require
from tests.slackstub import SlackStub

pytestmark = [pytest.mark.server, pytest.mark.alone, pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[2]
PYTHON = "/usr/bin/python3.11" if Path("/usr/bin/python3.11").exists() else sys.executable
SLACK, SIGN_IN, DNS = 9000, 8001, 53
ZONE = """\
$TTL 60
@ IN SOA ns admin 1 60 60 60 60
@ IN NS ns
ns IN A 203.0.113.1
www IN A 203.0.113.1
"""
NAMED = """\
options {{ directory "{folder}"; listen-on {{ 203.0.113.1; }}; listen-on-v6 {{ none; }};
  recursion no; pid-file "{folder}/named.pid"; dnssec-validation no; }};
controls {{ }};
zone "shop.test" {{ type primary; file "zone"; }};
"""
ASK = """\
import socket, sys
def tcp(port):
    try:
        socket.create_connection(("203.0.113.1", port), 1).close()
        return True
    except OSError:
        return False
def dns():
    question = bytes.fromhex("1234010000010000000000000377777704" + "73686f70" + "0474657374" + "0000010001")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(1)
        try:
            link.sendto(question, ("203.0.113.1", 53))
            return len(link.recv(512)) > 12
        except OSError:
            return False
print(*(int(found) for found in (tcp(8000), dns(), tcp(8001), tcp(9000))))
"""


@dataclass
class World:
    place: DataCentre
    router: Sshd
    folder: Path
    key: Path  # the on-call's age key

    def seen_from_corp(self) -> list[bool]:
        """Whether the service, the name server, the sign-in and Slack answer there."""
        argv = [*self.place.corp, sys.executable, "-S", "-c", ASK]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        return [word == "1" for word in done.stdout.split()]

    def from_ops(self, *words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
        """A program on the on-call's host: nobody's rights, no environment, one network."""
        home = self.folder / "ops"
        alone = [*self.place.ops, "setpriv", "--reuid", "65534", "--regid", "65534",
                 "--clear-groups", "env", "-i", f"HOME={home}", "PATH=/usr/bin:/bin",
                 f"SHIV_ROOT={home}/unpacked", f"TMPDIR={home}"]  # fmt: skip
        return subprocess.run(
            [*alone, *words], cwd=path or home, capture_output=True, text=True, check=False
        )


@pytest.fixture
def place() -> Iterator[DataCentre]:
    with data_centre() as found:
        yield found


@pytest.fixture
def world(place: DataCentre, tmp_path: Path) -> Iterator[World]:
    """The data centre with its name server, its sign-in and its router's management address."""
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not here")
    with scratch("facebook") as folder, ExitStack() as stack:
        folder.chmod(0o755)
        (folder / "zone").write_text(ZONE)
        (folder / "named.conf").write_text(NAMED.format(folder=folder))
        binary = folder / "named"  # a copy: AppArmor confines the one of the package
        shutil.copy(require("named"), binary)
        started = (
            ("named", [binary, "-g", "-c", "named.conf"]),
            ("sign-in", [sys.executable, "-m", "http.server", str(SIGN_IN), "--bind", SERVICE]),
        )
        for name, argv in started:
            process = spawn(name, [*place.dc, *argv], folder=folder, ready=lambda: True)
            stack.enter_context(running(process))
        router = stack.enter_context(sshd(place.oob, place.dc))
        # The same server for ops: its address on their link.
        listen = f"TCP-LISTEN:{router.port},bind={place.router},fork"
        relay = spawn("oob", [*place.dc, require("socat"), listen, f"TCP:{place.oob}:{router.port}"],
                      folder=folder, ready=lambda: True)  # fmt: skip
        stack.enter_context(running(relay))
        home = folder / "ops"
        home.mkdir()
        made = pyrage.x25519.Identity.generate()
        (home / "age.key").write_text(f"{made}\n")
        yield World(place, router, folder, home / "age.key")


def write_catalog(world: World, team: str) -> Path:
    """What ships, for this router: the runbook, its target, and the way over the ops network."""
    folder = world.folder / "runbooks"
    (folder / "catalog").mkdir(parents=True)
    shutil.copy(SHIPPED / "restore-routes.md", folder)
    (world.folder / "oob.key").write_text(world.router.key)
    url = re.sub(r"@[^:]+:", f"@{world.place.router}:", world.router.url)
    catalog = {
        "services": [{"id": "shop", "title": "Shop", "tier": "p0", "depends_on": ["network:edge"],
                      "cost_per_minute": 900, "cost_share": [0.8, 1, 1], "returns": 0.1,
                      "slo": 0.9995, "slo_days": 28}],
        "people": [
            {"id": "ana", "name": "Ana", "roles": ["responder", "commander"],
             "slack": [f"{team}:U1"]},
            {"id": "ben", "name": "Ben", "roles": ["responder", "approver"], "slack": []},
        ],
        "nodes": [{"id": "network:edge"}, {"id": "network:oob"},
                  {"id": "slack", "depends_on": ["network:edge"]}],
        "credentials": [{"name": "router", "ref": f"file:{world.folder}/oob.key",
                         "emergency": True}],
        "paths": [
            {"name": "direct", "depends_on": ["network:edge"]},
            {"name": "oob", "kind": "interface", "bind": world.place.bind,
             "depends_on": ["network:oob"]},
        ],
        "targets": [{
            "name": "ssh/edge1", "url": url, "via": ["oob"], "of": ["network:edge"],
            "settings": {"key": "credential:router", "host_key": world.router.host_key,
                         "commands": commands(world.place)},
        }],
        "contacts": [{"name": "Bridge", "how": "bridge", "value": "+1 555 0100"}],
    }  # fmt: skip
    (folder / "catalog" / "all.yaml").write_text(json.dumps(catalog))
    return folder


@asynccontextmanager
async def jackline(world: World) -> AsyncIterator[tuple[Bot, SlackStub]]:
    """The bot at corp; its Slack is on the other side of the data centre's addresses."""
    place = world.place
    async with SlackStub(host=place.ours) as slack:
        listen = f"TCP-LISTEN:{SLACK},bind={SERVICE},fork"
        relay = spawn("slack", [*place.dc, require("socat"), listen, f"TCP:{place.ours}:{slack.port}"],
                      folder=world.folder, ready=lambda: True)  # fmt: skip
        with running(relay):
            slack_env = Bot.slack_env(slack, "http") | {
                "JACKLINE_SLACK__API_URL": f"http://{SERVICE}:{SLACK}/api/"
            }
            database = f"sqlite+aiosqlite:///{world.folder}/jackline.db"
            bot = Bot(world.folder, write_catalog(world, slack.team_id), database, **slack_env)
            bot.url = f"http://{place.office}:{bot.port}"
            bot.env["JACKLINE_HTTP_LISTEN"] = f"{place.office}:{bot.port}"
            bot.http.base_url = bot.url

            async def spawned(env: dict[str, str], log: Path) -> Process:
                with log.open("ab") as output:
                    return await asyncio.create_subprocess_exec(
                        *place.corp, sys.executable, "-m", "bot.cli", "serve",
                        stdout=output, stderr=output, env=env, cwd=ROOT,
                    )  # fmt: skip

            bot.spawn = spawned
            async with bot:
                yield bot, slack


def cli(bot: Bot, *words: str) -> str:
    """A command beside the bot."""
    argv = [sys.executable, "-m", "bot.cli", *words]
    done = subprocess.run(argv, env=bot.env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def packed(bot: Bot, world: World) -> tuple[Path, str, str]:
    """A go-bag on the on-call's host, opened there once as the drill asks; its signer; a code of Ben's."""
    bag = world.folder / "go.bag"
    recipient = str(pyrage.x25519.Identity.from_str(world.key.read_text().strip()).to_public())
    made = json.loads(cli(bot, "bag", "pack", "--to", recipient, "--out", str(bag), "--json"))
    code = next(
        line for line in Path(made["sheets"]["ben"]).read_text().splitlines()
        if re.fullmatch(r"[A-Z0-9-]{8,16}", line)
    )  # fmt: skip
    home = world.folder / "ops"
    shutil.copy(bag, home / "go.bag")
    for path in (home, *home.iterdir()):
        os.chown(path, 65534, 65534)
    drilled = world.from_ops(PYTHON, "go.bag", "bag", "verify", "--signer", made["signer"])
    assert drilled.returncode == 0, drilled.stderr
    return home / "go.bag", made["signer"], code


def by_hand(world: World) -> float:
    """The floor: the same four commands on the router, typed by a script. Seconds."""
    home = world.folder / "ops"
    (home / "key").write_text(world.router.key)
    (home / "key").chmod(0o600)
    os.chown(home / "key", 65534, 65534)
    address = world.router.url.removeprefix("ssh://")
    user = address.partition("@")[0]
    ssh = (f"ssh -q -i key -p {world.router.port} -o StrictHostKeyChecking=no "
           f"-o UserKnownHostsFile=/dev/null {user}@{world.place.router}")  # fmt: skip
    birdc = f"birdc -s {world.place.socket}"
    script = "\n".join(
        f"{ssh} {birdc} {words}" for words in (
            "show protocols anycast", "show protocols isp", "enable anycast",
            "show route export isp",
        )
    )  # fmt: skip
    world.place.birdc("disable", "anycast")
    wait_for(lambda: not world.place.reached(), what="the withdrawal")
    began = time.monotonic()
    done = world.from_ops("sh", "-ec", script)
    assert done.returncode == 0, done.stderr
    wait_for(world.place.reached, timeout=10, what="the service")
    return time.monotonic() - began


async def test_the_way_in_does_not_stand_on_what_is_down(world: World) -> None:
    """From withdrawal to restored with nothing but the bag; then Slack hears all of it in order."""
    async with jackline(world) as (bot, slack):
        bag, signer, code = packed(bot, world)
        await asyncio.to_thread(wait_for, lambda: all(world.seen_from_corp()), what="all four")

        withdrawn = time.monotonic()
        world.place.birdc("disable", "anycast")  # the maintenance command
        await asyncio.to_thread(wait_for, lambda: not any(world.seen_from_corp()), what="silence")
        alert = firing("NetworkGone", service="shop")
        alert["alerts"][0]["startsAt"] = datetime.now(UTC).isoformat()
        assert (await bot.alert(alert)).status_code == 200
        await bot.row("incident_declared")
        assert not any(c["name"].startswith("inc-") for c in slack.state()["channels"].values())

        run = await asyncio.to_thread(
            world.from_ops, PYTHON, bag.name, "run", "restore-routes", "--identity", "age.key",
            "--signer", signer, "--journal", "journal", "--as", "ana", "--code", code, "--yes",
            "--json",
        )  # fmt: skip
        assert run.returncode == 0, run.stdout + run.stderr
        await asyncio.to_thread(wait_for, world.place.reached, timeout=10, what="the service")
        took = time.monotonic() - withdrawn
        assert json.loads(run.stdout)["state"] == "succeeded"

        await asyncio.to_thread(wait_for, lambda: all(world.seen_from_corp()), what="all four")
        await bot.said_all()
        channel = next(
            c for c in slack.state()["channels"].values() if c["name"].startswith("inc-1-")
        )

        merged = json.loads(
            cli(bot, "bag", "merge", str(world.folder / "ops" / "journal"), "--incident", "1",
                "--json")
        )  # fmt: skip
        assert merged["rows"] > 0
        again = json.loads(
            cli(bot, "bag", "merge", str(world.folder / "ops" / "journal"), "--incident", "1",
                "--json")
        )  # fmt: skip
        assert again["rows"] == 0
        cli(bot, "audit", "verify")
        await bot.said_all()
        rows = (await bot.incident())["timeline"]
        kinds = [row["kind"] for row in rows]
        assert kinds.index("incident_declared") < kinds.index("bag_merged")
        assert "step_succeeded" in kinds[kinds.index("bag_merged") :]
        heard = " | ".join(m.text for m in slack.messages(channel["id"]))
        order = ("SEV1 · The shop is down", "NetworkGone firing", "was merged: ",
                 "Announce our addresses again: succeeded", "must be reviewed")  # fmt: skip
        places = [heard.index(words) for words in order]
        assert places == sorted(places), heard

        await resolved(bot)
        draft = await drafted(bot)
        access = draft[draft.index("## Access") :]
        assert "oob" in access
        for step in ("announced", "neighbours", "announce"):
            assert step in draft
        found = score(draft, Truth("sev1", never=("Ana", "Ben")))
        print(found)
        assert found.full, found
    floor = await asyncio.to_thread(by_hand, world)
    print(f"\nwithdrawn → restored: {took:.1f} s from the go-bag; {floor:.1f} s typed by a script")


async def resolved(bot: Bot) -> None:
    """Ana ends the incident, as from the console."""
    words = ("from bot.app import Jackline; from bot.settings import load; import asyncio\n"
             "async def main():\n"
             "    parts = Jackline(load())\n"
             "    async with parts.store.write() as session:\n"
             "        found = await parts.incidents.get(session, 1)\n"
             "        await parts.incidents.set_status(session, found, 'resolved', 'person:ana')\n"
             "    await parts.close()\n"
             "asyncio.run(main())\n")  # fmt: skip
    argv = [sys.executable, "-c", words]
    done = subprocess.run(argv, env=bot.env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def drafted(bot: Bot) -> str:
    """The postmortem's draft, once the bot has written it."""

    async def look() -> Any:
        return any(r["kind"] == "postmortem_drafted" for r in (await bot.incident())["timeline"])

    await bot.until(look, "the draft")
    return cli(bot, "postmortem", "show", "1")
