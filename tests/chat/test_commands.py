"""What people type, on any surface: done, answered in words, or refused with what would be right."""

import pytest

from bot.chat.verbs import FORMS
from bot.errors import BadInput, Conflict, JacklineError, NotAllowed, NotFound
from tests.chat.conftest import RUNBOOK
from tests.chat.room import ChatRoom, words


async def refused(
    room: ChatRoom, text: str, person: str = "ana", at: int | None = None,
    kind: type[JacklineError] = BadInput,
) -> str:  # fmt: skip
    with pytest.raises(kind) as caught:
        await room.type_(text, person, at=at)
    return str(caught.value)


async def test_a_bare_command_helps(room: ChatRoom) -> None:
    for text in ("/incident", "/incident  ", "/incident \n"):
        assert "/incident declare" in (await room.type_(text)).text
    assert "/runbook list" in (await room.type_("/runbook")).text


async def test_help_names_every_command(room: ChatRoom) -> None:
    """Also for somebody unknown: it is how they find out whom to ask."""
    for name, forms in FORMS.items():
        for word in ("help", "HELP", "?"):
            reply = await room.type_(f"/{name} {word}", "nobody")
            for form in forms:
                assert f"{form.usage}: {form.what}" in reply.text
                assert form.usage in words(reply.blocks)


@pytest.mark.parametrize(
    ("typed", "severity", "title"),
    [
        ("Checkout is down", "sev2", "Checkout is down"),
        ("sev1 Checkout is down", "sev1", "Checkout is down"),
        ("SEV-3 Checkout", "sev3", "Checkout"),
        ("  sev4\n Checkout \t is\ndown ", "sev4", "Checkout is down"),
        ("it's Bob's checkout", "sev2", "it's Bob's checkout"),
        ('customer\'s "checkout" \\o/ down', "sev2", 'customer\'s "checkout" \\o/ down'),
        ("sev1 #12 again", "sev1", "#12 again"),
        ("P1 database down", "sev1", "database down"),
        ("p3: slow", "sev3", "slow"),
        ("[SEV1] - database - down", "sev1", "database - down"),
        ("sev1 \u2014 slow", "sev1", "slow"),
        ("sev 4 slow", "sev4", "slow"),
        ("2 of 3 nodes are down", "sev2", "2 of 3 nodes are down"),
        ("P2P is down", "sev2", "P2P is down"),
        ("p1-eu is down", "sev2", "p1-eu is down"),
        ("P9 is down", "sev2", "P9 is down"),
        ("Ünïcode 🔥", "sev2", "Ünïcode 🔥"),
    ],
)
async def test_declare(room: ChatRoom, typed: str, severity: str, title: str) -> None:
    """Severity first or not at all; the title is kept as it was typed, quotes and all."""
    reply = await room.type_(f"/incident declare {typed}")
    assert reply.incident_id == 1
    assert reply.text.startswith(f"Incident 1 ({severity}) is declared.")
    incident = await room.incident()
    assert (incident.title, incident.severity, incident.declared_by) == (
        title, severity, "person:ana",
    )  # fmt: skip


async def test_a_command_may_be_followed_by_any_space(room: ChatRoom) -> None:
    for number, before in enumerate(("\t", "\n", "  "), start=1):
        await room.type_(f"/incident declare{before}Down")
        assert (await room.incident(number)).title == "Down"


async def test_the_same_command_twice_declares_once(room: ChatRoom) -> None:
    """A retry of Slack's has the same key."""
    for _ in range(2):
        reply = await room.type_("/incident declare Down", key="slack:command:1")
        assert reply.incident_id == 1
    assert len(await room.rows()) == 1


TITLES = [
    ("", "An incident needs a title. For example: /incident declare Checkout is down"),
    ("sev1", "An incident needs a title."),
    ("P1", "An incident needs a title."),
    ("sev1  \u200b", "An incident needs a title."),
    ("x" * 201, "The title has 201 characters; 200 is the limit."),
    ("x " * 3000, "The title has 5999 characters; 200 is the limit."),
]


async def test_a_title_that_cannot_be_one(room: ChatRoom) -> None:
    for typed, said in TITLES:
        assert (await refused(room, f"/incident declare {typed}")).startswith(said)


async def test_list(room: ChatRoom) -> None:
    assert (await room.type_("/incident list")).text == "No incident is open."
    assert (await room.type_("/incident list all")).text == "There was no incident yet."
    await room.type_("/incident declare sev1 First")
    await room.type_("/incident declare Second")
    await room.type_("/incident resolve", at=1)
    (block,) = (await room.type_("/incident list")).blocks
    assert "Second" in block["text"]["text"]
    assert "First" not in block["text"]["text"]
    (block,) = (await room.type_("/inc list all".replace("inc ", "incident "))).blocks
    assert "*#1* sev1 · resolved · First" in block["text"]["text"]


async def test_status_is_told_and_moved(room: ChatRoom) -> None:
    await room.type_("/incident declare Down")
    told = (await room.type_("/incident status")).text
    assert told == "#1 sev2, declared: Down. Commander: nobody."
    moved = (await room.type_("/incident status Investigating")).text
    assert moved == "#1 is investigating now."
    assert (await room.rows())[-1].kind == "status_changed"


async def test_severity_lead_note_resolve(room: ChatRoom) -> None:
    """Each leaves its row, with the person who did it."""
    await room.type_("/incident declare Down")
    assert (await room.type_("/incident severity 1")).text == "#1 is sev1 now."
    assert (await room.type_("/incident lead", "ben")).text == "You are commander of #1."
    assert (await room.type_("/incident note DNS  is 'fine'")).text == "Noted on the timeline."
    assert "is resolved" in (await room.type_("/incident resolve")).text
    rows = [(r.kind, r.actor, r.text) for r in await room.rows()]
    assert ("severity_changed", "person:ana", "Severity: sev2 → sev1") in rows
    assert ("commander_assigned", "person:ben", "Ben is incident commander") in rows
    assert ("note_added", "person:ana", "DNS  is 'fine'") in rows
    assert (await room.incident()).status == "resolved"


@pytest.mark.parametrize("name", FORMS)
def test_a_word_means_one_thing(room: ChatRoom, name: str) -> None:
    """Every form has its handler, and no synonym is also somebody else's."""
    verbs = {form.verb for form in FORMS[name]}
    said = [*verbs, *(word for form in FORMS[name] for word in form.synonyms)]
    assert len(said) == len(set(said))
    assert verbs - {"help"} == set(room.commands.handlers[name])


async def test_synonyms_are_understood(room: ChatRoom) -> None:
    for word in ("new", "open", "create"):
        await room.type_(f"/incident {word} Down")
    assert (await room.type_("/incident ls")).text == "3 incidents"
    await room.type_("/incident sev sev4", at=1)
    await room.type_("/incident commander", at=1)
    await room.type_("/incident DONE", at=1)
    incident = await room.incident(1)
    assert (incident.severity, incident.commander, incident.status) == ("sev4", "ana", "resolved")


MISSES = [
    ("/incident delcare Down", "I do not know 'delcare'; did you mean 'declare'?"),
    ("/incident resolv", "I do not know 'resolv'; did you mean 'resolve'?"),
    ("/incident hlp", "I do not know 'hlp'; did you mean 'help'?"),
    ("/runbook lst", "I do not know 'lst'; did you mean "),
    ("/runbook opne", "I do not know 'opne'. /runbook help lists all."),
    ("/runbook xyzzy", "I do not know 'xyzzy'. /runbook help lists all."),
    (f"/incident {'x' * 9000}", f"I do not know '{'x' * 39}…'. /incident help lists all."),
]


async def test_a_near_miss_is_guessed(room: ChatRoom) -> None:
    """Only what the command knows; nothing is done."""
    for typed, said in MISSES:
        assert (await refused(room, typed)).startswith(said)


WRONG = [
    ("/incident list nope", "I did not understand 'nope'. Usage: /incident list [all]"),
    ("/incident list all now", "I did not understand 'now'. Usage: /incident list [all]"),
    (
        "/incident list min",
        "I did not understand 'min'; did you mean 'mine'? Usage: /incident list",
    ),
    ("/incident status nope", "There is no status 'nope'. Use one of: declared"),
    ("/incident status resolved now", "Say one status. Usage: /incident status [STATUS]"),
    ("/incident severity", "Say one severity. Usage: /incident severity sev1"),
    ("/incident severity sev9", "There is no severity 'sev9'."),
    ("/incident severity sev1 sev2", "Say one severity."),
    ("/incident lead ben", "I did not understand 'ben'. Usage: /incident lead"),
    ("/incident note", "There is nothing to note."),
    ("/incident note   ", "There is nothing to note."),
    (f"/incident note {'x' * 3001}", "The note has 3001 characters; 3000 is the limit."),
    ("/incident resolve now", "I did not understand 'now'."),
    ("/runbook list all", "I did not understand 'all'. Usage: /runbook list"),
    ("/runbook plan", "Say which runbook. Usage: /runbook plan ID"),
    ("/runbook run", "Say which runbook. Usage: /runbook run ID"),
    ("/runbook run fix percent", "'percent' is not name=value."),
    ("/runbook run fix percent=all", "percent: 'all' is not a whole number."),
    ("/runbook run fix prcent=1", "There is no input 'prcent'. Inputs: percent."),
]


async def test_wrong_arguments(room: ChatRoom) -> None:
    """The usage is in the answer, and nothing was changed by half."""
    await room.type_("/incident declare Down")
    for typed, said in WRONG:
        assert (await refused(room, typed)).startswith(said)
    assert len(await room.rows()) == 1
    assert await room.stored_runs() == []


async def test_somebody_unknown_may_do_nothing(room: ChatRoom) -> None:
    """Not even read: a title may be nobody else's business."""
    await room.type_("/incident declare Down")
    for typed in (
        "declare Down", "list", "status", "severity sev1", "lead", "note hello", "resolve",
    ):  # fmt: skip
        said = await refused(room, f"/incident {typed}", "mallory", kind=NotAllowed)
        assert said.startswith("I do not know you")
    assert len(await room.rows()) == 1


async def test_what_the_rules_forbid_is_a_conflict(room: ChatRoom) -> None:
    await room.type_("/incident declare Down")
    await room.type_("/incident resolve")
    said = await refused(room, "/incident resolve", at=1, kind=Conflict)
    assert said.startswith("The incident is already resolved.")


class TestWhichIncident:
    """The one named, else the channel's, else the only open one; never a guess."""

    async def test_none_is_open(self, room: ChatRoom) -> None:
        assert (await refused(room, "/incident status")).startswith("Which incident?")

    async def test_the_only_open_one(self, room: ChatRoom) -> None:
        await room.type_("/incident declare First")
        await room.type_("/incident declare Second")
        await room.type_("/incident resolve #1")
        assert (await room.type_("/incident lead")).incident_id == 2

    async def test_two_are_open(self, room: ChatRoom) -> None:
        """The answer says how to name one, and naming it so works for each command."""
        for title in ("First", "Second", "Third"):
            await room.type_(f"/incident declare {title}")
        for typed in ("status", "lead", "note hello", "severity sev1", "resolve"):
            said = await refused(room, f"/incident {typed}")
            assert said.endswith("put its number first: #12.")
            verb, _, rest = typed.partition(" ")
            assert (await room.type_(f"/incident {verb} #1 {rest}")).incident_id == 1

    async def test_the_channels(self, room: ChatRoom) -> None:
        await room.type_("/incident declare First")
        await room.type_("/incident declare Second")
        assert (await room.type_("/incident status", at=2)).incident_id == 2
        assert (await room.type_("/incident status #1", at=2)).incident_id == 1

    async def test_a_number_in_a_note_of_a_channel_is_part_of_it(self, room: ChatRoom) -> None:
        for title in ("First", "Second"):
            await room.type_(f"/incident declare {title}")
        await room.type_("/incident note #1 is back", at=2)
        assert (await room.rows(2))[-1].text == "#1 is back"

    @pytest.mark.parametrize("space", [" ", "\n", "\t", " \n "])
    async def test_a_number_before_any_space(self, room: ChatRoom, space: str) -> None:
        """Written on a line of its own, it is not put to the other one that happens to be open."""
        for title in ("First", "Second"):
            await room.type_(f"/incident declare {title}")
        await room.type_("/incident resolve #1")
        await room.type_(f"/incident note #1{space}is back\n  for good")
        assert (await room.rows(1))[-1].text == "is back\n  for good"
        await room.type_("/incident note two\n lines")
        assert (await room.rows(2))[-1].text == "two\n lines"

    async def test_one_that_is_not_there(self, room: ChatRoom) -> None:
        for number in ("77", "0"):
            said = await refused(room, f"/incident status #{number}", kind=NotFound)
            assert said.startswith(f"There is no incident {number}.")

    async def test_what_is_no_number(self, room: ChatRoom) -> None:
        """No database can hold it: it is a wrong word, not a failure."""
        await room.type_("/incident declare Down")
        for number in (f"#{'9' * 30}", "#²", "#-1", "#", "#1x"):
            assert "There is no status" in await refused(room, f"/incident status {number}")


class TestRunbooks:
    """Asked for, planned, listed; another person approves."""

    async def test_list(self, room: ChatRoom) -> None:
        reply = await room.type_("/runbook list")
        assert reply.text == "1 runbooks"
        assert reply.blocks[0]["text"]["text"] == "*fix* Fix the shop"

    async def test_list_of_many_and_broken(self, room: ChatRoom) -> None:
        """All the blocks' limits hold, titles are data, and what is not loaded is named."""
        for number in range(120):
            text = RUNBOOK.format(id=f"r{number}", title="'Move <!channel> & more'")
            (room.library.folder / f"r{number:03}.md").write_text(text)
        room.library.reload()
        reply = await room.type_("/runbook list")
        text = reply.blocks[0]["text"]["text"]
        assert "*r0* Move &lt;!channel&gt; &amp; more" in text
        assert text.splitlines()[-1].endswith(" more")
        assert reply.text == "121 runbooks"
        for path in room.library.folder.glob("r*.md"):
            path.unlink()
        (room.library.folder / "a.md").write_text("<!here>")
        room.library.reload()
        text = (await room.type_("/runbook list")).blocks[0]["text"]["text"]
        assert "⚠️ not loaded: " in text
        assert "<!here>" not in text

    async def test_an_empty_folder(self, room: ChatRoom) -> None:
        (room.library.folder / "fix.md").unlink()
        room.library.reload()
        reply = await room.type_("/runbook list")
        assert reply.blocks[0]["text"]["text"] == "There are no runbooks yet."

    @pytest.mark.parametrize(
        ("verb", "requester"), [("run", "ana"), ("execute", "ana"), ("plan", "")]
    )
    async def test_run_and_plan(self, room: ChatRoom, verb: str, requester: str) -> None:
        """A plan is nobody's request: it waits until a person asks for it."""
        await room.type_("/incident declare Down")
        for _ in range(2):
            reply = await room.type_(f"/runbook {verb} fix percent=50", key="once")
        assert "the plan appears in the channel of #1" in reply.text
        (run,) = await room.stored_runs()
        assert (run.requester, run.inputs, run.state) == (requester, {"percent": 50}, "planning")

    async def test_one_that_is_not_there(self, room: ChatRoom) -> None:
        await room.type_("/incident declare Down")
        said = await refused(room, "/runbook run fxi", kind=NotFound)
        assert said == "There is no runbook 'fxi'; did you mean 'fix'? Known: fix."
