"""`roll-back-ecs` on moto's server: the listener's weights and the service's revision, there and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.registry import Registry
from bot.store import Store
from tests.runbooks.room import Room
from tests.runbooks.shipped.room import on_both, shipped
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp
from tests.servers.moto import Moto, moto

pytestmark = pytest.mark.server
NAME = "roll-back-ecs"
LISTENER = (
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
    ":listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"
)
QUICK = {"hold: 5s": "hold: 200ms", "within: 15s": "within: 1s", "every: 1s": "every: 100ms",
         "every: 5s": "every: 100ms"}  # fmt: skip
BEFORE = {"checkout-blue": 0, "checkout-green": 100}


@pytest.fixture(scope="module")
def aws() -> Iterator[Moto]:
    """One for all: each test leaves it as it was."""
    with moto() as server:
        yield server


@pytest.fixture
def old(http_server: Start[HttpApp]) -> HttpApp:
    return http_server("old")


@pytest.fixture
def room(store: Store, registry: Registry, tmp_path: Path, aws: Moto, old: HttpApp) -> Room:
    targets = {**aws.targets(), "http/checkout-old": old.url}
    instead = {**QUICK, LISTENER: aws.ids["listener"]}
    return shipped(NAME, store, registry, tmp_path, targets, **instead)


@on_both
async def test_there_and_back(room: Room, aws: Moto, old: HttpApp) -> None:
    """Over calls that are really checked: keys, signatures and what they may do."""
    assert (aws.shares(), aws.revision()) == (BEFORE, 3)
    with aws.checked():
        number = await room.approved(name=NAME, revision=2)
        await room.work()
        run = await room.run(number)
        assert (run.state, run.error) == ("succeeded", "")
        assert aws.shares() == {"checkout-blue": 100, "checkout-green": 0}
        assert aws.revision() == 2
        await room.ask("undo", number)
        await room.work()
    assert (await room.run(number)).state == "aborted"
    assert (aws.shares(), aws.revision()) == (BEFORE, 3)


@pytest.mark.parametrize(
    ("revision", "said"),
    [(3, "The service runs that revision"), (9, "That revision is not there")],
)
async def test_a_revision_that_is_no_way_back(
    room: Room, aws: Moto, revision: int, said: str
) -> None:
    number = await room.approved(name=NAME, revision=revision)
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert said in run.error
    assert (aws.shares(), aws.revision()) == (BEFORE, 3)


async def test_an_old_version_that_does_not_answer(room: Room, aws: Moto, old: HttpApp) -> None:
    old.down()
    number = await room.approved(name=NAME, revision=2)
    await room.work()
    assert (await room.run(number)).state == "failed"
    assert (aws.shares(), aws.revision()) == (BEFORE, 3)


async def test_an_old_version_that_fails_under_its_first_requests(
    room: Room, aws: Moto, old: HttpApp
) -> None:
    """What was moved is taken back by itself."""
    old.answers["/checkout"] = [Answer()] * 8 + [Answer(status=503)]
    number = await room.approved(name=NAME, revision=2)
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert "The old version does not bear the traffic" in run.error
    states = [(a.step, a.state) for a in await room.attempts(number, "undo")]
    assert states == [("traffic[10%]", "done")]
    assert (aws.shares(), aws.revision()) == (BEFORE, 3)
