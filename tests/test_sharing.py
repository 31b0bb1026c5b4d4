"""Servers are started once a file: its tests are one worker's."""

from pathlib import Path

import pytest

from tests.sharing import Groups, group_of

ROOT = Path(__file__).parents[1]


def test_a_files_tests_stay_together() -> None:
    """But for those that are long and share nothing."""
    together = {group_of(f"tests/store/test_spool.py::test_{n}", ROOT) for n in range(3)}
    apart = {group_of(f"tests/e2e/test_crash.py::test_{n}", ROOT) for n in range(3)}
    assert (len(together), len(apart)) == (1, 3)


def test_it_is_what_xdist_goes_by(request: pytest.FixtureRequest) -> None:
    """A name of its own that changed under it would be ignored in silence."""
    assert Groups._split_scope is not Groups.__mro__[1]._split_scope  # type: ignore[attr-defined]
    assert request.config.pluginmanager.has_plugin("tests.sharing")
