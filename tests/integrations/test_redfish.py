"""A host's power and boot on a real Redfish service, as the service itself tells it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.process import HOST, free_port
from tests.servers.redfish import OTHER, PASSWORD, UUID, Redfish, redfish

pytestmark = pytest.mark.server
DB1: dict[str, Any] = {"bmc": "db1"}
OFF: dict[str, Any] = {**DB1, "state": "off"}


@pytest.fixture
def server() -> Iterator[Redfish]:
    with redfish() as running:
        yield running


@pytest.fixture
async def on_bmc(registry: Registry, server: Redfish) -> AsyncIterator[Doing]:
    async with direct("redfish/db1", server.url, settings=server.settings) as connection:
        yield Doing(registry, connection)


async def test_what_the_bmc_tells(on_bmc: Doing) -> None:
    """What this one does not serve is empty, not invented."""
    out = await on_bmc.apply("redfish.system", **DB1)
    assert (out["system"], out["name"], out["power"], out["health"]) == (UUID, "db1", "On", "OK")
    assert (out["maker"], out["boot"], out["boot_enabled"]) == (
        "Sushy Emulator", "Hdd", "Continuous",
    )  # fmt: skip
    assert (out["log"], out["log_served"], out["consoles"], out["last_reset"]) == (
        [], False, [], "",
    )  # fmt: skip


async def test_off_and_back_on(on_bmc: Doing, server: Redfish) -> None:
    """It comes true late, and the action waits for it; a second time nothing is sent."""
    preview = await on_bmc.preview("redfish.power", **OFF)
    (change,) = preview.changes
    assert (change.what, change.before, change.after) == ("power of db1", "on", "off (ForceOff)")
    assert await on_bmc.verify("redfish.power", **OFF) is False
    assert await on_bmc.apply("redfish.power", **OFF) == {"power": "off", "changed": True}
    assert server.power == "Off"
    assert await on_bmc.verify("redfish.power", **OFF) is True
    assert (await on_bmc.preview("redfish.power", **OFF)).changes == []
    assert await on_bmc.apply("redfish.power", **OFF) == {"power": "off", "changed": False}
    assert server.orders() == 1
    await on_bmc.take_back(preview, "redfish.power", **OFF)
    assert server.power == "On"


async def test_it_asks_the_operating_system_if_told(on_bmc: Doing, server: Redfish) -> None:
    preview = await on_bmc.preview("redfish.power", **OFF, graceful=True)
    assert preview.changes[0].after == "off (GracefulShutdown)"
    await on_bmc.apply("redfish.power", **OFF, graceful=True)
    assert server.power == "Off"


def test_a_bare_word_of_yaml(registry: Registry) -> None:
    """`state: off` without quotes is `false` to YAML, and off to whoever wrote it."""
    for given, meant in ((False, "off"), (True, "on")):
        params = registry.action("redfish.power").Params.model_validate({**DB1, "state": given})
        assert params.model_dump()["state"] == meant


async def test_it_does_not_come_true_in_time(on_bmc: Doing) -> None:
    """The order was taken: whether it will be obeyed, nobody knows."""
    with pytest.raises(Unknown, match=r"after 0\.1 s does not say that the host is off"):
        await on_bmc.apply("redfish.power", **OFF, patience=0.1)


async def test_a_restart_is_seen(on_bmc: Doing, server: Redfish) -> None:
    """Off and on again; without a time of the last reset nobody could tell it from a reading."""
    preview = await on_bmc.preview("redfish.reset", **DB1)
    assert preview.changes[0].after == "restarted (ForceRestart)"
    assert await on_bmc.apply("redfish.reset", **DB1) == {"seen": True}
    assert (server.power, server.orders()) == ("On", 1)
    assert await on_bmc.verify("redfish.reset", **DB1) is None
    assert on_bmc.undo(preview, "redfish.reset", **DB1) is None


async def test_a_restart_that_cannot_be(on_bmc: Doing, server: Redfish) -> None:
    """What the BMC does not offer, and a host that is off: nothing is sent."""
    with pytest.raises(Rejected, match=r"cannot do PowerCycle.*It can do On, ForceOff"):
        await on_bmc.apply("redfish.reset", **DB1, how="cycle")
    assert server.orders() == 0
    await on_bmc.apply("redfish.power", **OFF)
    for step in (on_bmc.preview, on_bmc.apply):
        with pytest.raises(Rejected, match="is off"):
            await step("redfish.reset", **DB1)
    assert server.orders() == 1


async def test_what_it_boots_from_and_back(on_bmc: Doing, server: Redfish) -> None:
    call = {**DB1, "device": "Pxe", "enabled": "Continuous"}
    preview = await on_bmc.preview("redfish.boot", **call)
    (change,) = preview.changes
    assert (change.before, change.after) == ("Hdd (Continuous)", "Pxe (Continuous)")
    for _ in range(2):
        await on_bmc.apply("redfish.boot", **call)
        assert server.boot == "Pxe"
    assert await on_bmc.verify("redfish.boot", **call) is True
    assert (await on_bmc.preview("redfish.boot", **call)).changes == []
    await on_bmc.take_back(preview, "redfish.boot", **call)
    assert server.boot == "Hdd"


async def test_once_that_the_bmc_makes_always(on_bmc: Doing, server: Redfish) -> None:
    """This one knows no other override than a continuous one: that is told, not swallowed."""
    await on_bmc.apply("redfish.boot", **DB1, device="Pxe")
    assert server.boot == "Pxe"
    assert await on_bmc.verify("redfish.boot", **DB1, device="Pxe") is False


async def test_a_device_that_is_not_there(on_bmc: Doing, server: Redfish) -> None:
    for step in (on_bmc.preview, on_bmc.apply):
        with pytest.raises(Rejected, match=r"cannot start it from Floppy.*Pxe, Cd"):
            await step("redfish.boot", **DB1, device="Floppy")
    assert server.boot == "Hdd"


async def test_a_bmc_of_two_systems(registry: Registry) -> None:
    """One must be named: nobody restarts whichever comes first."""
    with redfish(systems=2) as server:
        async with direct("redfish/db1", server.url, settings=server.settings) as connection:
            doing = Doing(registry, connection)
            for step in (doing.preview, doing.apply):
                with pytest.raises(Rejected, match=f"has 2 systems. Name one of .*{UUID}"):
                    await step("redfish.power", **OFF)
            with pytest.raises(Rejected, match="has no system db9"):
                await doing.apply("redfish.power", **OFF, system="db9")
            await doing.apply("redfish.power", **OFF, system=OTHER)
            assert server.power == "On"
            assert (await doing.apply("redfish.system", **DB1, system=OTHER))["power"] == "Off"


@pytest.mark.parametrize(
    ("action", "more", "said"),
    [
        ("power", {"state": "cycle"}, "Input should be 'on' or 'off'"),
        ("power", {"state": "off", "system": "../Managers/1"}, "should match pattern"),
        ("power", {"state": "off", "system": "-x"}, "should match pattern"),
        ("power", {"state": "off", "bmc": "DB1"}, "should match pattern"),
        ("power", {"state": "off", "patience": 0}, "greater than 0"),
        ("power", {"state": "off", "force": True}, "Extra inputs"),
        ("reset", {"how": "Nmi"}, "Input should be"),
        ("reset", {"last_reset": "yesterday"}, "should match pattern"),
        ("boot", {"device": "pxe"}, "should match pattern"),
        ("boot", {"device": "Pxe", "enabled": "once"}, "Input should be"),
        ("system", {"log": 51}, "less than or equal to 50"),
    ],
)
def test_what_is_refused_before_it_is_sent(
    registry: Registry, action: str, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.action(f"redfish.{action}").Params.model_validate({**DB1, **more})
    assert said in str(caught.value)


@pytest.mark.parametrize("settings", [{"username": "ops", "password": "wrong"}, {}])
async def test_a_wrong_credential(
    registry: Registry, server: Redfish, settings: dict[str, str]
) -> None:
    """And none at all; the error does not repeat what was tried."""
    async with direct("redfish/db1", server.url, settings=settings) as connection:
        with pytest.raises(AuthFailed, match="401") as caught:
            await Doing(registry, connection).apply("redfish.power", **OFF)
        assert "wrong" not in str(caught.value)
    assert server.power == "On"


async def test_a_certificate_that_nobody_vouches_for(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password is not sent there; once its authority is trusted, the same call works."""
    with redfish(tls=True) as server:
        async with direct("redfish/db1", server.url, settings=server.settings) as connection:
            with pytest.raises(NotSent, match=r"CERTIFICATE_VERIFY_FAILED.*SSL_CERT_FILE"):
                await Doing(registry, connection).apply("redfish.power", **OFF)
        assert "POST" not in server.process.log.read_text()
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
        async with direct("redfish/db1", server.url, settings=server.settings) as connection:
            await Doing(registry, connection).apply("redfish.power", **OFF)
        assert server.power == "Off"


async def test_nobody_there_and_no_answer(registry: Registry, server: Redfish) -> None:
    """Not sent; a read may be asked again."""
    nowhere = f"http://{HOST}:{free_port()}"
    async with direct("redfish/db1", nowhere, settings=server.settings) as connection:
        with pytest.raises(NotSent):
            await Doing(registry, connection).apply("redfish.power", **OFF)
    server.process.freeze()
    async with direct(
        "redfish/db1", server.url, settings=server.settings, timeout=0.3
    ) as connection:
        with pytest.raises(Retryable) as caught:
            await Doing(registry, connection).apply("redfish.system", **DB1)
        assert PASSWORD not in str(caught.value)
