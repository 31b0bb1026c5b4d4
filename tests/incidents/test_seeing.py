"""Who may see a private incident: pure."""

import pytest

from bot.catalog import Catalog, Person, Service
from bot.errors import NotFound
from bot.incidents import Incident
from bot.incidents.seeing import belonging, may_see, require_seen

PEOPLE = [
    Person(id="ana", name="Ana", groups=["shop"]),
    Person(id="ben", name="Ben", groups=["security"]),
    Person(id="cat", name="Cat"),
    Person(id="dan", name="Dan", roles=["responder", "commander", "approver"]),
    Person(id="eve", name="Eve", roles=["admin"]),
]
CATALOG = Catalog(
    services=[Service(id="shop", title="Shop", tier="p0", owner="shop")], people=PEOPLE
)


def an_incident(**more: object) -> Incident:
    given = {"title": "A leak", "severity": "sev1", "origin": "o", "declared_by": "source:siem",
             "id": 1, "private": True}  # fmt: skip
    return Incident(**(given | more))


def seen_by(incident: Incident) -> list[str]:
    return [p.id for p in PEOPLE if may_see(CATALOG, incident, p)]


def test_everybody_sees_what_is_not_private() -> None:
    assert seen_by(an_incident(private=False)) == ["ana", "ben", "cat", "dan", "eve"]


@pytest.mark.parametrize(
    ("given", "who"),
    [
        ({}, ["eve"]),
        ({"services": ["shop"]}, ["ana", "eve"]),
        ({"people": ["@security"]}, ["ben", "eve"]),
        ({"people": ["cat", "@security"]}, ["ben", "cat", "eve"]),
        ({"declared_by": "person:cat"}, ["cat", "eve"]),
        ({"commander": "dan"}, ["dan", "eve"]),
        ({"services": ["gone"], "people": ["gone", "@gone"]}, ["eve"]),
    ],
    ids=["admins", "owners", "a group", "a person", "declared it", "commands it", "gone"],
)
def test_a_private_one_is_seen_by_those_who_belong(
    given: dict[str, object], who: list[str]
) -> None:
    """No role but admin opens it: commanders see what they command."""
    assert seen_by(an_incident(**given)) == who


def test_a_service_without_an_owner_invites_nobody() -> None:
    """An empty group is nobody's."""
    bare = Catalog(services=[Service(id="shop", title="S", tier="p0")], people=PEOPLE)
    assert belonging(bare, an_incident(services=["shop"])) == []


def test_it_is_refused_in_the_words_for_one_that_is_not_there() -> None:
    """That there is one would be told otherwise."""
    for person in (PEOPLE[2], None):
        with pytest.raises(NotFound, match=r"^There is no incident 1\."):
            require_seen(CATALOG, an_incident(), person)
    require_seen(CATALOG, an_incident(private=False), None)
