"""``jackline demo``: the article's 12 o'clock blackout, broken and repaired for real.

The practice platform and Jackline run as processes of their own; this module is the outside
world: it breaks the platform, in script mode acts as the two practice people through the
console, and judges by its own HTTP probe whether the platform serves again.
"""

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
from rich.console import Console

from bot.catalog import load_catalog
from bot.errors import Unavailable
from bot.practice.jackline import BotProcess
from bot.practice.people import ANA, BEN, Browser
from bot.practice.platform import Platform
from bot.practice.probe import ProbeResult, probe
from bot.practice.progress import Progress
from bot.registry import load
from bot.runbooks.check import check
from bot.runbooks.read import read

RUNBOOKS = Path(__file__).resolve().parents[2] / "runbooks"
SOON = 30.0
_PROBES = 3
WARNING = 15.0


def play(*, script: bool, port: int, keep: Path) -> int:
    """Runs the demo; 0 only if the platform serves again, seen from outside."""
    try:
        return asyncio.run(_until_signal(_play(script=script, port=port, keep=keep.absolute())))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("Stopped; everything is cleaned up.\n")
        return 130
    except httpx.HTTPError as error:
        raise Unavailable(
            f"A part of the demo did not answer: {error or type(error).__name__}.",
            hint="Everything is cleaned up; start it again, with less beside it on this machine.",
        ) from error


async def _until_signal(work: Coroutine[None, None, int]) -> int:
    task = asyncio.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


async def _play(*, script: bool, port: int, keep: Path) -> int:
    progress = Progress(Console(highlight=False, soft_wrap=True))
    folder = Path(tempfile.mkdtemp(prefix="jackline-demo-"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        progress.say("Starting the practice platform: edge, payments twice, pricing, social, load")
        platform = await stack.enter_async_context(Platform(folder / "platform"))
        runbooks = write_runbooks(folder / "runbooks", platform)
        bot = await stack.enter_async_context(BotProcess(folder, runbooks, port))
        progress.say(f"Jackline is ready: {bot.url}")
        _show("before", await probe(platform.edge_url), progress)
        ana = await stack.enter_async_context(Browser(bot, ANA))
        ben = await stack.enter_async_context(Browser(bot, BEN))
        if script:
            await ana.sign_in()
            await ben.sign_in()
        else:
            await _invite(bot, progress)
        await _break(platform, progress)
        number = await _respond(bot, ana, ben, progress, script=script)
        files = await _collect(bot, number, keep, progress)
        good = await _serves(platform, progress) and bool(files)
        progress.say("The platform serves again." if good else "The platform does NOT serve.")
        if not script:
            progress.say("Jackline keeps running for you to look around. Ctrl-C ends it.")
            await asyncio.Event().wait()
        return 0 if good else 1


async def _invite(bot: BotProcess, progress: Progress) -> None:
    progress.say("Open the console in two browsers (or one private window), each link works once:")
    progress.say(f"  Ana, commander: {bot.signin_link(ANA)}")
    progress.say(f"  Ben, approver:  {bot.signin_link(BEN)}")
    progress.say(f"The blackout begins in {WARNING:.0f} s.")
    await asyncio.sleep(WARNING)


async def _break(platform: Platform, progress: Progress) -> None:
    await platform.set_load("peak")
    progress.say("It is 12 o'clock: traffic peaks")
    await asyncio.sleep(2)
    await platform.kill_primary()
    progress.say("The primary of payments is killed (SIGKILL)")
    _show("now", await probe(platform.edge_url), progress)


async def _respond(
    bot: BotProcess, ana: Browser, ben: Browser, progress: Progress, *, script: bool
) -> int:
    """From the check's alert to the resolved incident."""
    limit = SOON if script else 3600.0
    incident = await bot.wait_for(lambda found: found, "an incident", SOON)
    number = int(incident["id"])
    progress.say(
        f"The built-in check noticed: incident {number} ({incident['severity']}) {incident['title']}"
    )
    planned = await bot.wait_run(number, ("proposed", "waiting"), SOON)
    progress.say(f"Runbook proposed: {planned['title']}")
    for step in planned["plan"]["steps"]:
        for change in step["changes"]:
            progress.say(f"  plan: {change['what']}: {change['before']} → {change['after']}")
    if script:
        await bot.wait_row(number, "evidence_attached", SOON)
        progress.say("Evidence is attached: error rate and latency as a picture")
        await ana.click("incident_lead", str(number))
        await ana.click("run_request", f"{planned['id']}|{planned['plan_digest']}")
        progress.say("Ana takes command and asks for the run")
        await ben.click("run_approve", f"{planned['id']}|{planned['plan_digest']}")
        progress.say("Ben approves the plan")
    ended = await bot.follow_run(
        number, ("succeeded", "failed", "refused", "aborted", "unknown"), limit, progress.say
    )
    progress.say(f"The run ended: {ended['state']} {ended['error']}".rstrip())
    if script and ended["state"] == "succeeded":
        await bot.wait_row(number, "alert_resolved", SOON)
        progress.say("The check passes again")
        await ana.click("incident_resolve", str(number))
    await bot.wait_status(number, "resolved", limit)
    progress.say("The incident is resolved")
    return number


async def _collect(bot: BotProcess, number: int, keep: Path, progress: Progress) -> list[Path]:
    """The drafted postmortem, copied out of the demo's scratch folder."""
    await bot.wait_row(number, "postmortem_drafted", SOON)
    await asyncio.to_thread(keep.mkdir, parents=True, exist_ok=True)
    files = []
    for suffix in ("md", "html"):
        source = bot.data_dir / "postmortems" / f"INC-{number}.{suffix}"
        files.append(Path(shutil.copy(source, keep / f"postmortem.{suffix}")))
        progress.say(f"Postmortem: {files[-1]}")
    return files


async def _serves(platform: Platform, progress: Progress) -> bool:
    """Whether the standby does, seen from outside; a busy machine is asked again."""
    for left in reversed(range(_PROBES)):
        after = await probe(platform.edge_url)
        _show("after", after, progress)
        if after.failed == 0 and set(after.served_by) == {"payments-standby"}:
            return True
        if left:
            await asyncio.sleep(2)
    return False


def _show(when: str, result: ProbeResult, progress: Progress) -> None:
    servers = ", ".join(f"{name} {n}" for name, n in result.served_by.items()) or "nobody"
    progress.say(
        f"Probe from outside, {when}: {result.ok} ok, {result.failed} failed; served by {servers}"
    )


def write_runbooks(folder: Path, platform: Platform) -> Path:
    """A catalog that points at the practice platform, and the shipped runbooks that hold with it."""
    (folder / "catalog").mkdir(parents=True)
    edge = {
        "id": "payments-edge", "url": f"{platform.edge_url}/payments", "every": 1, "requests": 4,
        "timeout": 2, "fail_after": 2, "recover_after": 3,
    }  # fmt: skip
    catalog = {
        "services": [
            {"id": "payments", "title": "Payments", "tier": "p0", "owner": "payments",
             "cost_per_minute": 1200, "currency": "EUR", "slo": 0.999, "checks": [edge]},
            {"id": "pricing", "title": "Pricing", "tier": "p1", "owner": "payments"},
            {"id": "social", "title": "Social feed", "tier": "p2", "owner": "payments",
             "depends_on": ["payments"]},
        ],
        "people": [
            {"id": ANA, "name": "Ana", "groups": ["payments"], "roles": ["responder", "commander"]},
            {"id": BEN, "name": "Ben", "groups": ["payments"], "roles": ["responder", "approver"]},
        ],
        "targets": [
            {"name": "envoy/edge", "url": platform.envoy_admin_url},
            {"name": "http/edge", "url": platform.edge_url},
            {"name": "http/payments-standby", "url": platform.service_urls["payments-standby"]},
        ],
    }  # fmt: skip
    # JSON is YAML, and needs no writer of its own.
    (folder / "catalog" / "practice.yaml").write_text(json.dumps(catalog, indent=1), "utf-8")
    registry, known = load(), load_catalog(folder / "catalog")
    for path in RUNBOOKS.glob("*.md"):
        runbook, _ = read(path.read_text("utf-8"), str(path))
        if runbook is not None and not check(runbook, registry, known):
            shutil.copy(path, folder / path.name)
    return folder
