"""Merging while another process merges, takes back or routes, or dies half-way."""

import asyncio
from typing import Any

import pytest

from bot.alerts import AlertRouter, StoredAlert
from bot.chat import Clicks
from bot.store import Store, now
from tests.chat.hands import Hands


class TestTwoAtOnce:
    """Two processes on one database: whoever comes second sees what the first did."""

    async def both(self, hands: Hands, *buttons: tuple[str, str]) -> list[Any]:
        """Pressed at the same moment, each in a process of its own."""
        stores = [Store(hands.store.url) for _ in buttons]
        clicks = Clicks(hands.room.incidents, hands.room.runs)

        async def one(store: Store, button: tuple[str, str]) -> Any:
            async with store.write() as session:
                return await clicks.handle(session, *button, hands.person("ana"), "slack")

        try:
            return await asyncio.gather(
                *map(one, stores, buttons), return_exceptions=True
            )  # fmt: skip
        finally:
            for store in stores:
                await store.close()

    async def test_the_same_button(self, two: Hands) -> None:
        _, button = await two.types("merge #1 into #2")
        done = await self.both(two, button, button)
        assert sorted(reply.text for reply in done) == [
            "#1 is part of #2 now.", "That was done before. #1 is merged into #2.",
        ]  # fmt: skip
        assert (await two.kinds(2)).count("incident_merged") == 1

    async def test_each_into_the_other(self, two: Hands) -> None:
        """One wins, and there is no circle."""
        _, one = await two.types("merge #1 into #2")
        _, other = await two.types("merge #2 into #1")
        for _ in range(5):
            done = await self.both(two, one, other)
            assert sorted(type(d).__name__ for d in done) == ["Conflict", "Reply"]
            merged = [i.number for i in await two.all() if i.merged_into]
            assert len(merged) == 1
            await two.does(f"unmerge #{merged[0]}")
            _, one = await two.types("merge #1 into #2")
            _, other = await two.types("merge #2 into #1")

    async def test_one_into_two(self, two: Hands) -> None:
        """Of two that take the same incident one gets it."""
        await two.alert("DbDown", "db", labels={"team": "x"})
        for _ in range(3):
            _, one = await two.types("merge #1 into #2")
            _, other = await two.types("merge #1 into #3")
            done = await self.both(two, one, other)
            assert sorted(type(d).__name__ for d in done) == ["Conflict", "Reply"]
            into = (await two.incident(1)).merged_into
            assert (await two.where())["ShopDown"] == into
            await two.does("unmerge #1")

    async def test_beside_a_router(self, two: Hands) -> None:
        """Alerts that are routed meanwhile are in the one or the other; no group opens a third."""
        for round_ in range(5):
            _, button = await two.types("merge #1 into #2")
            async with two.store.write() as session:
                for name in ("X", "Y"):
                    session.add(_new(f"{name}{round_}"))
            other = Store(two.store.url)
            router = AlertRouter(other, two.room.incidents)
            await asyncio.gather(self.both(two, button), router.route_next())
            await other.close()
            while await two.router.route_next():
                pass
            assert set((await two.where()).values()) == {2}
            assert len(await two.all()) == 2
            await two.does("unmerge #1")
            assert (await two.where())[f"X{round_}"] == 1


def _new(name: str) -> StoredAlert:
    return StoredAlert(
        source="alertmanager", fingerprint=name, status="firing", name=name, starts_at=now(),
        labels={"alertname": name, "service": "shop"},
    )  # fmt: skip


async def test_half_of_it_is_nothing(two: Hands) -> None:
    """All of a merge is one commit: what dies before it leaves both as they were."""
    _, button = await two.types("merge #1 into #2")
    before = await two.rows(1), await two.rows(2), await two.where()

    async def dies() -> None:
        async with two.store.write() as session:
            await two.room.clicks.handle(session, *button, two.person("ana"), "slack")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await dies()
    assert (await two.rows(1), await two.rows(2), await two.where()) == before
    assert (await two.incident(1)).status == "declared"
    await two.press(button)
    assert (await two.incident(1)).status == "merged"
