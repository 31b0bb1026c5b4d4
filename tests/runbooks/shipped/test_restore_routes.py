"""`restore-routes` on a real BGP router, over a network that needs no route of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bot.registry import Registry
from bot.store import Store
from tests.runbooks.room import Room
from tests.runbooks.shipped.room import SHIPPED, on_both, shipped
from tests.servers.bgp import DataCentre, data_centre
from tests.servers.process import wait_for
from tests.servers.sshd import Sshd, sshd

pytestmark = pytest.mark.server


@pytest.fixture
def place() -> Iterator[DataCentre]:
    with data_centre() as found:
        yield found


@pytest.fixture
def router(place: DataCentre) -> Iterator[Sshd]:
    """The router's management address, out of band."""
    with sshd(place.oob, place.dc) as found:
        yield found


def commands(place: DataCentre) -> str:
    """The allow-list that ships, for this router's own socket."""
    catalog = yaml.safe_load((SHIPPED / "catalog" / "network.yaml").read_text())
    listed = json.loads(catalog["targets"][0]["settings"]["commands"])
    for command in listed.values():
        command["argv"][1:1] = ["-s", str(place.socket)]
    return json.dumps(listed)


@pytest.fixture
def room(store: Store, registry: Registry, tmp_path: Path, place: DataCentre, router: Sshd) -> Room:
    settings = {**router.settings, "commands": commands(place)}
    target = {"url": router.url, "settings": settings}
    return shipped("restore-routes", store, registry, tmp_path, {"ssh/edge1": target})


@on_both
async def test_withdrawn_and_announced_again(room: Room, place: DataCentre) -> None:
    """The service is out of everybody's reach and comes back; undo withdraws again."""
    place.birdc("disable", "anycast")
    wait_for(lambda: not place.reached(), what="the withdrawal to be heard")
    number = await room.approved(name="restore-routes")
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    wait_for(place.reached, timeout=10, what="the service to be reached")
    await room.ask("undo", number)
    await room.work()
    assert (await room.run(number)).state == "aborted"
    wait_for(lambda: not place.reached(), what="the withdrawal to be heard")


async def test_what_is_announced_is_left_alone(room: Room, place: DataCentre) -> None:
    number = await room.approved(name="restore-routes")
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert run.error.startswith("The router announces our addresses: look elsewhere")
    assert place.reached()
