"""Whatever stands in a catalog file, reading it ends in a catalog or in `BadInput`."""

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.catalog import Catalog, load_catalog
from bot.catalog.files import SECTIONS
from bot.errors import BadInput

FIELDS = [
    "id", "title", "tier", "owner", "depends_on", "cost_per_minute", "slo", "checks", "evidence",
    "name", "slack", "roles", "match", "service", "declare", "url", "via", "headers", "connect_to",
]  # fmt: skip
WORDS = ["shop", "web", "p0", "direct", "http/a", "http://a", "T1:U1", "auto", "", "A B"]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text()
    | st.dates()
)  # fmt: skip
KEYS = st.sampled_from(FIELDS) | st.text(max_size=5) | st.integers()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
ENTRIES = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)
DOCUMENTS = st.dictionaries(
    st.sampled_from(SECTIONS), st.lists(ENTRIES | VALUES, max_size=3) | VALUES, max_size=3
)
YAML = "abz019 \n\t:-[]{},&*!|>'\"%@`#?=~<.\\\x00\x85é🔥"


def check(text: str | bytes) -> None:
    """The promise. An error says where, as ``file:line: …`` in one line."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "all.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
        try:
            said: Catalog | str = load_catalog(Path(name))
        except BadInput as error:
            said = str(error)
    where = rf"{re.escape(str(path))}:[1-9]\d*:[1-9]\d*: \S[^\r\n]*"
    assert isinstance(said, Catalog) or re.fullmatch(where, said), said


@pytest.mark.slow
@settings(max_examples=250)
@given(DOCUMENTS | VALUES)
def test_any_document(document: Any) -> None:
    """Valid YAML of any shape, half of it nearly a catalog."""
    check(yaml.safe_dump(document, allow_unicode=True))


@settings(max_examples=200)
@given(st.text(YAML, max_size=60) | st.text(max_size=60), st.sampled_from(["", "services: "]))
def test_any_text(text: str, before: str) -> None:
    check(before + text)


@settings(max_examples=50)
@given(st.binary(max_size=40))
def test_any_bytes(data: bytes) -> None:
    check(data)
