"""Recorded text is shown as it is and can do nothing else."""

from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.postmortems import escape
from bot.postmortems.draft import draft
from bot.postmortems.page import Link
from bot.postmortems.render import html, markdown
from tests.postmortems.story import CATALOG, FACTS, Story

NASTY = '<script>alert(1)</script> | `x` | {{ 7*7 }} {% raw %} ![p](http://evil/x.png) [a](javascript:x) \\| *recorded* <a id="row-1"></a> &lt; &#124; \x1b[31m\u202etxt\nnew | line\n\n# head\n---'


class Page(HTMLParser):
    """Collects tags and the text of table cells."""

    def __init__(self):
        super().__init__()
        self.tags, self.rows, self.links, self._in = set(), [], [], False

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "a":
            self.links.append(dict(attrs).get("href"))
        if tag == "tr":
            self.rows.append([])
        self._in = tag in ("td", "th") or (self._in and tag in ("a", "em", "code"))
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self._in = self._in and tag not in ("td", "th")

    def handle_data(self, data):
        if self._in:
            self.rows[-1][-1] += data


def read(text):
    page = Page()
    page.feed(text)
    return page


def nasty_draft():
    story = Story()
    story.alert(1, NASTY, fingerprint=NASTY, name=NASTY)
    story.add(2, "note_added", "cause: " + NASTY, actor="person:ana", link="javascript:alert(1)")
    story.add(3, "run_started", NASTY, run_id=NASTY, title=NASTY)
    story.add(4, "step_failed", NASTY, run_id=NASTY, step=NASTY, error=NASTY, path=NASTY, action=NASTY)  # fmt: skip
    story.add(5, "evidence_attached", NASTY, file="../../etc/passwd", title=NASTY)
    story.add(6, NASTY, NASTY, actor=NASTY)
    return draft(FACTS, story.rows, CATALOG, {})


def test_an_alert_cannot_inject_html():
    """Only our own tags and links reach the page."""
    page = read(html(nasty_draft(), {}))
    assert not page.tags & {"script", "img", "iframe", "object", "form", "code"}
    assert all(link is None or link.startswith(("#row-", "https://prometheus.example/")) for link in page.links)  # fmt: skip


def test_an_alert_cannot_break_a_table():
    """Every row of a table has as many cells as its head, and the text is whole."""
    page = read(html(nasty_draft(), {}))
    row = next(row for row in page.rows if len(row) == 7 and row[0] == "#1")
    assert row[5].startswith(
        "<script>alert(1)</script> | `x` | {{ 7*7 }} {% raw %} ![p](http://evil"
    )
    assert row[5].endswith("txt new | line # head ---")
    body = markdown(nasty_draft()).split("---\n", 2)[2]
    for block in body.split("\n\n"):
        lines = [line for line in block.split("\n") if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1, block


def test_a_mention_mentions_nobody():
    """Neither in Slack, where the Markdown may be pasted, nor by a name of the catalog."""
    story = Story()
    story.alert(1, "<!channel> <!here> <@U999> <#C1|general> <https://evil.example|mail>")
    text = markdown(draft(FACTS, story.rows, CATALOG, {}))
    assert "&lt;!channel&gt;" in text
    assert "U999" not in text
    for mention in ("<!", "<@", "<#C", "<http"):
        assert mention not in text


def test_front_matter_survives_a_nasty_title():
    """A title with a document end or quotes in it stays one YAML value."""
    assert "7\\*7" in markdown(nasty_draft())
    assert markdown(nasty_draft()).count("\n---\n") == 1


@given(st.text(max_size=60))
@example("1. one")
@example("\\|")
@example("- x")
@example("a\\")
def test_any_text_in_a_cell_reads_back_as_itself(value):
    """Property: rendered by a plain Markdown reader, a cell shows the text, blanks joined."""
    escaped = escape.text(value)
    page = read(MarkdownIt("commonmark", {"html": True}).enable("table").render(f"| h |\n| - |\n| {escaped} |\n"))  # fmt: skip
    kept = "".join(escape._visible(c) for c in value)
    assert " ".join(page.rows[1][0].split()) == " ".join(kept.split())
    assert page.tags <= {"table", "thead", "tbody", "tr", "th", "td"}


@given(st.text(max_size=60))
@example("===")
@example("~~~")
@example("    code")
def test_any_text_in_a_paragraph_stays_a_paragraph(value):
    """Property: no text becomes a heading, list, quote, rule or code."""
    page = read(MarkdownIt("commonmark", {"html": True}).enable("table").render(escape.text(value)))
    assert page.tags <= {"p"}


def test_only_web_addresses_become_links():
    """Other schemes are shown as text; odd characters are percent-encoded; secrets are cut."""
    assert escape.safe_url("javascript:alert(1)") == ""
    assert escape.safe_url("http://[bad") == ""
    assert escape.safe_url("https://h/a b)<|>`") == "https://h/a%20b%29%3C%7C%3E%60"
    assert "xoxb-1" not in escape.safe_url("https://h/?t=xoxb-123-abc")
    assert escape.line((Link("data:text/html,x", "l"),)) == "data:text/html,x"
