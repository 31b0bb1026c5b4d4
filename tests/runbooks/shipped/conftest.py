"""Each shipped runbook goes its way on both databases; what can come in between is seen on SQLite.

That the engine does the same on both, whatever comes in between, is tested in the folder above.
"""

import pytest

from tests.conftest import a_database


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite's, unless a test is `on_both`."""
    return a_database(getattr(request, "param", "sqlite"), request)
