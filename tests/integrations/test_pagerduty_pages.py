"""Pages by PagerDuty at a stand-in; requests and answers are checked against its own descriptions."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.contract import Connection, Duty, Pager, Receipt, Standing
from bot.errors import NotSent, Rejected, Retryable, TargetError, Unknown
from integrations.pagerduty.pager import PagerDutyPager
from tests.catalog.test_oncall import at
from tests.integrations.direct import direct
from tests.integrations.notices import HOSTILE, NOTICE
from tests.integrations.spec import Spec
from tests.integrations.vendors import ANSWERS
from tests.servers.http_app import Answer, HttpApp
from tests.servers.process import HOST, free_port

KEY, TOKEN = "routing-secret", "token-secret"
THREAD = NOTICE.thread
SUCCESS = {"status": "success", "message": "Event processed", "dedup_key": THREAD}


@pytest.fixture(scope="module")
def events() -> Spec:
    return Spec("pagerduty-events-v2.openapi3.json.gz", "/v2")


@pytest.fixture(scope="module")
def rest() -> Spec:
    return Spec("pagerduty-rest.openapi3.json.gz", "/rest")


@pytest.fixture
async def there(vendor: HttpApp) -> AsyncIterator[Connection]:
    async with at_target(vendor.url) as connection:
        yield connection


def at_target(url: str, **more: str) -> Any:
    settings = {"routing_key": KEY, "api_token": TOKEN, "api_url": f"{url}/rest"} | more
    return direct("pagerduty/one", url, timeout=2, settings=settings)


def answers(vendor: HttpApp, spec: Spec, method: str, path: str, body: Any, status: int = 200) -> None:  # fmt: skip
    text = spec.gives(method, path, status, body)
    vendor.answers[path] = Answer(status, text, headers={"Content-Type": "application/json"})


def test_it_is_a_pager() -> None:
    assert isinstance(PagerDutyPager(), Pager)


async def test_a_page_from_its_opening_to_its_end(
    vendor: HttpApp, events: Spec, there: Connection
) -> None:
    """Sent twice it has one key; acknowledged and resolved by the same key."""
    answers(vendor, events, "POST", "/v2/enqueue", SUCCESS, 202)
    pager = PagerDutyPager()
    for _ in range(2):
        receipt = await pager.notify(NOTICE, "payments", there)
    assert receipt == Receipt(confirmed=True, reference=THREAD, detail="PagerDuty: Event processed")
    assert await pager.find(NOTICE, "payments", there) is None
    assert await pager.confirm(receipt, there) is True
    await pager.acknowledge(THREAD, "payments", there)
    await pager.resolve(THREAD, "payments", there)
    sent = [events.conforms(request) for request in vendor.received]
    assert [e["event_action"] for e in sent] == ["trigger", "trigger", "acknowledge", "resolve"]
    assert {e["dedup_key"] for e in sent} == {THREAD}
    assert {e["routing_key"] for e in sent} == {KEY}
    assert sent[0]["payload"]["summary"] == NOTICE.subject


async def test_hostile_and_long_words_are_data(
    vendor: HttpApp, events: Spec, there: Connection
) -> None:
    answers(vendor, events, "POST", "/v2/enqueue", SUCCESS, 202)
    await PagerDutyPager().notify(HOSTILE, "x", there)
    (request,) = vendor.received
    assert events.conforms(request)["payload"]["custom_details"] == {"text": HOSTILE.text}


def incident(status: str, **more: Any) -> dict[str, Any]:
    base = {"id": "PT4KHLK", "type": "incident", "status": status, "incident_key": THREAD,
            "title": "x", "acknowledgements": []}  # fmt: skip
    return base | more


BART = {"id": "PXPGF42", "type": "user_reference", "summary": "Earline Greenholt"}


@pytest.mark.parametrize(
    ("found", "means"),
    [
        ([], None),
        ([incident("triggered")], Standing(state="open")),
        ([incident("acknowledged", acknowledgements=[{"at": "2026-03-01T03:20:00Z", "acknowledger": BART}])],
         Standing(state="acknowledged", by="Earline Greenholt")),
        ([incident("resolved", last_status_change_by=BART)],
         Standing(state="ended", by="Earline Greenholt")),
    ],
)  # fmt: skip
async def test_acknowledged_over_there(
    vendor: HttpApp, rest: Spec, there: Connection, found: list[Any], means: Standing | None
) -> None:
    answers(vendor, rest, "GET", "/rest/incidents", {"incidents": found, "more": False})
    assert await PagerDutyPager().standing(THREAD, "payments", there) == means
    (request,) = vendor.received
    assert rest.conforms(request)["incident_key"] == THREAD
    assert request.headers["authorization"] == f"Token token={TOKEN}"


async def test_who_is_on_call(vendor: HttpApp, rest: Spec, there: Connection) -> None:
    """The first level of each policy."""
    policy = {"id": "PT20YPA", "type": "escalation_policy_reference", "summary": "Payments"}
    duty = {"user": BART, "escalation_policy": policy, "escalation_level": 1,
            "start": "2026-03-01T00:00:00Z", "end": "2026-03-08T00:00:00Z"}  # fmt: skip
    found = [duty, duty | {"escalation_level": 2}]
    answers(vendor, rest, "GET", "/rest/oncalls", {"oncalls": found, "more": False})
    assert await PagerDutyPager().on_call(there) == [
        Duty(schedule="Payments", person="Earline Greenholt", until=at("2026-03-08T00:00"))
    ]
    rest.conforms(vendor.received[0])
    async with at_target(vendor.url, policy="PT20YPA") as narrow:
        await PagerDutyPager().on_call(narrow)
    assert rest.conforms(vendor.received[1])["escalation_policy_ids[]"] == "PT20YPA"


async def test_without_a_token_nothing_is_read(vendor: HttpApp) -> None:
    async with at_target(vendor.url, api_token="") as blind:
        assert await PagerDutyPager().standing(THREAD, "x", blind) is None
        assert await PagerDutyPager().on_call(blind) == []
    assert vendor.received == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(400, '{"status": "invalid event", "message": "Event object is invalid", "errors": ["Length of \'routing_key\' is incorrect"]}'), Rejected),
        (Answer(503, "busy"), Retryable),
        *ANSWERS,
    ],
)  # fmt: skip
async def test_what_an_answer_means(
    vendor: HttpApp, there: Connection, answer: Answer, kind: type[TargetError]
) -> None:
    """Asked once; the key is in no error; a read may be asked again."""
    vendor.answers["/v2/enqueue"] = answer
    with pytest.raises(kind) as raised:
        await PagerDutyPager().notify(NOTICE, "x", there)
    assert KEY not in str(raised.value)
    assert len(vendor.received) == 1
    if answer.status == 400:
        assert "Event object is invalid Length of" in str(raised.value)
    vendor.answers["/rest/incidents"] = answer
    with pytest.raises(Retryable if kind is Unknown else kind):
        await PagerDutyPager().standing(THREAD, "x", there)


async def test_a_wrong_target_and_nobody_there(vendor: HttpApp) -> None:
    async with at_target(vendor.url, routing_key="") as none:
        with pytest.raises(Rejected, match="routing_key"):
            await PagerDutyPager().notify(NOTICE, "x", none)
    async with at_target(f"http://{HOST}:{free_port()}") as nobody:
        with pytest.raises(NotSent):
            await PagerDutyPager().notify(NOTICE, "x", nobody)
