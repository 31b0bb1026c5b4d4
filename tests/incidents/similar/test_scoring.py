"""What makes two incidents alike, and what does not: nothing is shown rather than noise."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.incidents.similar.scoring import ENOUGH, Around, Known, alike, compared, words


def known(number: int, title: str = "", *services: str, alert: str = "", **more: object) -> Known:
    alerts = frozenset([alert] if alert else [])
    return Known(number, title, frozenset(services), alerts, **more)  # type: ignore[arg-type]


THIS = known(9, "Payments: card tokens expired in eu-1", "payments", alert="HighErrorRate")
AROUND = Around(
    incidents=1000,
    titles={"card": 30, "tokens": 2, "expired": 6, "eu": 400, "down": 300},
    near={"db": "payments stands on db", "shop": "shop stands on payments"},
    names={"payments": "Payments"},
)


def found(*others: Known, this: Known = THIS, around: Around = AROUND) -> list[tuple[int, str]]:
    return [(a.number, "; ".join(a.because)) for a in alike(this, others, around, 3)]


def test_the_same_alert_on_the_same_service() -> None:
    assert found(known(1, "x", "payments", alert="HighErrorRate")) == [
        (1, "same alert HighErrorRate; same service Payments")
    ]


def test_an_alert_that_every_service_has_is_no_reason_on_another() -> None:
    """Where neither service is known, or one stands on the other, it is."""
    assert found(known(1, "x", "search", alert="HighErrorRate")) == []
    assert found(known(1, "x", alert="HighErrorRate")) == [(1, "same alert HighErrorRate")]
    assert found(known(1, "x", "db", alert="HighErrorRate")) == [
        (1, "same alert HighErrorRate; payments stands on db")
    ]


def test_the_same_service_alone_is_no_reason() -> None:
    """Nor with a title of words that half of all have; with the same runbook, target or pattern it is."""
    assert found(known(1, "Something", "payments")) == []
    assert found(known(1, "Payments down in eu", "payments")) == []
    this = replace(THIS, runbooks=frozenset({"pg-failover"}), patterns=frozenset({"lockout"}))
    assert found(known(1, "x", "payments", runbooks=frozenset({"pg-failover"})), this=this) == [
        (1, "same service Payments; same runbook pg-failover")
    ]
    assert found(known(1, "x", "payments", patterns=frozenset({"lockout"})), this=this) == [
        (1, "same service Payments; same pattern lockout")
    ]


def test_rare_words_count_more() -> None:
    """Two rare ones make it with the service; common ones never do by themselves."""
    assert found(known(1, "Card tokens expired", "payments")) == [
        (1, "same service Payments; like title: tokens, expired, card")
    ]
    down = known(9, "Everything is down")
    assert found(known(1, "Everything is down"), this=down, around=AROUND)  # "everything" is rare
    many = replace(AROUND, titles={"everything": 300, "down": 300})
    assert found(known(1, "Everything is down"), this=down, around=many) == []
    assert found(known(1, "payments REFUSE cards!"), this=known(9, "Payments refuse cards"))


def test_the_most_alike_first_and_of_about_the_same_the_newest() -> None:
    same = {"alert": "HighErrorRate"}
    others = [
        known(1, "Payments: card tokens expired", "payments", **same),
        known(2, "a", "payments", **same), known(3, "b", "payments", **same),
        known(4, "c", "db", **same), known(9, "itself", "payments", **same),
    ]  # fmt: skip
    assert [number for number, _ in found(*others)] == [1, 3, 2]


def test_what_has_nothing_in_common_is_not_alike() -> None:
    """Neither empty alerts, no services, the same labels of none, nor small words."""
    assert found(known(1, "Is it on"), known(2), this=known(9, "It is down")) == []
    assert found(known(1), this=known(9)) == []


def test_words_are_what_it_was_about() -> None:
    assert words("The Checkout of EU-1 is down: 503s für 12 Kunden, pg2") == {
        "checkout", "eu", "down", "503s", "für", "kunden", "pg2",
    }  # fmt: skip


SOME = st.frozensets(st.sampled_from(["a", "b", "c"]), max_size=2)
ANY = st.builds(
    Known, st.integers(1, 9), st.text("abc -1", max_size=12), SOME, SOME,
    st.dictionaries(st.sampled_from("xy"), st.just("1"), max_size=2), SOME, SOME, SOME,
)  # fmt: skip
WEIGHTS = st.builds(
    Around, st.integers(1, 1000), st.dictionaries(st.sampled_from(["a", "ab", "abc"]), st.integers(0, 1000)),
    st.dictionaries(st.sampled_from("abc"), st.just("near")),
)  # fmt: skip


@pytest.mark.slow
@given(ANY, st.lists(ANY, max_size=6), WEIGHTS)
def test_whatever_there_is(this: Known, others: list[Known], around: Around) -> None:
    """Never itself, never without enough reasons, best first; a service alone never; no reason twice."""
    best = alike(this, others, around, 3)
    assert this.number not in [a.number for a in best]
    assert all(a.score >= ENOUGH and a.because for a in best)
    assert [round(a.score * 2) for a in best] == sorted((round(a.score * 2) for a in best), reverse=True)  # fmt: skip
    for each in best:
        assert len(set(each.because)) == len(each.because)
        assert not (len(each.because) == 1 and each.because[0].startswith("same service"))


@given(ANY, ANY, WEIGHTS)
def test_one_more_thing_in_common_never_makes_it_less_alike(this: Known, other: Known, around: Around) -> None:  # fmt: skip
    before = compared(this, other, around).score
    for what in ("runbooks", "targets", "patterns"):
        one, two = (replace(k, **{what: getattr(k, what) | {"z"}}) for k in (this, other))
        assert compared(one, two, around).score >= before
