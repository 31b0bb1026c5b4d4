"""`kill-feature` on a real Unleash, with what an application hears as the witness."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.registry import Registry
from bot.store import Store
from tests.runbooks.room import Room, running, until
from tests.runbooks.shipped.room import on_both, shipped
from tests.servers.postgres import Postgres
from tests.servers.unleash import HALF, TOKENS, Unleash, unleash

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def flags(postgres_server: Postgres) -> Iterator[Unleash]:
    with unleash(postgres_server) as server:
        yield server


@pytest.fixture
def flag(flags: Unleash, request: pytest.FixtureRequest) -> str:
    """A flag of the test's own that is on, for half of the people."""
    name = f"checkout.{abs(hash(request.node.name))}"
    flags.add(name, HALF, on=True)
    return name


@pytest.fixture
def room(store: Store, registry: Registry, tmp_path: Path, flags: Unleash) -> Room:
    application = {"Authorization": TOKENS["production"]}
    targets = {
        "unleash/main": {"url": flags.url, "headers": flags.headers},
        "unleash/production": {"url": flags.url, "headers": application},
    }
    return shipped("kill-feature", store, registry, tmp_path, targets)


@on_both
async def test_off_and_on_again(room: Room, flags: Unleash, flag: str) -> None:
    """The run is done when applications hear of it; undo has it on for the same half of them."""
    number = await room.approved(name="kill-feature", flag=flag)
    plan = (await room.run(number)).plan["steps"][1]
    assert [(c["before"], c["after"]) for c in plan["changes"]] == [
        ("on, flexibleRollout 50%", "off")
    ]
    assert flags.heard(flag) is True
    async with running(room.engine):
        run = await until(room, number, "succeeded")
        assert run.error == ""
        assert flags.heard(flag) is False
        await room.ask("undo", number)
        await until(room, number, "aborted")
    flags.wait_heard(flag, on=True)
    place = flags.admin("GET", f"features/{flag}/environments/production").json()
    assert [s["parameters"]["rollout"] for s in place["strategies"]] == ["50"]


async def test_what_depends_on_it_must_be_meant(room: Room, flags: Unleash, flag: str) -> None:
    """More flags would go off than were named: nothing is done until somebody says so."""
    flags.add(f"{flag}.gifts", HALF, on=True)
    flags.admin("POST", f"features/{flag}.gifts/dependencies", {"feature": flag})
    number = await room.approved(name="kill-feature", flag=flag)
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert run.error.startswith("More flags depend on it than you said")
    assert flags.heard(flag) is True
    meant = await room.approved(name="kill-feature", origin="again", flag=flag, along=1)
    async with running(room.engine):
        await until(room, meant, "succeeded")
    assert flags.heard(flag) is False


async def test_a_feature_that_is_off_is_not_the_cause(
    room: Room, flags: Unleash, flag: str
) -> None:
    flags.admin("POST", f"features/{flag}/environments/production/off")
    flags.wait_heard(flag, on=False)
    number = await room.approved(name="kill-feature", flag=flag)
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert run.error.startswith("The feature is off already")
