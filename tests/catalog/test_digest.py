"""Weekly digests of the catalog: off unless set, read whole, or refused with file and line."""

from pathlib import Path

import pytest

from bot.catalog import Catalog, load_catalog
from tests.catalog.test_load import refused, write


def test_when_and_where(tmp_path: Path) -> None:
    """A time without quotes, which YAML reads as a number, is the time that was meant."""
    text = "digests:\n  - {id: eng, channel: C0123ABC, day: fri, at: 16:30, timezone: Europe/Berlin}\n  - {id: other, channel: 'T0123:C0456'}"
    one, two = load_catalog(write(tmp_path, text)).digests
    assert (one.channel, one.day, one.at, one.timezone) == (
        "C0123ABC", "fri", "16:30", "Europe/Berlin",
    )  # fmt: skip
    assert (two.day, two.at, two.timezone) == ("mon", "09:00", "UTC")
    assert Catalog().digests == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("day: monday", "4: day: Input should be 'mon', 'tue', 'wed', 'thu', 'fri', 'sat' or 'sun'"),
        ("at: 9 o'clock", "4: at: \"9 o'clock\" is no time of the day: write 09:00"),
        ("at: '24:00'", "4: at: '24:00' is no time of the day: write 09:00"),
        ("timezone: Europe/Berln", "4: timezone: there is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
        ("hour: 9", "4: hour: unknown field"),
    ],
)  # fmt: skip
def test_what_is_wrong_says_where(tmp_path: Path, fields: str, said: str) -> None:
    text = f"digests:\n  - id: eng\n    channel: C0123ABC\n    {fields}"
    assert refused(write(tmp_path, text)).removeprefix("all.yaml:").startswith(said)


def test_a_channel_is_named_by_its_id(tmp_path: Path) -> None:
    for channel in ("'#general'", "general", "D0123ABC", "T0123:general"):
        said = refused(write(tmp_path, f"digests:\n  - id: eng\n    channel: {channel}"))
        assert said.startswith("all.yaml:3: channel: ")
        assert "is no channel's id: a channel's details in Slack end with it" in said
    assert refused(write(tmp_path, "digests:\n  - {id: eng}")) == "all.yaml:2: channel: is missing"
    twice = "digests:\n  - {id: eng, channel: C012}\n  - {id: eng, channel: C0123}"
    assert "digest 'eng' is defined twice" in refused(write(tmp_path, twice))
