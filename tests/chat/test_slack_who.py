"""Who asked, in each kind of request, and on Enterprise Grid, where a workspace may be missing."""

from typing import Any

import pytest

from bot.catalog import Catalog, Person
from bot.chat.slack.home import person_of_slack
from bot.chat.slack.who import who

ANA = {"team": "T1", "enterprise": "", "user": "U1"}
GRID = {"team": "T1", "enterprise": "E1", "user": "W1"}
REQUESTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "command": ({"team_id": "T1", "user_id": "U1", "command": "/inc"}, ANA),
    "command on Grid": ({"team_id": "T1", "enterprise_id": "E1", "user_id": "W1"}, GRID),
    "click": ({"team": {"id": "T1"}, "enterprise": None, "user": {"id": "U1"}}, ANA),
    "click on Grid": (
        {"team": {"id": "T1"}, "enterprise": {"id": "E1"}, "user": {"id": "W1"}}, GRID,
    ),
    "click where the whole enterprise has the app": (
        {"team": None, "enterprise": {"id": "E1"}, "is_enterprise_install": True,
         "user": {"id": "W1", "team_id": "T1"}}, GRID,
    ),
    "and nothing says which workspace": (
        {"team": None, "enterprise": {"id": "E1"}, "user": {"id": "W1"}}, {**GRID, "team": "E1"},
    ),
    "event": ({"team_id": "T1", "event": {"type": "message", "user": "U1"}}, ANA),
    "event on Grid": ({"team_id": "T1", "enterprise_id": "E1", "event": {"user": "W1"}}, GRID),
    "event of nobody": ({"team_id": "T1", "event": {}}, {**ANA, "user": ""}),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_who_asked(name: str) -> None:
    body, found = REQUESTS[name]
    assert who(body) == found


def test_a_person_is_known_by_workspace_or_enterprise() -> None:
    """And by nothing else: the same user id in another workspace is somebody else."""
    ana = Person(id="ana", name="Ana", slack=["T1:U1"])
    ben = Person(id="ben", name="Ben", slack=["E1:W1"])
    catalog = Catalog(people=[ana, ben])
    assert person_of_slack(catalog, ANA) == ana
    assert person_of_slack(catalog, GRID) == ben
    assert person_of_slack(catalog, {**ANA, "team": "T2"}) is None
    assert person_of_slack(catalog, {**ANA, "user": ""}) is None
    assert person_of_slack(catalog, {"team": "T1", "user": "U1"}) == ana, (
        "as older versions stored it"
    )
