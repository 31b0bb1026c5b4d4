"""The pattern catalogue as it ships: read once, checked as it is read."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import re2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bot.postmortems.casefile import CaseStudy, Text, read_model
from bot.postmortems.patterns.signal import SignalClass
from bot.postmortems.patterns.signals import SIGNALS

CASES = Path(__file__).parent.parent / "cases"


def _compiles(text: str) -> str:
    try:
        re2.compile(text)
    except re2.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if text != text.lower():
        raise ValueError("is looked for in lower-case words: write it so")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Thresholds(_Strict):
    """From which score on a pattern is suggested, and called strong."""

    suggest: int = Field(ge=1)
    strong: int = Field(ge=1)


class Matching(_Strict):
    """How signals become a score."""

    weights: dict[SignalClass, int]
    thresholds: Thresholds
    min_rows: int
    min_classes: int
    words_at_most: int
    close: int
    trigger_words_until_min: int


class Action(_Strict):
    """A candidate action, offered where one of the signals was seen: people take it or drop it."""

    after: Annotated[list[str], Field(min_length=1)]
    text: Text
    owner_role: Text
    type: Literal["prevent", "detect", "mitigate", "recover"]
    done_when: Text


class Words(_Strict):
    """Regular expressions: ``early`` about the trigger, ``later`` after it was noticed."""

    early: list[Annotated[str, AfterValidator(_compiles)]]
    later: list[Annotated[str, AfterValidator(_compiles)]]


class Pattern(_Strict):
    """One way in which outages happen."""

    id: Text
    ref: Text
    case: Text
    title: Text
    stands_for: Text
    differential: Text
    needs: list[list[str]]
    words: Words
    questions: Annotated[list[Text], Field(min_length=3)]
    emphasis: list[str]
    actions: Annotated[list[Action], Field(min_length=3)]

    @model_validator(mode="after")
    def _signals_exist(self) -> "Pattern":
        known = {each.id for each in SIGNALS.get(self.id, ())}
        named = [*self.needs, *(action.after for action in self.actions)]
        unknown = [name for group in named for name in group if name not in known]
        if not known or unknown:
            raise ValueError(f"pattern {self.id} has no such signals: {unknown or 'none at all'}")
        return self


class FacetText(_Strict):
    """A property that cuts across patterns."""

    id: str = Field(pattern=r"^F[1-8]$")
    name: Text
    ask: Annotated[list[Text], Field(min_length=1)]


class Catalogue(_Strict):
    """All of it."""

    version: Literal[1]
    matching: Matching
    patterns: list[Pattern]
    facets: list[FacetText]


@cache
def catalogue() -> Catalogue:
    """What ships. A broken one is a broken installation: `BadFile` says where."""
    path = CASES / "patterns.yaml"
    return read_model(path.read_text("utf-8"), str(path), Catalogue)


@cache
def case_study(case_id: str) -> CaseStudy:
    """One of the cases that ship."""
    path = CASES / f"{case_id}.yaml"
    return read_model(path.read_text("utf-8"), str(path), CaseStudy)


def case_ids() -> list[str]:
    """The cases that ship."""
    return sorted(path.stem for path in CASES.glob("*.yaml") if path.stem != "patterns")
