"""A page that another pager has taken on, over each database: acknowledged there is so here, and back."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from bot.access import Dialer
from bot.catalog import load_catalog
from bot.chat.outside import PagerWatch
from bot.contract import Connection, Duty, Standing
from bot.errors import BadInput, NotSent, Rejected
from bot.paging.flow import Paging
from bot.registry import Registry, check_pagers
from tests.chat.outside.conftest import Fake
from tests.paging.conftest import CATALOG, PageRoom


@dataclass
class FakePager(Fake):
    """A pager under the test's control."""

    stands: dict[str, Standing | Exception] = field(default_factory=dict)
    did: list[tuple[str, str, str]] = field(default_factory=list)
    stood: list[str] = field(default_factory=list)  # whom it was asked about

    async def standing(self, thread: str, to: str, connection: Connection) -> Standing | None:
        self.stood.append(to)
        found = self.stands.get(to)
        if isinstance(found, Exception):
            raise found
        return found

    async def acknowledge(self, thread: str, to: str, connection: Connection) -> None:
        self.did.append(("acknowledge", thread, to))

    async def resolve(self, thread: str, to: str, connection: Connection) -> None:
        self.did.append(("resolve", thread, to))

    async def on_call(self, connection: Connection) -> list[Duty]:
        return [Duty(schedule="core", person="Tim")]


class There(PageRoom):
    """`watch` is what each process does all the time."""

    pager: FakePager

    def watch(self) -> PagerWatch:
        dialer = Dialer(lambda: self.catalog)
        return PagerWatch(self.store, Paging(self.incidents), self.registry, dialer)


@pytest.fixture
async def there(room: PageRoom) -> There:
    """A page that was sent to both addresses of the pager, and to a person."""
    room.__class__ = There
    assert isinstance(room, There)
    room.pager = FakePager()
    room.registry.notifiers["pager"] = room.pager
    pager = {"id": "pd", "integration": "pager", "target": "fake/one", "to": ["one", "two"], "when": "pages"}  # fmt: skip
    room.enter(
        notifiers=[*CATALOG["notifiers"], pager],
        escalations=[{"id": "e", "levels": [{"who": ["notifier:pd", "ben"]}]}],
    )
    await room.declare()
    for _ in range(2):
        await room.look()
    await room.drain()
    return room


async def test_acknowledged_there(there: There) -> None:
    """It is taken over once, with who it was; the other address is told, that one is not."""
    await there.watch().look()
    assert (await there.pages())[0].state == "open"
    there.pager.stands["two"] = Standing(state="acknowledged", by="Tim")
    await asyncio.gather(*(there.watch().look() for _ in range(3)))
    row = (await there.rows())[-1]
    assert (row.kind, row.actor) == ("page_acknowledged", "source:pd")
    assert row.text == "The page for e is acknowledged there: acknowledged by Tim"
    assert len([k for k in await there.kinds() if k == "page_acknowledged"]) == 1


async def test_acknowledged_here_and_over(there: There) -> None:
    """Both addresses are told, once each, however many look; then that it is over."""
    await there.acknowledge()
    for _ in range(2):
        await asyncio.gather(*(there.watch().look() for _ in range(3)))
        await there.drain()
    thread = there.pager.told[0][0].thread
    assert sorted(there.pager.did) == [("acknowledge", thread, "one"), ("acknowledge", thread, "two")]  # fmt: skip
    await there.status("resolved")
    await there.look()
    for _ in range(2):
        await there.watch().look()
        await there.drain()
    assert sorted(there.pager.did)[2:] == [("resolve", thread, "one"), ("resolve", thread, "two")]


async def test_what_was_sent_there_is_ended_there(there: There) -> None:
    """Also where the catalog has that address no more."""
    moved = there.catalog.notifiers[-1].model_copy(update={"to": ["other"]})
    notifiers = [*there.catalog.notifiers[:-1], moved]
    there.catalog = there.catalog.model_copy(update={"notifiers": notifiers})
    await there.status("resolved")
    await there.look()
    await there.watch().look()
    await there.drain()
    assert [did for did, _, _ in there.pager.did] == ["resolve", "resolve"]


async def test_ended_there_counts_as_acknowledged(there: There) -> None:
    there.pager.stands["one"] = Standing(state="ended")
    await there.watch().look()
    assert (await there.pages())[0].state == "acknowledged"


async def test_one_that_does_not_answer_does_not_stop_the_others(there: There) -> None:
    """Nor does one that breaks."""
    there.pager.stands |= {"one": KeyError("x"), "two": NotSent("away")}
    await there.watch().look()
    assert (await there.pages())[0].state == "open"
    there.pager.stands["two"] = Standing(state="acknowledged")
    await there.watch().look()
    assert (await there.pages())[0].state == "acknowledged"


async def test_one_that_is_away_is_waited_for_once_a_look(there: There) -> None:
    """Not for each page that it has: in a storm another pager's answers would come minutes late."""
    there.pager.stands |= {"one": NotSent("away"), "two": NotSent("away")}
    for looks in (1, 2):
        await there.watch().look()
        assert len(there.pager.stood) == looks
    there.pager.stands |= {"one": Rejected("no such page"), "two": Standing(state="acknowledged")}
    await there.watch().look()
    assert (await there.pages())[0].state == "acknowledged"


async def test_who_is_on_call_there(there: There) -> None:
    assert await there.watch().duties() == [("pd", [Duty(schedule="core", person="Tim")])]


def test_a_pager_only_pages(tmp_path: Path) -> None:
    """As a notifier of all that happens it would page for each, and never end it."""
    entry = {"id": "pd", "integration": "pager", "target": "fake/one", "to": ["one"]}
    (tmp_path / "a.yaml").write_text(
        yaml.safe_dump({"targets": CATALOG["targets"], "notifiers": [entry]})
    )
    registry = Registry(notifiers={"pager": FakePager()})
    with pytest.raises(BadInput, match="pager only pages: say `when: pages`"):
        check_pagers(tmp_path, load_catalog(tmp_path), registry)
