"""Which past incidents are alike: by group, alert, service and title; the rest is not shown."""

from bot.alerts.evidence.similar import Known, alike, words


def known(number: int, title: str = "", *services: str, alert: str = "", group: str = "") -> Known:
    return Known(number, title, frozenset(services), alert, group)


THIS = known(9, "Checkout is down in eu-1", "checkout", alert="CheckoutDown", group="service:checkout")  # fmt: skip


def test_the_most_alike_first_and_the_newer_of_two() -> None:
    others = [
        known(1, "Checkout is down in us-2", "checkout", alert="CheckoutDown", group="service:checkout"),
        known(2, "Checkout is down in us-2", "checkout", alert="CheckoutDown", group="service:checkout"),
        known(3, "Something else", "checkout"),
        known(4, "Checkout is slow", "search", "checkout", alert="Slow"),
        known(5, "Checkout is down", "checkout", alert="Other"),
    ]  # fmt: skip
    found = alike(THIS, others)
    assert [each.number for each in found] == [2, 1, 5]
    assert found[0].because == "same alert, same service, same group, like title"


def test_what_has_nothing_in_common_is_not_alike() -> None:
    """Neither an empty group, an empty alert, no services, nor small words make two alike."""
    assert alike(known(9, "It is down"), [known(1, "Is it on"), known(2, "")]) == []
    assert alike(THIS, [known(1, "Search is down", "search", alert="SearchDown")]) == []


def test_one_reason_is_enough_if_it_is_whole() -> None:
    assert [a.because for a in alike(THIS, [known(1, "x", alert="CheckoutDown")])] == ["same alert"]
    assert [a.because for a in alike(THIS, [known(1, "x", "checkout")])] == ["same service"]
    like = alike(known(9, "Payments refuse cards"), [known(1, "payments REFUSE cards!")])
    assert [a.because for a in like] == ["like title"]


def test_words_are_what_it_was_about() -> None:
    assert words("The Checkout of EU-1 is down: 503s für 12 Kunden") == {
        "checkout", "eu", "down", "für", "kunden",
    }  # fmt: skip
