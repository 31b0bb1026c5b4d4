"""Who is on call: turns, hand-overs by the clock on the wall, layers, restrictions, overrides."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from bot.catalog import load_catalog
from bot.catalog.coverage import gap_words, gaps, warnings
from bot.catalog.oncall import Schedule
from bot.catalog.rota import Stand, on_call, shifts
from bot.errors import BadInput

BERLIN = "Europe/Berlin"


def schedule(*layers: dict[str, Any], timezone: str = BERLIN, **more: Any) -> Schedule:
    given = [{"since": "2026-01-05"} | layer for layer in layers]
    return Schedule.model_validate({"id": "s", "timezone": timezone, "layers": given, **more})


def at(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def turns(of: Schedule, since: str, until: str, *stands: Stand) -> list[tuple[str, str]]:
    """When each begins, by the schedule's own clock, and who."""
    return [
        (f"{s.since.astimezone(_zone(of)):%m-%d %H:%M}", s.person)
        for s in shifts(of, at(since), at(until), stands)
    ]


def _zone(of: Schedule) -> Any:
    return ZoneInfo(of.timezone)


@pytest.mark.parametrize(
    "means", [{"handover": "0 9 * * mon"}, {"every": "1w", "at": "09:00"}, {"every": "7d", "at": "9:00"}]
)  # fmt: skip
def test_a_week_each(means: dict[str, str]) -> None:
    """The first begins with the first hand-over on `since`; nobody is on call before it."""
    week = schedule({"people": ["ana", "ben", "cem"], **means})
    assert on_call(week, at("2026-01-05T08:59:59+01:00")) == ""
    assert turns(week, "2026-01-05T09:00:00+01:00", "2026-02-01T00:00:00") == [
        ("01-05 09:00", "ana"), ("01-12 09:00", "ben"), ("01-19 09:00", "cem"),
        ("01-26 09:00", "ana"),
    ]  # fmt: skip


@pytest.mark.parametrize("means", [{"handover": "0 9 * * *"}, {"every": "1d", "at": "09:00"}])
def test_hand_overs_stay_on_the_walls_clock(means: dict[str, str]) -> None:
    """At 9:00 before and after the clocks change, in both directions; each person has one turn."""
    daily = schedule({"people": ["ana", "ben"], **means})
    for since, until in (("2026-03-27T12:00", "2026-03-31T12:00"), ("2026-10-23T12:00", "2026-10-27T12:00")):  # fmt: skip
        found = turns(daily, since, until)
        assert [when[-5:] for when, _ in found[1:]] == ["09:00"] * 4
        assert all(one[1] != two[1] for one, two in pairwise(found))


@pytest.mark.parametrize("means", [{"handover": "30 2 * * *"}, {"every": "1d", "at": "02:30"}])
def test_an_hour_left_out_and_an_hour_twice(means: dict[str, str]) -> None:
    """2:30 that does not come is 3:30; one that comes twice hands over once, the first time."""
    daily = schedule({"people": ["ana", "ben"], **means})
    spring = turns(daily, "2026-03-28T12:00", "2026-03-30T12:00")
    assert [when for when, _ in spring[1:]] == ["03-29 03:30", "03-30 02:30"]
    autumn = shifts(daily, at("2026-10-24T12:00"), at("2026-10-26T12:00"))
    assert [s.since for s in autumn[1:]] == [at("2026-10-25T00:30"), at("2026-10-26T01:30")]


def test_twelve_hours_each_stay_by_day_and_by_night() -> None:
    """Over a change of the clocks one turn is an hour shorter, and those after it are not moved."""
    half = schedule({"people": ["ana", "ben"], "every": "12h", "at": "08:00"})
    found = turns(half, "2026-03-28T19:30", "2026-03-30T12:00")
    assert found[1:] == [("03-29 08:00", "ana"), ("03-29 20:00", "ben"), ("03-30 08:00", "ana")]


def test_years_later_it_is_quick_and_right() -> None:
    """The turn is counted, not walked, and a cron line is walked once."""
    for means in ({"handover": "0 * * * *"}, {"every": "1h"}):
        hourly = schedule({"people": ["ana", "ben", "cem"], **means}, timezone="UTC")
        hours = (at("2026-03-01T05:30") - at("2026-01-05T00:00")) // timedelta(hours=1)
        assert on_call(hourly, at("2026-03-01T05:30")) == ("ana", "ben", "cem")[hours % 3]


def test_a_later_layer_goes_first_within_its_hours() -> None:
    """Follow the sun: by day one site, else the layer above it in the file."""
    sun = schedule(
        {"people": ["ana", "ben"], "every": "1w"},
        {"people": ["cem"], "hours": "09:00-17:00", "weekdays": ["mon", "tue", "wed", "thu", "fri"]},
    )  # fmt: skip
    assert turns(sun, "2026-01-08T22:00", "2026-01-12T12:00") == [
        ("01-08 23:00", "ana"), ("01-09 09:00", "cem"), ("01-09 17:00", "ana"),
        ("01-12 00:00", "ben"), ("01-12 09:00", "cem"),
    ]  # fmt: skip


def test_hours_over_midnight_belong_to_the_day_they_begin_on() -> None:
    """Friday night ends on Saturday morning."""
    night = schedule({"people": ["ana"], "hours": "22:00-06:00", "weekdays": ["fri"]})
    assert turns(night, "2026-01-09T12:00", "2026-01-17T00:00") == [
        ("01-09 13:00", ""), ("01-09 22:00", "ana"), ("01-10 06:00", ""), ("01-16 22:00", "ana"),
    ]  # fmt: skip


def test_layers_end_and_others_begin() -> None:
    two = schedule({"people": ["ana"], "until": "2026-02-01"}, {"people": ["ben"], "since": "2026-02-01"})  # fmt: skip
    assert turns(two, "2026-01-30T00:00", "2026-02-03T00:00") == [
        ("01-30 01:00", "ana"), ("02-01 00:00", "ben"),
    ]  # fmt: skip


def test_overrides_go_before_layers_and_the_newest_before_all() -> None:
    """Those of the catalog, then those of chat in the order in which they were set."""
    out = schedule({"people": ["ana"]}, overrides=[
        {"person": "ben", "since": "2026-01-10T09:00:00", "until": "2026-01-10T17:00:00"},
    ])  # fmt: skip
    day = Stand("cem", at("2026-01-10T12:00+01:00"), at("2026-01-10T20:00+01:00"), 1)
    hour = Stand("dora", at("2026-01-10T13:00+01:00"), at("2026-01-10T14:00+01:00"), 2)
    assert turns(out, "2026-01-10T00:00", "2026-01-11T00:00", day, hour) == [
        ("01-10 01:00", "ana"), ("01-10 09:00", "ben"), ("01-10 12:00", "cem"),
        ("01-10 13:00", "dora"), ("01-10 14:00", "cem"), ("01-10 20:00", "ana"),
    ]  # fmt: skip


def test_who_is_on_call_is_what_the_shifts_say() -> None:
    """Minute by minute over a change of the clocks, with everything at once."""
    busy = schedule(
        {"people": ["ana", "ben"], "handover": "30 2 * * *"},
        {"people": ["cem", "dora"], "every": "12h", "at": "02:15", "hours": "01:45-03:15"},
    )  # fmt: skip
    for day in ("2026-03-28T20:00", "2026-10-24T20:00"):
        since = at(day)
        found = shifts(busy, since, since + timedelta(hours=12))
        for minute in range(0, 12 * 60, 5):
            moment = since + timedelta(minutes=minute)
            (holding,) = [s for s in found if s.since <= moment < s.until]
            assert holding.person == on_call(busy, moment), moment


def test_gaps_are_told_with_their_times() -> None:
    """The first one by the schedule's clock, and how many there are."""
    office = schedule({"people": ["ana"], "hours": "09:00-17:00"})
    found = gaps(office, at("2026-01-06T12:00"))
    assert gap_words(office, found) == (
        "nobody is on call from Tue 2026-01-06 17:00 to Wed 2026-01-07 09:00 CET, and 34 more "
        "times in the next 5 weeks"
    )
    always = schedule({"people": ["ana"]})
    assert gap_words(always, gaps(always, at("2026-01-06T12:00"))) == ""


WRONG: list[tuple[str, str]] = [
    ("{people: [ana, ben], since: 2026-01-05}", "handover: several people need it, or every"),
    ("{people: [ana, ben], since: 2026-01-05, handover: '0 9 * * mon', every: 1w}",
     "every: a layer has either it or a handover"),
    ("{people: [ana], since: 2026-01-05, at: 10:00}", "at: only a layer with every has it"),
    ("{people: [ana], since: 2026-01-05, every: weekly}", "'weekly' must be such as 12h, 1d or 2w"),
    ("{people: [ana], since: 2026-01-05, handover: '* 9 * * *'}",
     "handover: not more than one an hour: say which minute"),
    ("{people: [ana], since: 2026-01-05, handover: '0 9 * * 1'}", "'1' is no weekday"),
    ("{people: [ana], since: 2026-01-05, hours: 9-17}", "'9' is no time of the day"),
    ("{people: [ana], since: 2026-01-05, hours: '09:00-9:00'}",
     "must be from one time to another, such as 09:00-17:00"),
    ("{people: [ana], since: 2026-01-05, until: 2026-01-05}", "until: must be later than since"),
    ("{people: [anna], since: 2026-01-05}", "there is no 'anna'; did you mean 'ana'?"),
    ("{people: [ana], since: soon}", "since: Input should be a valid date"),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "says"), WRONG)
def test_what_is_wrong_with_a_layer(tmp_path: Path, layer: str, says: str) -> None:
    """By file and line, as with the rest of the catalog."""
    (tmp_path / "a.yaml").write_text(
        f"people: [{{id: ana, name: Ana}}, {{id: ben, name: Ben}}]\nschedules:\n- id: s\n  layers:\n  - {layer}\n"
    )
    with pytest.raises(BadInput) as raised:
        load_catalog(tmp_path)
    assert says in str(raised.value)
    assert f"{tmp_path}/a.yaml:5:" in str(raised.value)


def test_a_time_that_yaml_takes_for_a_number(tmp_path: Path) -> None:
    """Unquoted 10:30 is 630 in YAML."""
    text = (
        "schedules: [{id: s, layers: [{people: [ana], since: 2026-01-05, every: 1d, at: 10:30}]}]"
    )
    assert yaml.safe_load(text)["schedules"][0]["layers"][0]["at"] == 630
    (tmp_path / "a.yaml").write_text(f"people: [{{id: ana, name: Ana}}]\n{text}\n")
    assert load_catalog(tmp_path).schedules[0].layers[0].at == "10:30"


def test_overrides_that_hold_at_once(tmp_path: Path) -> None:
    """Also where one says an offset and the other means the schedule's own time."""
    (tmp_path / "a.yaml").write_text("""
people: [{id: ana, name: Ana}, {id: ben, name: Ben}]
schedules:
- id: s
  timezone: Europe/Berlin
  layers: [{people: [ana], since: 2026-01-05}]
  overrides:
  - {person: ana, since: 2026-02-01, until: 2026-02-02}
  - {person: ben, since: 2026-02-01T22:59:00Z, until: 2026-02-03T00:00:00Z}
""")
    with pytest.raises(BadInput, match=r"a.yaml:9:5: overrides: holds at the same time as .* ana"):
        load_catalog(tmp_path)


def test_a_warning_has_its_line_and_an_id_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("""people: [{id: ana, name: Ana}]
schedules:
- {id: whole, layers: [{people: [ana], since: 2026-01-05}]}
- id: office
  layers:
  - {people: [ana], since: 2026-01-05, weekdays: [mon]}
""")
    (found,) = warnings(tmp_path, load_catalog(tmp_path), at("2026-01-05T12:00"))
    assert found.place == f"{tmp_path}/a.yaml:5:3"
    assert found.message.startswith("layers: nobody is on call from Tue 2026-01-06 00:00 to Mon")
    (tmp_path / "b.yaml").write_text("schedules: [{id: whole, layers: [{people: [ana], since: 2026-01-05}]}]")  # fmt: skip
    with pytest.raises(BadInput, match="'whole' is defined twice"):
        load_catalog(tmp_path)
