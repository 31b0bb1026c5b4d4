"""Pages beside the incidents: ways in, settings, runbooks, a postmortem to read."""

import pytest

from bot.access import PathProof
from bot.catalog import Person
from bot.runbooks import Run, StepAttempt
from bot.settings import Settings, load, shown
from bot.store import now
from tests.chat.console_world import HTMX, World

RUNBOOK = """---
schema: runbook/v1
id: warm
title: Warm the cache
approvals: {count: 0}
inputs:
  percent: {type: integer, default: 50, min: 1, max: 100, description: how much of it}
---
Look **first**. <script>alert(1)</script> [no](javascript:alert(1)) ![p](https://evil.test/p.png)

## 1. Wait
It takes a moment.

```yaml step
id: rest
wait: 5s
when: "inputs.percent > 1"
```
"""


async def test_the_matrix_says_in_words_what_is_proven(world: World) -> None:
    """A row for each target, a column for each path; sign and word, so that no colour is needed."""
    world.proofs = [
        PathProof("http/a", "direct", "proven", "read", 120.0, 3.2, ""),
        PathProof("http/a", "pinned", "failing", "", 90_000.0, None, "refused <b>"),
        PathProof("http/b", "pinned", "never", "", None, None, "not probed yet"),
        PathProof("http/c", "direct", "stale", "read", 900_000.0, 5.0, ""),
    ]
    browser = await world.signed_in()
    page = " ".join((await browser.get("/access")).text.split())
    assert '<th scope="col">direct</th><th scope="col">pinned</th>' in page
    for words in ("</span> proven</b>", "2 min ago, in 3 ms", "</span> failing</b>",
                  "refused &lt;b&gt;; last proven 25 hours ago", "</span> never proven</b>",
                  "</span> too old</b>", "no way"):  # fmt: skip
        assert words in page, words


async def test_what_is_down_is_ticked(world: World) -> None:
    """Boxes for what can fail from outside; several ticked are one question, and stay ticked."""
    browser = await world.signed_in()
    page = (await browser.get("/access?down=slack&down=service:web")).text
    assert 'value="slack" checked' in page
    assert 'value="service:web" checked' in page
    assert 'value="internet">' in page
    assert 'value="jackline:store"' not in page
    assert "down=slack%2Cservice%3Aweb" in page


SECRETS = {
    "JACKLINE_SLACK__BOT_TOKEN": "xoxb-secret", "JACKLINE_SLACK__APP_TOKEN": "xapp-secret",
    "JACKLINE_WEBHOOKS__GRAFANA__SECRETS": '["one-secret", "two-secret"]',
    "JACKLINE_CONSOLE__SESSION_KEY": "key-secret", "JACKLINE_AUDIT_KEY": "audit-secret",
    "JACKLINE_DATABASE_URL": "postgresql://jack:pw-secret@db:5432/jackline?password=q-secret",
    "JACKLINE_ACCESS__DEADMAN_URL": "https://hc-ping.com/uuid-secret",
    "JACKLINE_LOG_LEVEL": "debug",
}  # fmt: skip


async def test_settings_show_where_from_and_never_a_secret(world: World) -> None:
    """For admins alone; of a secret whether it is set, of the database where it is."""
    world.people.append(Person(id="dora", name="Dora", roles=["admin"]))
    world.environ = SECRETS
    page = (await (await world.signed_in("dora")).get("/settings")).text
    text = " ".join(page.split())
    assert "-secret" not in page
    assert (
        "<code>JACKLINE_SLACK__BOT_TOKEN</code></dt> <dd><em>set</em>, a secret, from the environment"
        in text
    )
    assert "<code>JACKLINE_WEBHOOKS__GRAFANA__SECRETS</code></dt> <dd><em>2 set</em>" in text
    assert "<strong>postgresql on db:5432, jackline</strong>, from the environment" in text
    assert "<strong>debug</strong>, from the environment" in text
    assert "<strong>127.0.0.1:8080</strong>, from the default" in text
    rosa = await world.signed_in("rosa")
    assert (await rosa.get("/settings")).status_code == 403
    assert 'href="/settings"' not in (await rosa.get("/")).text


def test_every_setting_is_shown_and_every_secret_hidden() -> None:
    """Also those that are added later: a `SecretStr` cannot be shown by mistake."""
    rows = shown(load({}), {})
    assert {row.source for row in rows} == {"the default"}
    assert len(rows) >= len(Settings.model_fields)
    hidden = {row.name.removeprefix("JACKLINE_") for row in rows if row.secret}
    assert {"AUDIT_KEY", "SLACK__BOT_TOKEN", "SLACK__SIGNING_SECRET"} <= hidden


@pytest.fixture
def warm(world: World) -> None:
    (world.folder / "runbooks" / "warm.md").write_text(RUNBOOK)
    world.runs.library.reload()
    assert not world.runs.library.problems


async def test_runbooks_are_found_and_read(world: World, warm: None) -> None:
    """By any of their words; prose is drawn inert, inputs and steps say what they are."""
    browser = await world.signed_in()
    assert "Warm the cache" in (await browser.get("/runbooks?q=CACHE%20moment")).text
    assert "None holds these words" in (await browser.get("/runbooks?q=database")).text
    page = (await browser.get("/runbooks/warm")).text
    assert "<strong>first</strong>" in page
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert '<img src="https' not in page
    assert "how much of it, integer, 1…100, 50 if left out" in page
    assert "Waits 5 s" in page
    assert "Plan it in" not in page  # nothing is open
    await world.incident()
    assert "/incidents/1/do/run?runbook=warm" in (await browser.get("/runbooks/warm")).text
    assert (await browser.get("/runbooks/cold")).status_code == 404


async def test_a_runbook_is_planned_by_its_form(world: World, warm: None) -> None:
    """The fields become the command; what the runbook does not take is refused beside them."""
    browser, incident = await world.signed_in(), await world.incident()
    form = {"runbook": "warm", "input.percent": "500", "key": "k" * 12, "how": "plan"}
    answer = await browser.post("/incidents/1/do/run", data=form, headers=HTMX)
    assert (answer.status_code, "500 is above 100" in answer.text) == (422, True)
    form["input.percent"] = "7"
    for _ in range(2):
        answer = await browser.post("/incidents/1/do/run", data=form, headers=HTMX)
        assert answer.status_code == 200, answer.text
    async with world.store.read() as session:
        runs = await world.runs.of(session, incident.number)
    assert [(run.inputs, run.requester) for run in runs] == [({"percent": 7}, "")]


async def test_a_postmortem_is_read_in_a_sandbox(world: World) -> None:
    """Shown and not downloaded; nothing of it can run, and a link leads to it."""
    browser, incident = await world.signed_in(), await world.incident()
    await world.paper("<h1>What happened</h1>")
    assert (await browser.get("/incidents/1/postmortem")).status_code == 404
    async with world.store.write() as session:
        found = await world.incidents.get(session, incident.number)
        await world.incidents.set_status(session, found, "resolved", "person:rosa")
    assert 'href="/incidents/1/postmortem"' in (await browser.get("/incidents/1")).text
    page = await browser.get("/incidents/1/postmortem")
    assert page.text == "<h1>What happened</h1>"
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "content-disposition" not in page.headers


async def test_every_page_says_when_slack_is_down(world: World) -> None:
    """Wherever a signed-in person is; a stranger at the sign-in page is told nothing."""
    browser, _ = await world.signed_in(), await world.incident()
    world.notice = "Slack refuses the bot's token <since> 03:12"
    for path in ("/", "/incidents/1", "/incidents/9", "/incidents/1/do/run", "/declare", "/runbooks",
                 "/access", "/me/signin"):  # fmt: skip
        page = (await browser.get(path)).text
        assert page.count("Slack refuses the bot&#39;s token &lt;since&gt; 03:12") == 1, path
    assert "Slack refuses" not in (await world.browser().get("/signin")).text


async def test_an_unknown_outcome_comes_with_the_facts(world: World) -> None:
    """What was sent where and when, what was before, and what follows from either answer."""
    browser, incident = await world.signed_in(), await world.incident()
    run = await world.waiting_run(incident)
    async with world.store.write() as session:
        found = await session.get_one(Run, run.number)
        found.state, found.started_at = "unknown", now()
        session.add(StepAttempt(
            run_id=run.number, step="drain", attempt=1, state="unknown", epoch=1,
            action="haproxy.drain_server", target="haproxy/edge", access_path="bastion",
            error="no answer within 60 s", before={"edge-3": "ready"},
        ))  # fmt: skip
        await world.runs.show(session, found)
    page = (await browser.get("/incidents/1")).text
    for words in ("Did drain happen?", "was sent to haproxy/edge over", "no answer within 60 s",
                  "Just before: edge-3: ready", "It happened", "It did not happen"):  # fmt: skip
        assert words in page, words


async def test_who_can_approve_is_named(world: World) -> None:
    """At night nobody looks up who has a role; who asked is not among them."""
    browser, incident = await world.signed_in(), await world.incident()
    world.people.append(Person(id="dora", name="Dora", roles=["admin"]))
    await world.waiting_run(incident)  # asked for by Rosa
    page = (await browser.get("/incidents/1")).text
    assert "needs 1 approval of another approver: Amir Ito, Dora" in page
