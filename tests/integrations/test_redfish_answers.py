"""What sushy-emulator does not serve or do, in answers written after DMTF's schema."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.errors import Rejected, Retryable, TargetError, Unknown
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server
DB1: dict[str, Any] = {"bmc": "db1"}
SYSTEMS = "/redfish/v1/Systems"
ONE = f"{SYSTEMS}/1"
RESET = f"{ONE}/Actions/ComputerSystem.Reset"
EARLIER, LATER = "2026-11-20T03:00:00+00:00", "2026-11-26T04:05:06+00:00"
HOST_ON: dict[str, Any] = {
    "@odata.id": ONE, "Id": "1", "Name": "db1", "PowerState": "On", "LastResetTime": EARLIER,
    "Status": {"Health": "OK", "HealthRollup": "Critical"},
    "SerialConsole": {
        "MaxConcurrentSessions": 1,
        "SSH": {"ServiceEnabled": True, "Port": 2200},
        "Telnet": {"ServiceEnabled": False, "Port": 23},
        "IPMI": {"ServiceEnabled": True},
    },
    "Boot": {"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None"},
    "LogServices": {"@odata.id": f"{ONE}/LogServices"},
    "Actions": {"#ComputerSystem.Reset": {"target": RESET}},
}  # fmt: skip


class Bmc:
    """A BMC of written answers."""

    def __init__(self, app: HttpApp) -> None:
        self.app = app
        self.serve(SYSTEMS, Members=[{"@odata.id": ONE}])
        self.host()

    def serve(self, path: str, **fields: Any) -> None:
        self.app.answers[path] = answer(**fields)

    def host(self, *later: dict[str, Any], **more: Any) -> None:
        """The host with these fields; after each look it is as the next of `later` says."""
        states = [{**HOST_ON, **more}, *({**HOST_ON, **each} for each in later)]
        self.app.answers[ONE] = [answer(**state) for state in states]


def answer(status: int = 200, **fields: Any) -> Answer:
    headers = {"Content-Type": "application/json", "ETag": '"v7"'}
    return Answer(status, json.dumps(fields), headers=headers)


@pytest.fixture
def bmc(http_server: Start[HttpApp]) -> Bmc:
    return Bmc(http_server("bmc"))


@pytest.fixture
async def on_bmc(registry: Registry, bmc: Bmc) -> AsyncIterator[Doing]:
    settings = {"username": "ops", "password": "pw"}
    async with direct("redfish/db1", bmc.app.url, settings=settings, timeout=2) as connection:
        yield Doing(registry, connection)


async def test_the_newest_entries_of_a_log_in_pages(on_bmc: Doing, bmc: Bmc) -> None:
    """Oldest first and over two pages, as some makers do; the worst health, the open consoles."""
    sel = f"{ONE}/LogServices/SEL"
    bmc.serve(f"{ONE}/LogServices", Members=[{"@odata.id": sel}])
    bmc.serve(sel, Entries={"@odata.id": f"{sel}/Entries"})
    entry = {"Severity": "Critical", "Message": "Uncorrectable ECC on DIMM A1"}
    first = [{**entry, "Created": f"2026-11-2{day}T00:00:00Z"} for day in (1, 2)]
    link = f"{sel}/Page2"
    bmc.serve(f"{sel}/Entries", Members=first, **{"Members@odata.nextLink": link})
    bmc.serve(link, Members=[{**entry, "Created": "2026-11-23T00:00:00Z"}])
    out = await on_bmc.apply("redfish.system", **DB1, log=2)
    assert out["log_served"] is True
    assert [each["at"][:10] for each in out["log"]] == ["2026-11-23", "2026-11-22"]
    assert out["log"][0]["words"] == "Uncorrectable ECC on DIMM A1"
    assert (out["health"], out["consoles"]) == ("Critical", ["SSH:2200", "IPMI"])
    bmc.app.received.clear()
    assert (await on_bmc.apply("redfish.system", **DB1, log=0))["log"] == []
    assert bmc.app.count() == 2


async def test_the_log_of_the_manager(on_bmc: Doing, bmc: Bmc) -> None:
    """Where the system has none of its own."""
    manager = "/redfish/v1/Managers/1"
    bmc.host(LogServices=None, Links={"ManagedBy": [{"@odata.id": manager}]})
    bmc.serve(manager, LogServices={"@odata.id": f"{manager}/Logs"})
    bmc.serve(f"{manager}/Logs", Members=[])
    assert (await on_bmc.apply("redfish.system", **DB1))["log_served"] is False


async def test_the_last_reset_tells_a_lost_answer(on_bmc: Doing, bmc: Bmc) -> None:
    """Another one than was read before: it happened. The same one: nobody can tell."""
    call = {**DB1, "last_reset": EARLIER}
    assert await on_bmc.verify("redfish.reset", **call) is None
    bmc.host(LastResetTime=LATER)
    assert await on_bmc.verify("redfish.reset", **call) is True
    assert await on_bmc.verify("redfish.reset", **DB1) is None
    bmc.host(LastResetTime=LATER, PowerState="PoweringOn")
    assert await on_bmc.verify("redfish.reset", **call) is None


async def test_a_restart_that_never_shows_as_off(on_bmc: Doing, bmc: Bmc) -> None:
    """By the last reset; and where that is not told either, it is not claimed."""
    bmc.host({}, {"LastResetTime": LATER})
    assert await on_bmc.apply("redfish.reset", **DB1) == {"seen": True}
    (sent,) = bmc.app.to(RESET)
    assert sent.json() == {"ResetType": "ForceRestart"}
    bmc.host(LastResetTime=None)
    assert await on_bmc.apply("redfish.reset", **DB1, patience=0.2) == {"seen": False}


async def test_somebody_else_was_quicker(on_bmc: Doing, bmc: Bmc) -> None:
    """A host that was reset since it was looked at is not reset again."""
    bmc.host(LastResetTime=LATER)
    with pytest.raises(Rejected, match=f"was reset at {LATER[:10]}"):
        await on_bmc.apply("redfish.reset", **DB1, last_reset=EARLIER)
    assert bmc.app.to(RESET) == []


@pytest.mark.parametrize("broken", [Answer(drop=True), Answer(latency=60), Answer(status=500)])
async def test_nobody_knows_whether_it_was_heard(on_bmc: Doing, bmc: Bmc, broken: Answer) -> None:
    """A change is sent once, and the way it fails says that it may have happened."""
    bmc.app.answers[RESET] = broken
    for action, more in (("redfish.reset", {}), ("redfish.power", {"state": "off"})):
        bmc.app.received.clear()
        with pytest.raises(Unknown):
            await on_bmc.apply(action, **DB1, **more)
        assert len(bmc.app.to(RESET)) == 1


async def test_a_bmc_that_stumbles_while_it_is_watched(on_bmc: Doing, bmc: Bmc) -> None:
    """After the order, a failed look is only looked at again: BMCs do that."""
    off = answer(**{**HOST_ON, "PowerState": "Off"})
    bmc.app.answers[ONE] = [answer(**HOST_ON), answer(503), Answer(drop=True), answer(401), off]
    assert await on_bmc.apply("redfish.power", **DB1, state="off") == {
        "power": "off", "changed": True,
    }  # fmt: skip


async def test_on_its_way_already(on_bmc: Doing, bmc: Bmc) -> None:
    """It is waited for, and not told again."""
    bmc.host({"PowerState": "Off"}, PowerState="PoweringOff")
    assert (await on_bmc.apply("redfish.power", **DB1, state="off"))["power"] == "off"
    assert bmc.app.to(RESET) == []


async def test_words_of_a_refusal(on_bmc: Doing, bmc: Bmc) -> None:
    said = {"message": "See extended information.", "@Message.ExtendedInfo": [
        {"Message": "The chassis lock is engaged."}]}  # fmt: skip
    bmc.app.answers[RESET] = answer(409, error=said)
    with pytest.raises(Rejected, match=r"409: The chassis lock is engaged\. See extended"):
        await on_bmc.apply("redfish.reset", **DB1)
    bmc.app.answers[RESET] = Answer(503, "busy", headers={"Retry-After": "7"})
    with pytest.raises(Retryable, match="503: busy") as caught:
        await on_bmc.apply("redfish.reset", **DB1)
    assert caught.value.retry_after == 7


async def test_the_version_that_was_read_goes_along(on_bmc: Doing, bmc: Bmc) -> None:
    """For makers that insist on If-Match; an override that is not there is one in any words."""
    preview = await on_bmc.preview("redfish.boot", **DB1, device="Pxe")
    assert preview.changes[0].before == "None (Disabled)"
    await on_bmc.apply("redfish.boot", **DB1, device="Pxe")
    sent = next(each for each in bmc.app.to(ONE) if each.method == "PATCH")
    assert sent.headers["if-match"] == '"v7"'
    assert sent.json() == {
        "Boot": {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}
    }
    assert await on_bmc.verify("redfish.boot", **DB1, device="None", enabled="Once") is True
    assert await on_bmc.verify("redfish.boot", **DB1, device="Pxe") is False


@pytest.mark.parametrize("link", ["http://thief.test/redfish/v1/", "//thief.test/", "/elsewhere"])
async def test_a_link_that_leads_elsewhere(on_bmc: Doing, bmc: Bmc, link: str) -> None:
    """The password goes to the BMC and to nobody that it names."""
    bmc.serve(SYSTEMS, Members=[{"@odata.id": link}])
    with pytest.raises(Rejected, match="leads elsewhere"):
        await on_bmc.apply("redfish.system", **DB1)
    assert bmc.app.count() == 1


@pytest.mark.parametrize("body", ["<html>login</html>", "[]", '"ok"'])
async def test_something_else_answers(on_bmc: Doing, bmc: Bmc, body: str) -> None:
    bmc.app.answers[SYSTEMS] = Answer(body=body)
    with pytest.raises(Rejected, match="is no Redfish"):
        await on_bmc.apply("redfish.system", **DB1)


async def test_a_host_whose_power_is_not_told(on_bmc: Doing, bmc: Bmc) -> None:
    """Nothing could be taken back to it: it is left alone."""
    bmc.host(PowerState=None)
    with pytest.raises(Rejected, match="does not say whether it is on"):
        await on_bmc.preview("redfish.power", **DB1, state="off")


@pytest.mark.parametrize(
    "odd",
    [
        {"Actions": None}, {"Actions": {"#ComputerSystem.Reset": "x"}}, {"Boot": []},
        {"SerialConsole": [1]}, {"SerialConsole": {"SSH": 1}}, {"LogServices": "x"},
        {"Links": {"ManagedBy": []}, "LogServices": None}, {"Status": "bad"}, {"PowerState": {}},
        {"Actions": {"#ComputerSystem.Reset": {
            "target": RESET, "ResetType@Redfish.AllowableValues": [1, None]}}},
    ],
)  # fmt: skip
async def test_odd_shapes_are_told_or_passed_over(
    on_bmc: Doing, bmc: Bmc, odd: dict[str, Any]
) -> None:
    """Never a traceback: half of the BMCs in the world leave something out."""
    bmc.serve(f"{ONE}/LogServices", Members=None)
    bmc.host(**odd)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("redfish.power", {"state": "off"}), ("redfish.reset", {}), ("redfish.boot", {"device": "Pxe"}),
        ("redfish.system", {}),
    ]  # fmt: skip
    for action, more in calls:
        with contextlib.suppress(TargetError):
            await on_bmc.preview(action, **DB1, **more)
    with contextlib.suppress(TargetError):
        await on_bmc.apply("redfish.system", **DB1)
    bmc.serve(SYSTEMS, Members=None)
    with pytest.raises(Rejected, match="has 0 systems"):
        await on_bmc.preview("redfish.reset", **DB1)
