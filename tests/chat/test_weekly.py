"""A week's digest in words: fits Slack whatever is in it, mentions nobody, the same on each surface."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.catalog import Catalog
from bot.chat.fit import fit_message
from bot.chat.weekly_card import weekly_blocks, weekly_lines, weekly_text
from bot.delivery import Outbox
from bot.errors import BadInput, NotAllowed
from bot.postmortems.learning import posting
from bot.postmortems.learning.posting import WeeklyDigests
from bot.postmortems.learning.sums import Open, Spread
from bot.postmortems.learning.weekly import Counted, Due, Long, Recurring, Weekly
from bot.store import now
from tests.chat.console_world import World
from tests.chat.room import ChatRoom, words
from tests.postmortems.learning.test_figures import past
from tests.slackstub.blocks import check_message

BASE = "https://jackline.example.com"
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FULL = Weekly(
    week="2026-W47", monday=date(2026, 11, 16), sunday=date(2026, 11, 22), timezone="Europe/Berlin",
    running=False, this=Counted(3, {"sev1": 1, "sev2": 2}, 1), before=Counted(5, {"sev2": 5}, 0),
    detected_by={"alerts of prometheus": 2, "a person": 1},
    minutes={
        "detect": Spread(3, 0, 4.0, None), "acknowledge": Spread(0, 3, None, None),
        "mitigate": Spread(0, 1, None, None), "resolve": Spread(6, 1, 62.5, 600.0),
    },
    longest=[Long(12, "The <!channel> shop", "sev1", 185.0, going=False),
             Long(14, "Mail", "sev2", 90.0, going=True)],
    postmortems=[Due(12, "The shop", "in review", AT, late=True), Due(14, "Mail", "not drafted", AT),
                 Due(15, "Blog", "in review")],
    open_actions=12, late_actions=2, actions_by_age={"under a week": 2, "longer": 10},
    oldest_actions=[Open(3, "Rotate `keys`", 200, late=True, ticket="OPS-7", url="https://jira.test/OPS-7"),
                    Open(4, "Write it\ndown", 1, late=False, ticket="x", url="javascript:alert(1)")],
    recurring=[Recurring("retry-storm", "The retry storm", [(n, f"T{n}") for n in range(20, 13, -1)])],
)  # fmt: skip
DAYS = "2026-11-16 to 2026-11-22, Europe/Berlin; without private incidents"
HOSTILE = st.text(st.sampled_from('a<>&|*`"\\@!#\n\x00\x1b\u202e語🔥 '), max_size=300)


def full_of(text: str, url: str, many: int, *, late: bool) -> Weekly:
    """A week with the same words everywhere."""
    number = 10**9
    return replace(
        FULL, running=late, detected_by={f"{text}{n}": n + 1 for n in range(many)},
        longest=[Long(number, text, "sev1", 1e7, going=late)] * 3,
        postmortems=[Due(number, text, "in review", AT, late=late)] * many, open_actions=many,
        oldest_actions=[Open(number, text, many, late, text, f"https://x.test/{url}")] * min(many, 10),
        recurring=[Recurring(text, text, [(number, text)] * max(many, 2))] * many,
    )  # fmt: skip


def test_in_words() -> None:
    """All of it, with links where they can lead; alert text stays text."""
    blocks = weekly_blocks(FULL, BASE, ["2026-W45", "2026-W46"])
    assert blocks[0]["text"]["text"] == "Incidents of week 47, 2026"
    assert words(blocks).split("\n") == [
        "*3 incidents*, the week before 5 · SEV1 1 (before 0) · SEV2 2 (before 5)",
        "Drills, which count nowhere else: 1 (before 0)",
        "*Noticed by* alerts of prometheus 2 · a person 1",
        "*Time to*",
        "      detect: median *4 min*, of 3",
        "      acknowledge: unknown of all 3",
        "      mitigate: unknown",
        "      resolve: median *1 h 02 min*, 90th percentile 10 h 00 min, of 6, unknown of 1",
        "*The longest*",
        f"      <{BASE}/incidents/12|#12> SEV1 The &lt;!channel&gt; shop: 3 h 05 min",
        f"      <{BASE}/incidents/14|#14> SEV2 Mail: goes on for 1 h 30 min",
        "*Postmortems*: 1 overdue, 1 due, 1 in review",
        f"      <{BASE}/incidents/12/postmortem|#12> The shop: in review, *overdue since 2026-11-20*",
        f"      <{BASE}/incidents/14|#14> Mail: not drafted, due by 2026-11-20",
        f"      <{BASE}/incidents/15/postmortem|#15> Blog: in review",
        "*Open follow-ups*: 12, 2 overdue (under a week 2, longer 10), the oldest first",
        f"      <{BASE}/incidents/3|#3> Rotate 'keys': 200 days old, *overdue* · <https://jira.test/OPS-7|OPS-7>",
        f"      <{BASE}/incidents/4|#4> Write it down: 1 day old · x",
        "      … and 10 more",
        "*What several incidents of 90 days resemble*",
        "      *The retry storm*, 7 times: "
        + "".join(f"<{BASE}/incidents/{n}|#{n}> T{n}, " for n in range(20, 15, -1)) + "2 more",
        f"{DAYS} · <{BASE}/digest?week=2026-W47|Open it in the console> · nothing was posted for 2026-W45, 2026-W46",
    ]  # fmt: skip
    assert all(b["text"]["verbatim"] for b in blocks if b["type"] == "section")
    assert weekly_text(FULL) == (
        "Incidents of week 47, 2026: 3 incidents, 12 follow-ups, 2 of them overdue, "
        "postmortems: 1 overdue, 1 due, 1 in review"
    )
    lines = "\n".join(weekly_lines(FULL))
    assert "#12 SEV1 The <!channel> shop: 3 h 05 min" in lines
    assert "200 days old, overdue · OPS-7 (https://jira.test/OPS-7)" in lines


def test_a_week_in_which_nothing_happened() -> None:
    """Two lines: what is still open is not hidden by it."""
    nothing = replace(FULL, this=Counted(0, {}, 0))
    assert words(weekly_blocks(nothing, None)).split("\n") == [
        "Nothing happened: no incident was declared. The week before: 5 incidents.",
        "Open: 12 follow-ups, 2 of them overdue, postmortems: 1 overdue, 1 due, 1 in review.",
        DAYS,
    ]
    calm = replace(
        nothing, running=True, before=Counted(0, {}, 0), open_actions=0, late_actions=0, postmortems=[]
    )  # fmt: skip
    assert weekly_lines(calm)[2:] == [
        "Nothing happened: no incident was declared yet.", "Open: no follow-ups.",
    ]  # fmt: skip
    assert weekly_text(calm) == "Incidents of week 47, 2026, so far: no incidents, no follow-ups"


@given(HOSTILE, HOSTILE, st.integers(0, 60), st.booleans(), st.sampled_from([None, "", BASE]))
@example("&" * 300, "&" * 300, 60, True, BASE)
@example('"' * 300, "a" * 300, 60, True, BASE)
@example("語" * 300, "語" * 250, 60, False, BASE)
def test_it_fits_whatever_is_in_it(
    text: str, url: str, many: int, late: bool, base: str | None
) -> None:
    """Nothing has to be shortened to be sent, and nothing in it is a mention or somebody's link."""
    found = full_of(text, url, many, late=late)
    blocks = weekly_blocks(found, base, ["2026-W46"] * many)
    check_message(blocks, [])
    assert fit_message(blocks)[1] == []
    for each in words(blocks).split("<")[1:]:
        address = each.partition("|")[0]
        assert address.startswith((f"{base}/incidents/", f"{base}/digest?", "https://x.test/"))
        assert not set(address) & set("<> \n")
    assert all(c.isprintable() or c == "\n" for c in "".join(weekly_lines(found)))


async def test_for_who_asks(room: ChatRoom) -> None:
    """Anybody who is known; the week that ended last, or the one that is named."""
    await room.type_("/incident declare Checkout <!channel> down")
    await room.type_("/incident declare A secret thing")
    await room.type_("/incident private", at=2)
    reply = await room.type_("/incident digest", "ben")
    assert "Nothing happened" in words(reply.blocks)
    (week,) = {reply.blocks[0]["text"]["text"]}
    assert week.startswith("Incidents of week ")
    this = (await room.incident()).declared_at.isocalendar()
    said = words((await room.type_(f"/incident weekly {this.year}-w{this.week}")).blocks)
    assert "*1 incident*, the week before 0" in said
    assert "&lt;!channel&gt;" in said
    assert "secret" not in said
    with pytest.raises(BadInput, match="Write it as 2026-W47"):
        await room.type_("/incident digest soon")
    with pytest.raises(BadInput, match="Name one week"):
        await room.type_("/incident digest 2026-W01 2026-W02")
    with pytest.raises(NotAllowed):
        await room.type_("/incident digest", "mallory")


async def test_in_the_console(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each week has its page, with the way to the others, and what became of the post."""
    at = now()
    due = {"id": "here", "channel": "C0HERE", "day": f"{at:%a}".lower(), "at": f"{at:%H:%M}"}
    people = [each.model_dump() for each in world.people]
    world.whole = Catalog.model_validate({"people": people, "digests": [due]})
    await past(world.store, 7, 30, title="Zebras <b>are</b> loose `x`")
    browser = await world.signed_in()
    page = (await browser.get("/digest")).text
    assert "Zebras &lt;b&gt;are&lt;/b&gt; loose &#39;x&#39;" in page
    assert 'href="/incidents/1"' in page
    assert "C0HERE" not in page, "it was not due yet"
    await WeeklyDigests(world.store, Outbox(()), world.catalog).look()
    assert "It was due for C0HERE; Slack is not connected." in (await browser.get("/digest")).text
    monkeypatch.setattr(posting, "now", lambda: at + timedelta(days=9))
    await WeeklyDigests(world.store, Outbox(("slack",)), world.catalog).look()
    week = at.isocalendar()
    page = (await browser.get(f"/digest?week={week.year}-W{week.week}")).text
    assert "Not posted to C0HERE: nothing ran here within a day of its hour." in page
    assert ", so far" in page
    assert " →" not in page, "no week has begun after it"
    refused = await browser.get("/digest?week=2999-W01")
    assert (refused.status_code, "has not begun" in refused.text) == (422, True)
    assert (await browser.get("/digest?week=%3Cscript%3E")).status_code == 422


async def test_patterns_by_month_in_the_console(world: World) -> None:
    await past(world.store, 1, 30)
    head = "---\npatterns:\n- {id: lockout-circular-dependency}\n- {id: ours}\n---\n# P"
    await world.paper(markdown=head)
    browser = await world.signed_in()
    page = (await browser.get("/figures?days=3660")).text
    assert "Locked out of what must be mended" in page
    assert '<th scope="row">ours</th>' in page
    assert page.count('<span class="unseen">') == 12
    assert page.count('class="some">1</td>') == 2
    assert "Patterns by month" not in (await browser.get("/figures?days=1")).text
