"""The gate holds whatever the markup, and takes time by the length of a document, not by its square."""

import gc
import re
import time
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.catalog import Redaction
from bot.log import _HINTS, _SECRET_VALUE
from bot.postmortems.exports.document import plain, spans_of, text_of
from bot.postmortems.exports.gate import Gate
from bot.postmortems.redact import _NAMED, _NAMED_HINTS, _TOKEN_HINTS, _TOKENS, Redactor
from bot.postmortems.render import tokens, uncollected

pytestmark = pytest.mark.slow

SECRET = "s3cret$w0rd_x"
OWN = (Redaction(id="cell", pattern="^zebra$"), Redaction(id="any", pattern="CUST-[0-9]+"))
GATE = Gate({SECRET}, Redactor(OWN), lambda text: text.replace("Ana Souza", "[responder 1]"))
PIECES = (
    SECRET, "s3cret\\$w0rd\\_x", "s3cret$**w0rd**_x", "Ana Souza", "Ana *Souza*", "zebra", "CUST-17",
    "CUST\\-17", "me@example.org", "m**e@exam**ple.org", "me&#64;example.org", "4111 1111 1111 1111",
    "+49 30 1234567", "DE89 3704 0044 0532 0130 00", "token=abcdefgh", "ghp_abcdefghijklmnop", "xoxb-1234-abc",
    "[x](https://h.example/?a=me%40example.org)", "`code`", "word", "12", "_", "*", "**", "\\", "\\|", "|", " | ",
    "| ", " |\n| --- |\n", "\n", "\n\n", "> ", "- ", "1. ", "# ", "    ", "-", "@", ".org", " ", '<a id="row-7"></a>',
)  # fmt: skip


@example(
    "s3cret\\$w0rd\\_x |\n| --- |\nword|s3cret\\$w0rd\\_x"
)  # its second cell shows with no table
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join))
def test_whatever_passes_is_clean_as_it_is_read(value: str) -> None:
    """Line by line, cell by cell and address by address: also where the gate took a shorter way."""
    passed = GATE.passed(value)
    for token in tokens(passed.body):
        if token.type != "inline":
            continue
        addresses = [unquote(str(v)) for c in token.children or [] for v in c.attrs.values()]
        for words in (text_of(spans_of(token)), *addresses):
            assert GATE.text(words) == plain(words)
    assert [t.as_dict() for t in tokens(passed.body)] == [t.as_dict() for t in passed.stream]


def test_a_rule_may_ask_for_a_whole_cell() -> None:
    body = "| a | b |\n| --- | --- |\n| zebra | a zebra |\n| CUST-1 | x |\n"
    made = GATE.markdown(body)
    assert "| a zebra |" not in made  # its row went with the cell
    assert "[redacted line" in made
    assert "| \\[any\\] | x |" in made


def test_a_rule_against_the_mark_itself_ends() -> None:
    gate = Gate(redactor=Redactor((Redaction(id="mark", pattern="redacted|zebra"),)))
    assert "zebra" not in gate.markdown("a **ze**bra\n\nredacted\n")


LINES = ("MIIEpAIBAAKCAQEAuN3kq", "abcdEFGHijkl0123456789+/", "Zm9vYmFyYmF6cXV4==")


@pytest.mark.parametrize(
    "kind", ["RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
)
@pytest.mark.parametrize("before", ["", "    ", "> ", "- ", "  "], ids=repr)
@pytest.mark.parametrize("whole", [True, False])
def test_a_private_key_goes_with_all_of_its_lines(kind: str, before: str, whole: bool) -> None:
    """Pasted into a section as it is in its file, in a block of code or out of one; also without its end."""
    lines = [f"-----BEGIN {kind}-----", *LINES, *([f"-----END {kind}-----"] if whole else [])]
    key = "\n".join(
        f"{before if n == 0 or before != '- ' else '  '}{line}" for n, line in enumerate(lines)
    )
    for fence in ("", "```\n"):
        made = GATE.markdown(
            f"# Dark\n\nThis was in it:\n\n{fence}{key}\n{fence}\nIt was replaced.\n"
        )
        assert not [line for line in LINES if line in made]
        assert "[credential" in made
        assert made.endswith("It was replaced.\n")


def test_many_keys_without_an_end_take_no_longer_than_others() -> None:
    began = time.process_time()
    GATE.markdown("-----BEGIN PRIVATE KEY-----\nword\n" * 3_000)
    assert time.process_time() - began < 8


def _took(value: str) -> float:
    began = time.process_time()
    Redactor().clean(value)
    return time.process_time() - began


@pytest.mark.parametrize("piece", [
    "a-", "a_", "a.", "a@", "1 ", "+1-", "AB12 ", "eyJ", "://a:", "<@UA|", "password", "token= ", "bearer ",
    "-----BEGIN PRIVATE KEY-----",
])  # fmt: skip
def test_no_text_takes_for_ever(piece: str) -> None:
    """A hundred thousand characters of anything: by their square it would be minutes."""
    assert _took(f"{piece * (100_000 // len(piece))}: @") < 5


def test_many_lines_that_go_whole_take_no_longer_than_others() -> None:
    rows = "".join(f"| {n} | m**e{n}@exam**ple.org |\n" for n in range(2_000))
    began = time.process_time()
    made = GATE.markdown(f"| a | b |\n| --- | --- |\n{rows}")
    assert time.process_time() - began < 8
    assert made.count("redacted line") == 4_000


def test_the_collector_is_never_left_off() -> None:
    """Also where two overlap and the first to begin is the first to end, and after an error."""
    one, two = uncollected(), uncollected()
    one.__enter__()
    two.__enter__()
    one.__exit__(None, None, None)
    two.__exit__(None, None, None)
    assert gc.isenabled()
    with pytest.raises(ValueError, match="x"), uncollected():
        raise ValueError("x")
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("pattern", "hints"),
    [(_TOKENS, _TOKEN_HINTS), (_NAMED, _NAMED_HINTS), (_SECRET_VALUE, _HINTS)],
    ids=["tokens", "named", "values"],
)
@given(data=st.data())
def test_hints_miss_nothing(
    pattern: re.Pattern[str], hints: tuple[str, ...], data: st.DataObject
) -> None:
    """A quick look for words that are in all of them; upper case and its like in Unicode counted."""
    found = data.draw(st.from_regex(pattern))
    assert any(hint in found.casefold() for hint in hints)
