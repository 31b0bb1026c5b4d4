"""An incident whose every text is against us, and a paper that people added more of it to."""

from dataclasses import replace

from bot.postmortems.cast import Cast
from bot.postmortems.draft import draft
from bot.postmortems.exports.flow import Paper
from bot.postmortems.render import markdown
from bot.timeline import Entry
from tests.postmortems.story import CATALOG, FACTS, PNG, Story

CANARY = "cana$y*W0rd_[7]<&>"  # known by value; every form escapes it otherwise
TOKEN = "xoxb-777777-canarycanary"
KEY = "AKIAIOSFODNN7CANARY7"
MAIL = "planted.victim+x@example.org"
PLANTED = (CANARY, TOKEN, KEY, MAIL, "Ana Souza", "ana@example.com")
MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "# Head\n## Head 2\n- item\n> quote",
    "[click](javascript:alert(1)) ![p](https://evil.example/p.png) | cell | `code` **bold**",
    '#import "@preview/evil:1.0.0": * #eval("1") #read("/etc/passwd") $ x^2 $ @label <label>',
    "</w:t></w:r><w:r><w:t>forged &amp; &#60;b&#62; ]]> <?xml version='1.0'?>",
    "{{ 7 * 7 }} {% raw %} ${env:HOME}",
    "nul \x01\x02\x1b[31m\x07 end",
    "abc\u202egnp.exe\u202c \u2066hidden\u2069 zero\u200bwidth",
)
FORMULAS = (
    '=HYPERLINK("http://evil.example","x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1",
    "＝1+1",  # noqa: RUF001
    " =1+1",
)
SCRIPTS = "漢字かな 한국어 שלום עולם مرحبا بالعالم 🔥👩‍🚒 ✅ नमस्ते Ελληνικά → ≤"
LONG = "x" * 10_240


def rows() -> list[Entry]:
    """Notes and alerts with all of it."""
    story = Story()
    story.alert(1, f"Down {MARKUP[0]} {SCRIPTS}")
    for number, said in enumerate((*MARKUP, *FORMULAS, SCRIPTS, LONG)):
        story.add(2 + number, "note_added", said, actor="person:ana", link=f"https://h.example/{number}?q=<x>")  # fmt: skip
    for number, planted in enumerate((CANARY, TOKEN, KEY, MAIL)):
        story.add(30 + number, "note_added", f"it is {planted}, says Ana Souza", actor="person:bo")
        story.add(40 + number, "alert_received", f"a={planted}", actor="source:x", starts_at=None, link=f"https://h.example/?t={planted}", name=planted)  # fmt: skip
    return story.rows


def paper(state: str = "draft", more: str = "") -> Paper:
    """Drafted from these rows; ``more`` is what a person wrote below."""
    facts = replace(FACTS, title=f"Dark {MARKUP[2]} {SCRIPTS} {MAIL} {CANARY}")
    record = rows()
    written = markdown(draft(facts, record, CATALOG, {"p.png": PNG}))
    return Paper(
        12, state, f"{written}\n{more}", record, CATALOG, frozenset({CANARY}), Cast(record, CATALOG)
    )


BY_HAND = f"""
## By hand

<script>alert(2)</script> Mail {MAIL}, pl**anted.victim@exam**ple.org, [mail](mailto:{MAIL}),
xo**xb-777777-**canarycanary and xoxb\\-777777\\-canarycanary, Ana Souza(https://x.example/).

1. one
2. two
   - deep {KEY}

> said [x](https://h.example/?token={TOKEN})

```
code {CANARY} \u202e
```

![far](https://evil.example/p.png) ![near](../evidence/p.png)

| a | b |
| --- | --- |
| pl**anted.victim@exam**ple.org | stays |
"""
