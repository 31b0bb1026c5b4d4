"""The words of updates: promises read off their end, drafts, and what customers never read by itself."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.catalog import Catalog, Person, Service
from bot.errors import BadInput
from bot.incidents import STATUSES, Incident
from bot.incidents.drafts import audience_of, check_text, draft, ours, split_next

NOW = datetime(2026, 3, 30, 12, 0, tzinfo=UTC)
CATALOG = Catalog(
    services=[
        Service(id="pay", title="pay-core-eu1", tier="p0", public="Payments"),
        Service(id="db", title="Ledger DB", tier="p0"),
        Service(id="web", title="Shop", tier="p0", public="Web shop"),
    ],
    people=[Person(id="ana", name="Ana Ruiz")],
)


def incident(**more: object) -> Incident:
    given = {
        "id": 7, "title": "Kafka on pay-core is on fire", "severity": "sev1", "origin": "o",
        "declared_by": "person:ana", "declared_at": NOW - timedelta(minutes=95), "commander": "ana",
        "services": ["pay", "db", "web"], "status": "investigating",
    }  # fmt: skip
    return Incident(**(given | more))


@pytest.mark.parametrize(
    ("text", "words", "minutes"),
    [
        ("DNS is back next in 30m", "DNS is back", 30), ("DNS is back, next in 1 h", "DNS is back", 60),
        ("Back. Next at 14:30", "Back.", 150), ("x next tomorrow 9:00", "x", 21 * 60),
        ("x next tue 9:00", "x", 21 * 60), ("next in 5m", "", 5),
        ("x next at 2026-03-30T13:00", "x", 60),
    ],
)  # fmt: skip
def test_a_promise_at_the_end(text: str, words: str, minutes: int) -> None:
    assert split_next(text, NOW, "UTC") == (words, NOW + timedelta(minutes=minutes))


def test_what_is_no_promise_stays() -> None:
    """And one that cannot be kept is refused, instead of being told to everybody."""
    for text in ("Next in line is DNS", "We look at the next node", "next", "in 30m"):
        assert split_next(text, NOW, "UTC") == (text, None)
    for text in ("x next at 9:00", "x next in 3 parsecs", "x next at 25:00"):
        with pytest.raises(BadInput):
            split_next(text, NOW, "UTC")


def test_whom_it_is_for() -> None:
    assert audience_of("customers All is well") == ("customers", "All is well", True)
    assert audience_of("Customers") == ("customers", "", True)
    assert audience_of("customers' carts are lost") == (
        "internal", "customers' carts are lost", False,
    )  # fmt: skip


def test_drafts() -> None:
    assert draft(CATALOG, incident(), "internal", NOW) == (
        "pay-core-eu1, Ledger DB and Shop: SEV1, investigating, since 10:25 UTC (1 h 35 min). "
        "Ana Ruiz is in command."
    )
    assert "severity 1, investigating" in draft(CATALOG, incident(), "executives", NOW)
    assert "Nobody is in command yet." in draft(CATALOG, incident(commander=""), "internal", NOW)
    said = draft(CATALOG, incident(status="monitoring"), "customers", NOW)
    assert (
        said == "A fix for Payments and Web shop is in place, and we are watching whether it holds."
    )


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("private", [False, True])
def test_nothing_of_ours_is_drafted_for_customers(status: str, private: bool) -> None:
    """Whatever an incident holds, its draft for customers has their words alone."""
    said = draft(CATALOG, incident(status=status, private=private), "customers", NOW)
    for word in ("Kafka", "fire", "pay-core", "Ledger", "SEV", "sev", "Ana", "#7", "10:25"):
        assert word not in said
    assert ("Payments" in said) is not private
    assert ours(CATALOG, incident(status=status, private=private), said) == []


def test_a_private_title_is_drafted_for_nobody() -> None:
    for audience in ("internal", "executives"):
        said = draft(CATALOG, incident(private=True), audience, NOW)  # type: ignore[arg-type]
        assert "Kafka" not in said
        assert "pay-core" not in said


def test_words_that_are_ours() -> None:
    """Their author is asked; it is not refused."""
    said = "SEV-1 #12 inc-12-web: Ana Ruiz restarted pay-core-eu1 at 10.0.0.4 and db.internal"
    found = ours(CATALOG, incident(), said)
    assert found == ["SEV-1", "#12", "inc-12-web:", "10.0.0.4", "db.internal", "Ana Ruiz", "pay-core-eu1"]  # fmt: skip
    assert ours(CATALOG, incident(), "Payments work again. We are sorry.") == []


def test_words_that_cannot_be_sent() -> None:
    assert check_text(" a\u202e\n\nb \n") == "a\n\nb"
    assert "hunter2" not in check_text("curl https://joe:hunter2@db.example.com works again")
    for text in ("", " \n", "\u200b"):
        with pytest.raises(BadInput, match="needs words"):
            check_text(text)
    for text in ("x" * 2001, "&" * 400 + "x"):
        with pytest.raises(BadInput, match="2001 characters as it is sent; 2000 is the limit"):
            check_text(text)
