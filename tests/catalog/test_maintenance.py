"""Planned work in the catalog: checked as change freezes are, and its labels as a silence's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.catalog import load_catalog
from bot.located import BadFile
from tests.plainly import without_columns

WINDOW = """maintenance:
  - name: Network swap
    match: {service: shop, alertname: "Net*"}
    since: 2026-12-01 22:00
    until: 2026-12-02
"""


def test_a_window_is_read(tmp_path: Path) -> None:
    """UTC if it says no zone; on from its start up to its end."""
    (tmp_path / "a.yaml").write_text(WINDOW)
    (window,) = load_catalog(tmp_path).maintenance
    began = datetime(2026, 12, 1, 22, tzinfo=UTC)
    assert (window.since, window.until) == (began, began + timedelta(hours=2))
    assert [window.on(began + timedelta(minutes=m)) for m in (-1, 0, 119, 120)] == [
        False, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("until: 2026-12-02", "until: 2026-12-01"), "5: until: must be later than since"),
        (('{service: shop, alertname: "Net*"}', "{}"), "3: match: at least one label is needed"),
        (('{service: shop, alertname: "Net*"}', '{service: "*"}'), "3: match: * alone would cover"),
        (('{service: shop, alertname: "Net*"}', "{service: ''}"), "3: match: 'service=' must be"),
        (("    match", "    matches"), "2: match: is missing"),
    ],
)
def test_a_window_that_is_wrong(tmp_path: Path, wrong: tuple[str, str], said: str) -> None:
    (tmp_path / "a.yaml").write_text(WINDOW.replace(*wrong))
    with pytest.raises(BadFile) as caught:
        load_catalog(tmp_path)
    assert without_columns(str(caught.value)).removeprefix(f"{tmp_path}/a.yaml:").startswith(said)
