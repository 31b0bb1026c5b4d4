"""What may come next in a command that is being typed. Pure.

The forms say it: ``STATUS`` in a usage is one of the statuses, ``ID`` a runbook, ``name=value`` an
input of the runbook before it. So a new command is completed as soon as it has a form.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.chat.command import Form
from bot.runbooks.model import Input

MOST = 100  # choices at once: more than there are commands
_PART = re.compile(r"\[[^\]]*\]|\S+")
_LITERAL = re.compile(r"[a-z]+")
Offer = tuple[str, str]  # what is typed, and what it means


@dataclass(frozen=True)
class Facts:
    """What the placeholders of the usages stand for now, as the person may see it.

    ``words``: placeholder → what it can be. ``inputs``: runbook → its inputs.
    """

    words: dict[str, list[Offer]]
    inputs: Mapping[str, Mapping[str, Input]] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """One line of the list: ``text`` is what the composer holds once it is chosen."""

    text: str
    label: str
    what: str


def completed(text: str, forms: Mapping[str, Sequence[Form]], facts: Facts) -> list[Choice]:
    """The choices for a text whose end is being typed; none for a note, or where nothing fits."""
    if not text.startswith("/"):
        return []
    head, *words = text.split(" ")
    name = head[1:].lower()
    if not words:
        return [choice for choice in _roots(name, forms) if choice.text != text][:MOST]
    if name not in forms:
        return []
    if len(words) == 1:
        return [c for c in _verbs(head, words[0].lower(), forms[name]) if c.text != text]
    verb = words[0].lower()
    form = next((f for f in forms[name] if verb in (f.verb, *f.synonyms)), None)
    if form is None:
        return []
    *done, last = words[1:]
    if ",NODE" in form.usage:  # a list by commas: its last part is being typed
        last = last.rpartition(",")[2]
    start = text[: len(text) - len(last)]
    offers = _offers(_slots(form), [word for word in done if word], last, facts)
    return [
        Choice(start + word + ("" if word.endswith("=") else " "), word, what)
        for word, what in dict(offers).items()
        if word.lower().startswith(last.lower()) and word.lower() != last.lower()
    ][:MOST]


def _roots(typed: str, forms: Mapping[str, Sequence[Form]]) -> list[Choice]:
    """Everything that can be typed, at once: ``/re`` finds ``/incident resolve`` too."""
    by_name = [n for n in forms if n.startswith(typed)]
    found = [choice for n in by_name for choice in _verbs(f"/{n}", "", forms[n])]
    for name, all_of in forms.items():
        if typed and name not in by_name:
            found += _verbs(f"/{name}", typed, all_of)
    return found


def _verbs(head: str, typed: str, forms: Iterable[Form]) -> list[Choice]:
    fits = [f for f in forms if any(w.startswith(typed) for w in (f.verb, *f.synonyms))]
    fits.sort(key=lambda f: not f.verb.startswith(typed))  # by its own name before a synonym's
    more = {form.verb: len(form.usage.split()) > 2 for form in fits}  # noqa: PLR2004 - /name verb
    return [
        Choice(
            f"{head} {form.verb}" + (" " if more[form.verb] else ""),
            f"{head} {form.verb}",
            form.what,
        )
        for form in fits
    ]


@dataclass(frozen=True)
class _Slot:
    """A place in a usage. ``inner``: only after the one before it, as in ``[into #M]``."""

    holds: str
    optional: bool
    inner: bool
    again: bool


def _slots(form: Form) -> list[_Slot]:
    found = []
    for part in _PART.findall(form.usage)[2:]:
        inside = part.strip("[]").split()
        again = inside[-1] == "…"
        for number, holds in enumerate(word for word in inside if word != "…"):
            found.append(_Slot(holds, part.startswith("["), number > 0, again))
    return found


def _offers(slots: list[_Slot], done: list[str], last: str, facts: Facts) -> Iterator[Offer]:
    """For the word after those that are ``done``: what its place in the usage may hold."""
    at = 0
    for word in done:
        while at < len(slots) and slots[at].optional and not _fits(slots[at], word, facts):
            at = next((i for i in range(at + 1, len(slots)) if not slots[i].inner), len(slots))
        at += at < len(slots) and not slots[at].again
    if at < len(slots) and slots[at].inner:
        yield from _held(slots[at].holds, facts)
        return
    for slot in (slot for slot in slots[at:] if not slot.inner):
        if slot.holds == "name=value":
            yield from _inputs(done, last, facts)
        yield from _held(slot.holds, facts)
        if not slot.optional:
            return


def _fits(slot: _Slot, word: str, facts: Facts) -> bool:
    if "=" in slot.holds:
        return "=" in word
    return word.lower() in {offer.lower() for offer, _ in _held(slot.holds, facts)}


def _held(placeholder: str, facts: Facts) -> Iterator[Offer]:
    """What a part of a usage can be; a word in small letters is itself."""
    if placeholder.startswith("#"):
        yield from facts.words.get("#N", ())
    elif _LITERAL.fullmatch(placeholder):
        yield placeholder, ""
    else:
        for each in re.split(r"[|\[]", placeholder):
            yield from facts.words.get("SEVERITY" if "…" in each else each, ())


def _inputs(done: list[str], last: str, facts: Facts) -> Iterator[Offer]:
    """The inputs that are not given yet, and what the one that is being typed can be."""
    specs = facts.inputs.get(done[0], {})
    name, equals, _ = last.partition("=")
    if equals and name in specs:
        yield from ((f"{name}={value}", what) for value, what in values(specs[name], facts))
        return
    given = {word.partition("=")[0] for word in done[1:]}
    ordered = sorted(specs.items(), key=lambda item: not item[1].required)
    yield from ((f"{n}=", asked(spec)) for n, spec in ordered if n not in given)


def values(spec: Input, facts: Facts) -> list[Offer]:
    """What an input can be, where that can be listed; else its default alone."""
    if spec.type == "enum":
        return [(value, "") for value in spec.values or ()]
    if spec.type in ("service", "host"):
        return list(facts.words.get(spec.type.upper(), ()))
    return [] if spec.default is None else [(str(spec.default), "what it is if left out")]


def asked(spec: Input) -> str:
    """An input in a line: what it is, its bounds, and whether it must be given."""
    parts = [spec.description, spec.type if not spec.values else " | ".join(spec.values)]
    if spec.min is not None or spec.max is not None:
        low = "" if spec.min is None else spec.min
        high = "" if spec.max is None else spec.max
        parts.append(f"{low}…{high}" + (" s" if spec.type == "duration" else ""))
    if spec.default is not None:
        parts.append(f"{spec.default} if left out")
    return ", ".join(part for part in [*parts, "needed" if spec.required else ""] if part)
