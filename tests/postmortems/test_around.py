"""What a draft is told about beside its own record, on each database."""

from datetime import timedelta

import pytest

from bot.incidents import Incident, Task
from bot.postmortems import Postmortems
from bot.timeline import Ledger
from tests.postmortems.story import CATALOG
from tests.postmortems.test_flow import incident


@pytest.mark.slow
async def test_what_stands_around_it_is_looked_up(store, tmp_path):
    """Earlier incidents of the same service with what they left open; nobody is told of private ones."""
    ledger = Ledger(b"key")
    room = Postmortems(store, ledger, lambda: CATALOG, tmp_path)
    old = await incident(store, ledger, origin="old")
    other = await incident(store, ledger, origin="other")
    hidden = await incident(store, ledger, origin="hidden")
    number = await incident(store, ledger, origin="now")
    async with store.write() as session:
        for each, title in ((old, "Dark again"), (other, "Slow"), (hidden, "Salaries leaked")):
            found = await session.get_one(Incident, each)
            found.title, found.private = title, each == hidden
            found.declared_at -= timedelta(days=3)
            session.add(Task(incident_id=each, number=1, text=f"Mend {title}", after=True, owner="bo",
                             origin=title, created_by="ana"))  # fmt: skip
    while await room.draft_next():
        pass
    async with store.read() as session:
        text = (await room.get(session, number)).markdown
    related = text.split("## Related incidents")[1].split("\n### ")[0]
    assert f"| \\#{old} |" in related
    assert "like title: dark" in related
    assert "resolved by a person" in related
    assert (
        f"| \\#{other} |" not in related
    )  # the same service alone is no likeness; what it left open counts
    assert "follow-up 1: Mend Slow" in related
    assert "follow-up 1: Mend Dark again" in related
    assert "Salaries" not in text
