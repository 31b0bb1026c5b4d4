"""Decisions with their reasons, links and bookmarks, and which services are affected."""

import pytest

from bot.catalog import Person, Service
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents.facts import Decision, check_url, read_decision
from tests.chat.room import ChatRoom, words


@pytest.fixture
async def declared(room: ChatRoom) -> ChatRoom:
    services = [
        Service(id="shop", title="The shop", tier="p0", owner="shop",
                links={"Call": "https://meet.example.com/shop"}),
        Service(id="search", title="Search", tier="p1"),
    ]  # fmt: skip
    catalog = room.library.catalog
    people = [*catalog.people, Person(id="sue", name="Sue", groups=["shop"])]
    room.library.catalog = catalog.model_copy(update={"services": services, "people": people})
    await room.type_("/incident declare Down")
    return room


@pytest.mark.parametrize(
    ("typed", "decision"),
    [
        ("Fail over because it is safe", Decision("Fail over", "it is safe")),
        ("Fail over BECAUSE it is safe instead of waiting, rolling back",
         Decision("Fail over", "it is safe", ("waiting", "rolling back"))),
        ("Fail over instead of waiting, because it is safe",
         Decision("Fail over", "it is safe", ("waiting",))),
        ("Fail over\nbecause  it is safe because we tried", Decision("Fail over", "it is safe because we tried")),
    ],
)  # fmt: skip
def test_a_decision_as_people_type_it(typed: str, decision: Decision) -> None:
    assert read_decision(typed) == decision


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Say what was decided."), ("because it is safe", "Say what was decided."),
        ("Fail over", "Say why"), ("Fail over because", "Say why"),
        ("Fail over because instead of waiting", "Say why"),
    ],
)  # fmt: skip
def test_half_a_decision_is_none(typed: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_decision(typed)


async def test_a_decision_is_recorded_once(declared: ChatRoom) -> None:
    """With its options, in the channel and on the timeline; what people wrote stays data."""
    for _ in range(2):
        await declared.type_(
            "/incident decide Fail <over> because <!here> instead of A, B", key="k"
        )
    (row,) = [r for r in await declared.rows() if r.kind == "decision_made"]
    assert row.data == {"what": "Fail <over>", "why": "<!here>", "instead": ["A", "B"]}
    said = words((await declared.message("decision-k")).blocks)
    assert "*Decided:* Fail &lt;over&gt;\n*Because* &lt;!here&gt;\n_Instead of_ A, B" in said
    await declared.type_("/incident handover", key="h")
    assert "Decided: Fail" in words((await declared.message("handover-h")).blocks)


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://a.example.com/x?y=1&z=2", "https://a.example.com/x?y=1&z=2"),
        ("<https://a.example.com|a.example.com>", "https://a.example.com"),
    ],
)
def test_an_address(typed: str, url: str) -> None:
    assert check_url(typed) == url


@pytest.mark.parametrize(
    "typed",
    ["", "x", "ftp://a.example.com", "javascript:alert(1)", "https://", "https://[x", "https://u:p@a.example.com",
     "https://a.example.com/<!here>", f"https://a.example.com/{'x' * 1000}"],
)  # fmt: skip
def test_what_is_no_address(typed: str) -> None:
    """Nor one with a password in it: it would stand in the record for ever."""
    with pytest.raises(BadInput):
        check_url(typed)


async def test_a_link_is_a_bookmark(declared: ChatRoom) -> None:
    """The same address again is nothing."""
    room = declared
    for _ in range(2):
        await room.type_("/incident link https://call.example.com The call")
    await room.type_("/incident link https://doc.example.com")
    assert (await room.incident()).links == [
        {"url": "https://call.example.com", "title": "The call"},
        {"url": "https://doc.example.com", "title": "https://doc.example.com"},
    ]
    asked = [d.payload for d in await room.deliveries() if d.op == "bookmark"]
    assert [payload["title"] for payload in asked] == ["The call", "https://doc.example.com"]
    rows = [r for r in await room.rows() if r.kind == "link_added"]
    assert [r.link for r in rows] == ["https://call.example.com", "https://doc.example.com"]


async def test_services_come_and_go(declared: ChatRoom) -> None:
    """Their owners are asked to the channel, and their links stand in it."""
    room = declared
    for _ in range(2):
        reply = await room.type_("/incident service add shop 'search'")
        assert reply.text == "#1 affects The shop, Search."
    asked = await room.deliveries()
    assert [d.payload for d in asked if d.op == "invite"] == [
        {"people": ["ana"]},
        {"people": ["sue"]},
    ]
    assert [d.payload["url"] for d in asked if d.op == "bookmark"] == [
        "https://meet.example.com/shop"
    ]
    for _ in range(2):
        reply = await room.type_("/incident service remove 'The shop'")
        assert reply.text == "#1 affects Search."
    assert (await room.type_("/incident services")).text == "#1 affects Search."
    kinds = [r.kind for r in await room.rows()]
    assert (kinds.count("service_added"), kinds.count("service_removed")) == (1, 1)


async def test_a_services_links_are_there_from_the_start(declared: ChatRoom) -> None:
    async with declared.store.write() as session:
        made = await declared.incidents.declare(
            session, title="Two", severity="sev2", actor="jackline", origin="o", services=["shop"]
        )
    assert made.links == [{"url": "https://meet.example.com/shop", "title": "Call"}]
    asked = [d for d in await declared.deliveries() if d.op == "bookmark" and d.incident_id == 2]
    assert len(asked) == 1


WRONG = [
    ("/incident decide Fail over", "Say why: those who come later need it. Usage: /incident decide"),
    (f"/incident decide {'x' * 1001} because y", "A part has 1001 characters; 1000 is the limit."),
    ("/incident link", "Say which address. Usage: /incident link URL [TITLE]"),
    ("/incident link nope", "'nope' is no address."),
    (f"/incident link https://a.example.com {'x' * 101}", "The title has 101 characters; 100"),
    ("/incident service ad shop", "I did not understand 'ad'. Usage: /incident service"),
    ("/incident service add", "Say which service. Usage: /incident service"),
    ("/incident service add shpo", "There is no service 'shpo'; did you mean 'shop'?"),
    ("/incident decied X", "I do not know 'decied'; did you mean 'deci"),
    ("/incident lnk X", "I do not know 'lnk'; did you mean 'link'?"),
    ("/incident servcie", "I do not know 'servcie'; did you mean 'service"),
]  # fmt: skip


async def test_wrong_words(declared: ChatRoom) -> None:
    for typed, said in WRONG:
        with pytest.raises(BadInput) as refused:
            await declared.type_(typed)
        assert str(refused.value).startswith(said)
    assert len(await declared.rows()) == 1


TYPED = (
    "decide X because Y",
    "link https://a.example.com",
    "service add shop",
    "service remove shop",
)


async def test_who_may_not(declared: ChatRoom) -> None:
    for typed in TYPED:
        with pytest.raises(NotAllowed, match="I do not know you"):
            await declared.type_(f"/incident {typed}", "mallory", at=1)
        with pytest.raises(NotAllowed, match=r"You have no role|needs the role 'responder'"):
            await declared.type_(f"/incident {typed}", "eli", at=1)


async def test_a_private_one_is_not_there_for_others(declared: ChatRoom) -> None:
    await declared.type_("/incident private")
    for typed in TYPED:
        verb, _, rest = typed.partition(" ")
        with pytest.raises(NotFound, match="There is no incident 1"):
            await declared.type_(f"/incident {verb} #1 {rest}", "ben")


async def test_there_is_an_end_to_links(declared: ChatRoom) -> None:
    for number in range(20):
        await declared.type_(f"/incident link https://a.example.com/{number}")
    with pytest.raises(Conflict, match="has 20 links already"):
        await declared.type_("/incident link https://b.example.com")
