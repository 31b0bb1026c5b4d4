"""Scores a record against the catalogue, or abstains. Pure.

Each class of signal counts once with its weight, however many signals of it were seen; words count
one each and never more than two together. A pattern is suggested only if what it cannot do without
was seen, by two rows of different kinds and two classes of signal, and the score reaches the threshold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.postmortems.mark import Clock
from bot.postmortems.patterns.catalogue import Catalogue, FacetText, Pattern, catalogue
from bot.postmortems.patterns.facets import FACETS
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.said_words import Said
from bot.postmortems.patterns.signal import Signal
from bot.postmortems.patterns.signals import SIGNALS
from bot.postmortems.patterns.view import View
from bot.timeline import Entry


@dataclass(frozen=True)
class Seen:
    """A signal and the rows that it saw."""

    signal: Signal
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Scored:
    """One pattern against one record."""

    pattern: Pattern
    score: int
    seen: tuple[Seen, ...]
    against: tuple[Seen, ...]
    absent: tuple[Signal, ...]
    enough: bool  # what it needs was seen, by enough rows and classes

    @property
    def rows(self) -> list[Row]:
        """The rows that speak for it, each once, in order."""
        found = {row.seq: row for each in self.seen for row in each.rows}
        return [found[seq] for seq in sorted(found)]


@dataclass(frozen=True)
class Facet:
    """A facet and its rows."""

    text: FacetText
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Resemblance:
    """What a record resembles; nothing, if ``matches`` is empty."""

    matches: tuple[Scored, ...]
    facets: tuple[Facet, ...]
    nearest: Scored | None  # the best of those that did not reach it
    strong_from: int

    @property
    def abstained(self) -> bool:
        """Whether no pattern is suggested."""
        return not self.matches

    def strength(self, scored: Scored) -> str:
        """``suggest`` or ``strong``."""
        return "strong" if scored.score >= self.strong_from else "suggest"


def resemble(entries: Sequence[Entry], clock: Clock, known: Catalogue | None = None) -> Resemblance:
    """Compares a record with the catalogue; the same record always gives the same answer."""
    known = known or catalogue()
    view = View(entries, clock)
    scored = sorted((score(view, each, known) for each in known.patterns), key=_rank)
    reached = [s for s in scored if s.enough and s.score >= known.matching.thresholds.suggest]
    best = reached[0].score if reached else 0
    matches = [s for s in reached if best - s.score <= known.matching.close][:2]
    facets = [Facet(text, tuple(rows)) for text in known.facets if (rows := FACETS[text.id](view))]
    others = [s for s in scored if s not in matches and s.score > 0]
    return Resemblance(
        tuple(matches),
        tuple(facets),
        others[0] if others else None,
        known.matching.thresholds.strong,
    )


def _rank(scored: Scored) -> tuple[bool, int, int, str]:
    return (not scored.enough, -scored.score, -len(scored.seen), scored.pattern.ref)


def score(view: View, pattern: Pattern, known: Catalogue) -> Scored:
    """One pattern, whether or not it reaches the threshold."""
    looked = [Seen(each, tuple(_once(each.see(view)))) for each in SIGNALS[pattern.id]]
    for_it = [each for each in looked if each.rows and each.signal.kind != "negative"]
    against = [each for each in looked if each.rows and each.signal.kind == "negative"]
    said = _words(view, pattern, known)
    weights = known.matching.weights
    total = sum(weights[kind] for kind in {each.signal.kind for each in for_it})
    total += min(known.matching.words_at_most, weights["message_words"] * len(said))
    total += weights["negative"] * bool(against)
    absent = [each.signal for each in looked if not each.rows and each.signal.absent]
    seen = (*for_it, *([_as_seen(said)] if said else []))
    return Scored(
        pattern, total, seen, tuple(against), tuple(absent), _enough(seen, pattern, known)
    )


def _enough(seen: Sequence[Seen], pattern: Pattern, known: Catalogue) -> bool:
    ids = {each.signal.id for each in seen}
    rows = {row.seq: row.raw for each in seen for row in each.rows}
    classes = {each.signal.kind for each in seen}
    return (
        all(ids.intersection(group) for group in pattern.needs)
        and len(rows) >= known.matching.min_rows
        and len(set(rows.values())) >= known.matching.min_rows
        and len(classes) >= known.matching.min_classes
    )


def _once(rows: Sequence[Row]) -> Iterator[Row]:
    yield from {row.seq: row for row in rows}.values()


def _words(view: View, pattern: Pattern, known: Catalogue) -> list[tuple[str, Row]]:
    """What was said for each cue, in its phase, by people; never denied, supposed or quoted."""
    early, later = _phases(view, known.matching.trigger_words_until_min)
    both = ((early, pattern.words.early), (later, pattern.words.later))
    found = (said.first(cue) for said, cues in both for cue in cues)
    return [each for each in found if each is not None]


def _as_seen(said: Sequence[tuple[str, Row]]) -> Seen:
    words = ", ".join(f"“{each}”" for each in dict.fromkeys(words.lower() for words, _ in said))
    rows = tuple(_once([row for _, row in said]))
    return Seen(Signal("words", "message_words", f"people said {words}", lambda _: rows), rows)


def _phases(view: View, until_min: int) -> tuple[Said, Said]:
    """What was said from the trigger until shortly after it was noticed, and what since then."""
    if view.said is None:
        noticed = view.rows[view.detected].at if view.rows else None
        until = timedelta(minutes=until_min)
        early = [r for r in view.rows[view.start :] if noticed is None or r.at <= noticed + until]
        view.said = (Said(early), Said(view.rows[view.detected :]))
    return view.said
