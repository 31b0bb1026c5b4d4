"""A host's power by ipmitool on a real jump host, against a BMC that speaks IPMI 2.0."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from bot.contract import Completed
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.ipmi import Ipmi, ipmi
from tests.servers.process import HOST, free_port, wait_for
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.server
DB1: dict[str, Any] = {"bmc": "db1"}
OFF: dict[str, Any] = {**DB1, "state": "off"}


@pytest.fixture
def bmc() -> Iterator[Ipmi]:
    with ipmi() as running:
        yield running


@asynccontextmanager
async def by_jump(registry: Registry, jump: Sshd, bmc: Ipmi, **more: str) -> AsyncIterator[Doing]:
    settings = {**jump.settings, **bmc.settings, **more}
    async with direct("ipmi/db1", jump.url, settings=settings) as connection:
        yield Doing(registry, connection)


@pytest.fixture
async def on_bmc(registry: Registry, sshd_server: Sshd, bmc: Ipmi) -> AsyncIterator[Doing]:
    async with by_jump(registry, sshd_server, bmc) as doing:
        yield doing


async def test_what_the_bmc_tells(on_bmc: Doing, bmc: Ipmi) -> None:
    assert await on_bmc.apply("ipmi.status", **DB1) == {
        "power": "on", "last_event": "", "restore_policy": "always-off", "faults": [],
    }  # fmt: skip
    assert await on_bmc.apply("ipmi.sel", **DB1) == {"log": []}


async def test_off_and_back_on(on_bmc: Doing, bmc: Ipmi) -> None:
    """It comes true late, and the action waits for it; a second time nothing is sent."""
    preview = await on_bmc.preview("ipmi.power", **OFF)
    (change,) = preview.changes
    assert (change.what, change.before, change.after) == (
        "power of db1", "on", "off (chassis power off)",
    )  # fmt: skip
    assert await on_bmc.verify("ipmi.power", **OFF) is False
    assert await on_bmc.apply("ipmi.power", **OFF) == {"power": "off", "changed": True}
    assert bmc.power == "off"
    assert await on_bmc.verify("ipmi.power", **OFF) is True
    assert (await on_bmc.preview("ipmi.power", **OFF)).changes == []
    assert await on_bmc.apply("ipmi.power", **OFF) == {"power": "off", "changed": False}
    assert bmc.orders == 1
    await on_bmc.take_back(preview, "ipmi.power", **OFF)
    assert (bmc.power, bmc.orders) == ("on", 2)


async def test_the_event_log_tells_it(on_bmc: Doing) -> None:
    """Newest first, and no more than asked for."""
    for state in ("off", "on"):
        await on_bmc.apply("ipmi.power", **DB1, state=state)
    log = (await on_bmc.apply("ipmi.sel", **DB1))["log"]
    assert [entry["words"] for entry in log] == [
        "S0/G0: working Asserted", "S4/S5: soft-off Asserted",
    ]  # fmt: skip
    assert log[0]["sensor"].startswith("System ACPI Power State")
    assert (await on_bmc.apply("ipmi.sel", **DB1, log=1))["log"] == log[:1]


async def test_an_entry_of_another_form(on_bmc: Doing, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown as it is: it may be the one that tells."""
    lines = (
        "1,Pre-Init,0000000012,OEM record df\n2,11/26/26,10:00:19 GMT,Memory #0x01,ECC,Asserted\n"
    )

    async def answered(argv: list[str], **more: Any) -> Completed:
        return Completed(status=0, stdout=lines, stderr="")

    monkeypatch.setattr(on_bmc.connection, "run", answered)
    log = (await on_bmc.apply("ipmi.sel", **DB1))["log"]
    assert [entry["words"] for entry in log] == [
        "ECC Asserted", "1,Pre-Init,0000000012,OEM record df",
    ]  # fmt: skip


async def test_it_asks_the_operating_system_if_told(on_bmc: Doing, bmc: Ipmi) -> None:
    preview = await on_bmc.preview("ipmi.power", **OFF, graceful=True)
    assert preview.changes[0].after == "off (chassis power soft)"
    await on_bmc.apply("ipmi.power", **OFF, graceful=True)
    assert bmc.power == "off"


def test_a_bare_word_of_yaml(registry: Registry) -> None:
    """`state: off` without quotes is `false` to YAML, and off to whoever wrote it."""
    for given, meant in ((False, "off"), (True, "on")):
        params = registry.action("ipmi.power").Params.model_validate({**DB1, "state": given})
        assert params.model_dump()["state"] == meant


async def test_it_does_not_come_true_in_time(on_bmc: Doing, bmc: Ipmi) -> None:
    bmc.be(stuck=True)
    with pytest.raises(Unknown, match=r"after 0\.1 s does not say that the host is off"):
        await on_bmc.apply("ipmi.power", **OFF, patience=0.1)


async def test_a_restart(on_bmc: Doing, bmc: Ipmi) -> None:
    """One order; afterwards nobody could tell by reading whether it was given."""
    preview = await on_bmc.preview("ipmi.reset", **DB1, how="cycle")
    assert preview.changes[0].after == "restarted (chassis power cycle)"
    assert await on_bmc.apply("ipmi.reset", **DB1, how="cycle") == {"ordered": "cycle"}
    assert bmc.orders == 1
    wait_for(lambda: bmc.power == "off", what="the host to go off")
    wait_for(lambda: bmc.power == "on", what="the host to come back")
    assert await on_bmc.verify("ipmi.reset", **DB1) is None
    assert on_bmc.undo(preview, "ipmi.reset", **DB1) is None


@pytest.mark.parametrize("code", [0xC3, 0xCE, 0xFF])
async def test_a_restart_that_the_bmc_lost_sight_of(on_bmc: Doing, bmc: Ipmi, code: int) -> None:
    """It was given, and the answer says that it took too long: that is no refusal."""
    bmc.be(code=code)
    with pytest.raises(Unknown, match="failed: "):
        await on_bmc.apply("ipmi.reset", **DB1)
    assert bmc.orders == 1


async def test_a_host_that_is_off_is_not_restarted(on_bmc: Doing, bmc: Ipmi) -> None:
    bmc.be(power="off")
    for step in (on_bmc.preview, on_bmc.apply):
        with pytest.raises(Rejected, match="is off"):
            await step("ipmi.reset", **DB1)
    assert bmc.orders == 0


async def test_what_it_boots_from_and_back(on_bmc: Doing, bmc: Ipmi) -> None:
    """What was set before comes back with its options; `none` is no override in any words."""
    await on_bmc.apply("ipmi.boot", **DB1, device="disk", persistent=True, efi=True)
    before = bmc.boot
    call = {**DB1, "device": "pxe"}
    preview = await on_bmc.preview("ipmi.boot", **call)
    (change,) = preview.changes
    assert (change.before, change.after) == ("disk (every start, EFI)", "pxe (the next start)")
    for _ in range(2):
        await on_bmc.apply("ipmi.boot", **call)
        assert bmc.boot != before
    assert await on_bmc.verify("ipmi.boot", **call) is True
    assert (await on_bmc.preview("ipmi.boot", **call)).changes == []
    await on_bmc.take_back(preview, "ipmi.boot", **call)
    assert bmc.boot == before
    await on_bmc.apply("ipmi.boot", **DB1, device="none")
    assert await on_bmc.verify("ipmi.boot", **DB1, device="none", efi=True) is True


async def test_a_boot_device_that_has_no_name(on_bmc: Doing, bmc: Ipmi) -> None:
    """It could not be set again, so it is left alone."""
    bmc.be(boot="801c000000")
    with pytest.raises(Rejected, match="cannot name"):
        await on_bmc.preview("ipmi.boot", **DB1, device="pxe")


@pytest.mark.parametrize(
    ("action", "more", "said"),
    [
        ("power", {"state": "cycle"}, "Input should be 'on' or 'off'"),
        ("power", {"state": "off", "bmc": "-H"}, "should match pattern"),
        ("power", {"state": "off", "address": "10.0.0.1"}, "Extra inputs"),
        ("reset", {"how": "soft"}, "Input should be"),
        ("boot", {"device": "pxe; reboot"}, "Input should be"),
        ("sel", {"log": 0}, "greater than or equal to 1"),
    ],
)
def test_what_is_refused_before_it_is_sent(
    registry: Registry, action: str, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.action(f"ipmi.{action}").Params.model_validate({**DB1, **more})
    assert said in str(caught.value)


async def test_settings_that_cannot_be_meant(
    registry: Registry, sshd_server: Sshd, bmc: Ipmi
) -> None:
    """Nothing that the jump host's program would read as an option."""
    wrong = [
        ("address", ""), ("address", "-oProxyCommand=x"), ("address", "bmc:1:2"),
        ("username", "-P"), ("username", "a b"), ("cipher_suite", "3 -P x"),
    ]  # fmt: skip
    for name, value in wrong:
        async with by_jump(registry, sshd_server, bmc, **{name: value}) as doing:
            with pytest.raises(Rejected, match=f"'{name}' of the target is missing or wrong"):
                await doing.apply("ipmi.status", **DB1)


async def test_a_cipher_suite_of_its_own(registry: Registry, sshd_server: Sshd, bmc: Ipmi) -> None:
    async with by_jump(registry, sshd_server, bmc, cipher_suite="3") as doing:
        assert (await doing.apply("ipmi.status", **DB1))["power"] == "on"


async def test_a_wrong_credential(registry: Registry, sshd_server: Sshd, bmc: Ipmi) -> None:
    """The error does not repeat what was tried; nor is a password missing quietly."""
    async with by_jump(registry, sshd_server, bmc, password="not-this-one") as doing:
        with pytest.raises(AuthFailed, match="refuses the credential") as caught:
            await doing.apply("ipmi.power", **OFF)
        assert "not-this-one" not in str(caught.value)
    async with by_jump(registry, sshd_server, bmc, password="") as doing:
        with pytest.raises(AuthFailed, match="no setting 'password'"):
            await doing.apply("ipmi.power", **OFF)
    assert bmc.orders == 0


async def test_the_password_is_in_no_argument(
    registry: Registry, sshd_server: Sshd, bmc: Ipmi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever lists the jump host's processes does not see it."""
    seen: list[str] = []
    async with by_jump(registry, sshd_server, bmc) as doing:
        run = doing.connection.run

        async def noted(argv: list[str], **more: Any) -> Any:
            seen.extend(argv)
            return await run(argv, **more)

        monkeypatch.setattr(doing.connection, "run", noted)
        await doing.apply("ipmi.status", **DB1)
    assert seen[0] == "ipmitool"
    assert bmc.settings["password"] not in " ".join(seen)


async def test_no_bmc_and_no_jump_host(registry: Registry, sshd_server: Sshd, bmc: Ipmi) -> None:
    """Without a session nothing was sent."""
    async with by_jump(registry, sshd_server, bmc, address=f"{HOST}:{free_port()}") as doing:
        with pytest.raises(NotSent, match="begins no session"):
            await doing.apply("ipmi.power", **OFF)
    nobody = f"ssh://ops@{HOST}:{free_port()}"
    settings = {**sshd_server.settings, **bmc.settings}
    async with direct("ipmi/db1", nobody, settings=settings) as connection:
        with pytest.raises(NotSent):
            await Doing(registry, connection).apply("ipmi.power", **OFF)


async def test_a_bmc_that_hears_and_says_nothing(on_bmc: Doing, bmc: Ipmi) -> None:
    """In the middle of a session: the order may have been heard."""
    bmc.be(mute=True)
    with pytest.raises(Unknown, match="Unable to set Chassis Power Control"):
        await on_bmc.apply("ipmi.reset", **DB1)


async def test_a_program_that_does_not_end(
    on_bmc: Doing, bmc: Ipmi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read may be asked again; of a change nobody knows."""
    monkeypatch.setattr("integrations.ipmi.tool._LIMIT", 3)
    bmc.be(mute=True)
    with pytest.raises(Unknown, match="did not end"):
        await on_bmc.apply("ipmi.power", **OFF)
    bmc.process.freeze()
    with pytest.raises(Retryable, match="did not end"):
        await on_bmc.apply("ipmi.status", **DB1)


async def test_a_jump_host_without_the_program(
    registry: Registry, sshd_server: Sshd, bmc: Ipmi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with by_jump(registry, sshd_server, bmc) as doing:
        run = doing.connection.run

        async def without(argv: list[str], **more: Any) -> Any:
            return await run([f"{argv[0]}-that-is-not-there", *argv[1:]], **more)

        monkeypatch.setattr(doing.connection, "run", without)
        with pytest.raises(Rejected, match=r"has no ipmitool\. Install it there"):
            await doing.apply("ipmi.status", **DB1)
