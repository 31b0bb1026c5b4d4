"""What must not leave is cut out, and what only looks like it stays."""

import pytest

from bot import log
from bot.catalog import Catalog, Redaction
from bot.postmortems.draft import draft
from bot.postmortems.redact import Redactor
from bot.postmortems.render import html, markdown
from tests.postmortems.story import CATALOG, FACTS, Story

IP = Redaction(id="addresses", kind="ip")
CUSTOMER = Redaction(id="customer", pattern="CUST-[0-9]+", shown="customer number")
CANARIES = {
    "AKIAABCDEFGHIJKLMNOP": "key of AWS AKIAABCDEFGHIJKLMNOP was used",
    "ghp_0123456789abcdefghij": "with ghp_0123456789abcdefghij",
    "hunter2hunter2": "set DB_PASSWORD=hunter2hunter2 there",
    "s3cr3t-value": 'body {"api_key": "s3cr3t-value"} was sent',
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln": "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    "MIIEow": "-----BEGIN RSA PRIVATE KEY----- MIIEow -----END RSA PRIVATE KEY-----",
    "xoxb-12-ab": "token xoxb-12-ab",
    "mail.canary@example.org": "told mail.canary@example.org about it",
    "U0STRANGER": "asked <@U0STRANGER|jo> and <@U0STRANGER> first",
    "1234567": "asked the vendor at +49 (30) 1234567, now",
    "555-010-0199": "or 555-010-0199.",
    "4111 1111 1111 1111": "card 4111 1111 1111 1111 failed",
    "DE89 3704 0044 0532 0130 00": "paid to DE89 3704 0044 0532 0130 00",
}


@pytest.mark.parametrize("canary", CANARIES)
def test_by_pattern(canary):
    """Each is replaced by what it was; the words around it stay."""
    text = CANARIES[canary]
    clean = Redactor().clean(text)
    assert canary not in clean
    assert "[" in clean
    assert clean.split("[")[0] == text[: len(clean.split("[")[0])]


@pytest.mark.parametrize("text", [
    "at 2026-01-07 12:00:03 it took 480.0 s, +12 % of 1200 requests",
    "hash 3f2a9c77e01b, commit 1234567890, port 5432, run 17, 10.0.0.7:8080 answered",
    "ratio 4:1, ids 1111111111111, order 2026010712000312",
    "the token expired; password: see the vault? secret sauce",
    "envoy.drain on envoy/edge@v2 and 999.9% of budget",
])  # fmt: skip
def test_what_only_looks_like_it_stays(text):
    """Times, counts, hashes and plain words are what a postmortem is made of."""
    clean = Redactor().clean(text)
    assert clean == text or "see" not in clean  # a password's neighbour may go, nothing else
    if "password" not in text:
        assert clean == text


def test_by_value():
    """A credential that this process used is known by itself."""
    log.keep_secret("plain-looking-word")
    assert "plain-looking-word" not in Redactor().clean("it said plain-looking-word")


def test_addresses_and_own_patterns_where_the_catalog_says_so():
    """IPv4 and IPv6; a time of day is none."""
    text = "10.1.2.3, fe80::1:2 and 2001:db8:0:0:0:0:2:1 at 12:30:10, CUST-17"
    assert Redactor().clean(text) == text
    clean = Redactor([IP, CUSTOMER]).clean(text)
    assert clean == "[IP address], [IP address] and [IP address] at 12:30:10, [customer number]"


@pytest.mark.parametrize("wrong", ["(?=a)b", r"(a)\1", "(", "a*", "(?<x>a)", r"foo\Z", "a++b",
                                   "[0-9]{5,2000}", r"\u00e4"])  # fmt: skip
def test_a_pattern_that_cannot_be(wrong):
    """One that might take for ever, matches everywhere, or is none to what looks for it, is refused when it is read."""
    with pytest.raises(ValueError, match="pattern"):
        Redaction(id="x", pattern=wrong)


def test_nothing_planted_reaches_a_draft():
    """In whatever field of a row it stands: text, error, title, link, label, actor, the incident's title."""
    for canary, text in CANARIES.items():
        story = Story()
        story.alert(1, text, name=text, labels={"service": text})
        story.add(2, "note_added", f"cause: {text}", actor="person:ana", link=f"https://x.example/{text}")  # fmt: skip
        story.add(3, "step_failed", text, run_id=1, step="one", error=text, path=text, action=text)
        story.add(4, "decision_made", text, actor="person:ana", what=text, why=text, instead=[text])
        story.add(5, "communication_sent", text, audience=text, next_at=text)
        story.add(6, "task_added", text, actor="person:bo", task=1, owner="bo")
        story.add(7, "clock_started", text, law="gdpr", fact="aware", at=text, why=text)
        story.add(8, "evidence_attached", text, title=text, file="")
        story.add(9, "link_added", text, link=f"https://x.example/?q={text}", actor=text)
        made = draft(FACTS, story.rows, CATALOG, {})
        assert canary not in markdown(made) + html(made, {}), canary


def test_names_in_whatever_case():
    """A full name however it is typed; a first name that is a word too, only as a name."""
    people = [{"id": "mw", "name": "Mark Weber", "email": "mw@example.com",
               "reach": [{"notifier": "sms", "to": "tel-000111"}]}]  # fmt: skip
    catalog = Catalog.model_validate({"people": people})
    story = Story()
    story.add(1, "note_added", "mark weber said: mark it. Mark agreed, tel-000111", actor="person:mw")  # fmt: skip
    text = markdown(draft(FACTS, story.rows, catalog, {}))
    assert "\\[responder 1\\] said: mark it. \\[responder 1\\] agreed, \\[responder 1\\]" in text
