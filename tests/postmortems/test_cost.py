"""Cost and SLO burn: ranges that anybody can recompute, or the input that is missing."""

import pytest

from bot.postmortems.cost import impact
from bot.postmortems.marks import clock
from tests.postmortems.story import CATALOG, Story, blackout


def figures(values):
    return [None if value.figure is None else round(value.figure, 3) for value in values.values()]


def test_the_blackout_costs_a_range():
    """Low, expected and high follow from the marks and the catalog's 1,200 a minute."""
    found = impact(clock(blackout()), ["payments"], CATALOG)
    assert figures(found.downtime) == [37.99, 41, 45]
    assert figures(found.services[0].cost) == [45588, 49200, 54000]


def test_45_minutes_are_104_percent_of_three_nines():
    """The case study's own figure: 45 min of a 43.2 min budget."""
    found = impact(clock(blackout()), ["payments"], CATALOG).services[0]
    assert found.budget_minutes == pytest.approx(43.2)
    assert found.burn.high.figure == pytest.approx(1.0417, abs=1e-4)


def test_a_missing_input_is_named_not_guessed():
    """No price, no SLO, no such service, no start: each says what is missing."""
    found = impact(clock(blackout()), ["ledger", "ghost"], CATALOG)
    assert found.services[0].cost.low.missing == "the catalog has no cost_per_minute"
    assert found.services[0].burn.low.missing == "the catalog has no slo"
    assert found.services[1].cost.high.missing == "the service is not in the catalog"
    story = Story()
    story.alert(1, "x", starts=None)
    story.add(5, "status_changed", "", to="monitoring")
    services = impact(clock(story.rows), ["payments"], CATALOG).services
    assert figures(services[0].cost) == [4800, None, None]
    assert services[0].cost.expected.missing == "impact start unknown"
