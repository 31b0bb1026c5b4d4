"""Who of several workers gets which tests, and what begins first.

A file's tests share servers, so one worker has them all; those of a file that is marked `alone` are
long and share none, so any worker may take each. What takes longest begins first, or one worker
would be at it while the others have ended.

Not xdist's ``--dist loadgroup``: with pytest 9.2 it does not see a group any more, and deals out
every test by itself; then each worker starts each file's servers, again and again.
"""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ALONE = "pytest.mark.alone"


@cache
def alone(file: Path) -> bool:
    """Whether each of the file's tests may be anybody's."""
    return ALONE in file.read_text("utf-8")


def group_of(nodeid: str, root: Path) -> str:
    """All tests with the same group are one worker's."""
    file = nodeid.partition("::")[0]
    return nodeid if alone(root / file) else file


class Groups(LoadScopeScheduling):
    """xdist's own, with another notion of what belongs together."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid, self.config.rootpath)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    config.option.loadscopereorder = False  # it would begin with the files of most tests
    return Groups(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest groups first; within each, the tests stay as they were."""
    groups = {item: group_of(item.nodeid, config.rootpath) for item in items}
    longest: Counter[str] = Counter()
    for item, group in groups.items():
        longest[group] += _weight(item)
    items.sort(key=lambda item: -longest[groups[item]])


def _weight(item: pytest.Item) -> int:
    """How long a test may take, roughly, in tenths of a second."""
    limit = item.get_closest_marker("timeout")
    if item.get_closest_marker("alone"):
        return int(limit.args[0] if limit else 120) * 3
    if item.get_closest_marker("slow") or item.get_closest_marker("browser"):
        return 30
    return 5 if item.get_closest_marker("server") else 1
