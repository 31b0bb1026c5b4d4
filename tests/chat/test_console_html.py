"""Block Kit to HTML: what it looks like, and that no text becomes a tag."""

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat import blocks as kit
from bot.chat.console.html import blocks_html
from bot.chat.console.mrkdwn import is_web, to_html, to_plain

OURS = {
    "a", "br", "button", "code", "div", "em", "form", "h1", "h2", "h3", "h4", "hr", "img", "input",
    "p", "s", "strong", "time", "details", "summary", "ul", "li",
}  # fmt: skip
ATTRIBUTES = {
    "action", "alt", "aria-live", "class", "datetime", "href", "hx-confirm", "hx-disabled-elt",
    "hx-post", "hx-swap", "hx-target", "loading", "method", "name", "rel", "role", "src", "target",
    "type", "value",
}  # fmt: skip


class Tags(HTMLParser):
    """Collects tags and attributes, and complains about tags that are closed in the wrong order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(str(html))
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("br", "hr", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def check(html: str) -> Tags:
    """Only our tags, only our attributes, only web links."""
    tags = Tags(html)
    for tag, attributes in tags.found:
        assert tag in OURS
        assert set(attributes) <= ATTRIBUTES
        for name in ("href", "src"):
            if name in attributes:
                assert is_web(attributes[name] or "")
    return tags


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a *b* c", "a <strong>b</strong> c"),
        ("_a_ ~b~", "<em>a</em> <s>b</s>"),
        ("*a _b_ c*", "<strong>a <em>b</em> c</strong>"),
        ("_*a*_", "<em><strong>a</strong></em>"),
        ("2*3*4 snake_case_name a * b *", "2*3*4 snake_case_name a * b *"),
        ("`*a* <b>`", "<code>*a* &lt;b&gt;</code>"),
        ("```\nx < y\n```", "<code class=block>x &lt; y</code>"),
        ("a\nb", "a<br>b"),
        ("&lt;b&gt; &amp; &amp;lt;", "&lt;b&gt; &amp; &amp;lt;"),
        ('"\'', "&#34;&#39;"),
        ("🔴 :fire:", "🔴 :fire:"),
        ("<!here> <@U1> <#C1|ops>", "@here @U1 ops"),
        ("<!date^1700000000^{time_secs}|22:13:20 UTC>",
         '<time datetime="2023-11-14T22:13:20Z">22:13:20 UTC</time>'),
        ("<!date^999999999999^x|never>", "never"),
    ],
)  # fmt: skip
def test_mrkdwn_is_drawn_as_slack_draws_it(text: str, html: str) -> None:
    """Emphasis at word boundaries, code untouched, escapes taken back once."""
    assert to_html(text).replace("@U1", "@U1") == html


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("<https://a.test/x?a=1&amp;b=2|the *graph*>", "the *graph*"),
        ("see https://a.test/x?a=1&amp;b=2.", "https://a.test/x?a=1&b=2"),
        ("*<https://a.test/x?a=1&amp;b=2>*", "https://a.test/x?a=1&b=2"),
    ],
)
def test_links_are_web_links_and_give_nothing_away(text: str, label: str) -> None:
    """The address is kept, the label is text, the other page gets no handle on ours."""
    tags = check(to_html(text))
    link = next(attributes for tag, attributes in tags.found if tag == "a")
    assert link["href"] == "https://a.test/x?a=1&b=2"
    assert "noopener" in (link["rel"] or "")
    assert label in tags.text


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<javascript:alert(1)|click>",
        "<JaVaScRiPt:alert(1)>",
        "<data:text/html,x|y>",
        '<https://a.test/"onmouseover="x|y>',
        "<https://a.test|<img src=x onerror=alert(1)>>",
        "&lt;img src=x onerror=alert(1)&gt;",
        "`<svg/onload=x>`",
        "<//evil.test|x>",
        "<https:evil|x>",
        "\ue0000\ue001 \ue0009\ue001",
        '<!date^1^x|<b onclick="x">>',
        "*<https://a.test|x*>_",
        "</p></div><form action=//evil.test>",
    ],
)
def test_hostile_text_stays_text(text: str) -> None:
    """In every place where text may stand."""
    button = kit.button(text, text, text, confirm=text, style=text)
    made = [kit.header(text), kit.section(text), kit.fields(text, text), kit.context(text),
            kit.actions(button, {**button, "url": text}),
            {"type": "image", "image_url": text, "alt_text": text},
            {"type": "section", "text": {"type": "plain_text", "text": text}, "accessory": button}]  # fmt: skip
    tags = check(blocks_html(made))
    assert {t for t, _ in tags.found} <= OURS - {"img"}
    assert "evil" not in str([a.get("href") or a.get("action") for _, a in tags.found])


def test_a_button_is_a_form_that_works_without_scripts() -> None:
    """Hidden fields carry the click; `confirm` asks before it, in plain words."""
    made = blocks_html(
        [kit.actions(kit.button("Resolve", "incident_resolve", "7|ab", style="danger",
                                confirm="Resolve *7*? <https://a.test|Really>"))]
    )  # fmt: skip
    tags = dict(check(made).found)
    assert tags["form"]["action"] == "/click"
    assert tags["form"]["hx-confirm"] == "Are you sure?\nResolve 7? Really"
    assert tags["button"]["class"] == "danger"
    assert 'name="action_id" value="incident_resolve"' in made
    assert 'name="value" value="7|ab"' in made


def test_what_is_not_known_is_left_out() -> None:
    """Unknown blocks and broken ones cost themselves, not the page."""
    assert blocks_html([{"type": "video"}, {}, {"type": "divider"}]) == "<hr>"
    assert blocks_html([kit.header("x")], heading=1) == "<h1>x</h1>"
    check(blocks_html([{"type": "section"}, {"type": "actions"}, {"type": "context"}]))


_WORDS = st.text(
    st.one_of(st.sampled_from(list("<>&*_~`|!^\"'/=\n :@#\ue000\ue001")), st.characters()),
    max_size=60,
)
_PIECES = st.lists(
    st.one_of(
        _WORDS,
        st.sampled_from(
            ["<https://a.test|", "<!date^1^", "<script>", "```", "*_", "_*", "http://"]
        ),
    ),
    max_size=12,
).map("".join)


@given(_PIECES)
def test_no_text_becomes_a_tag_of_its_own(text: str) -> None:
    """Whatever is written: our tags only, properly nested."""
    button = kit.button(text, text, text, confirm=text)
    made: list[dict[str, Any]] = [kit.header(text), kit.section(text), kit.context(text)]
    check(blocks_html([*made, kit.fields(text), kit.actions(button)]))
    to_plain(text)


@given(
    st.text(
        st.characters(exclude_characters="*_~`<>\ue000\ue001", exclude_categories=["Cc", "Cs"]),
        max_size=80,
    )
)
def test_plain_words_survive(text: str) -> None:
    """What was escaped for Slack reads here as it was written."""
    assert Tags(to_html(kit.escape(text))).text == text


def test_lines_set_in_below_another_are_its_list_and_fold() -> None:
    """A step's changes: eight in sight, the others a click away, each of them inert."""
    lines = [f"      edge-{n}: ready → *drain* <b>{n}</b>" for n in range(11)]
    drawn = str(blocks_html([kit.section("▫️ *Drain*\n" + "\n".join(lines))]))
    assert "<p>▫️ <strong>Drain</strong></p>" in drawn
    assert drawn.count("<li>") == 11
    assert drawn.index("<summary>3 more</summary>") > drawn.index("edge-7")
    assert drawn.index("<summary>3 more</summary>") < drawn.index("edge-8")
    assert "<b>" not in drawn


def test_long_output_folds_whole() -> None:
    """What a program printed is there, and not in the way; a short one stays open."""
    long = str(
        blocks_html([kit.section("```" + "\n".join(f"line {n}" for n in range(30)) + "```")])
    )
    assert "<summary>30 lines</summary>" in long
    assert "line 29" in long
    assert "<details" not in str(blocks_html([kit.section("```one\ntwo```")]))
    assert "<ul" not in str(blocks_html([kit.section("a paragraph\n      set in\nand not")]))
