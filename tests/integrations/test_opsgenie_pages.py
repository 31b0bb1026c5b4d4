"""Pages by Opsgenie at a stand-in; requests and answers are checked against its own description."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.contract import Connection, Duty, Pager, Standing
from bot.errors import NotSent, Rejected, Retryable, TargetError, Unknown
from integrations.opsgenie.pager import OpsgeniePager
from tests.integrations.direct import direct
from tests.integrations.notices import NOTICE
from tests.integrations.spec import Spec
from tests.integrations.vendors import ANSWERS
from tests.servers.http_app import Answer, HttpApp
from tests.servers.process import HOST, free_port

KEY, TEAM = "genie-secret", "team:payments/eu"
ALIAS = f"{NOTICE.thread}-48a9ed30"
ALERT = f"/v2/alerts/{ALIAS}"
REQUEST = "43a29c5c-3dbf-4fa4-9c26-f4f71023e120"
ACCEPTED = {"result": "Request will be processed", "took": 0.302, "requestId": REQUEST}


@pytest.fixture(scope="module")
def spec() -> Spec:
    return Spec("opsgenie.swagger2.json.gz")


@pytest.fixture
async def there(vendor: HttpApp) -> AsyncIterator[Connection]:
    async with direct("opsgenie/main", vendor.url, timeout=2, settings={"api_key": KEY}) as found:
        yield found


def answers(vendor: HttpApp, spec: Spec, method: str, path: str, body: Any, status: int = 200) -> None:  # fmt: skip
    text = spec.gives(method, path, status, body)
    vendor.answers[path] = Answer(status, text, headers={"Content-Type": "application/json"})


def answered(data: Any) -> dict[str, Any]:
    return {"data": data, "took": 0.1, "requestId": REQUEST}


def test_it_is_a_pager() -> None:
    assert isinstance(OpsgeniePager(), Pager)


async def test_a_page_from_its_opening_to_its_end(
    vendor: HttpApp, spec: Spec, there: Connection
) -> None:
    """Sent twice it has one alias; worked off later; acknowledged and closed by the alias."""
    answers(vendor, spec, "POST", "/v2/alerts", ACCEPTED, 202)
    answers(vendor, spec, "POST", f"{ALERT}/acknowledge", ACCEPTED, 202)
    answers(vendor, spec, "POST", f"{ALERT}/close", ACCEPTED, 202)
    pager = OpsgeniePager()
    for _ in range(2):
        receipt = await pager.notify(NOTICE, TEAM, there)
    assert (receipt.confirmed, receipt.reference) == (None, REQUEST)
    assert await pager.find(NOTICE, TEAM, there) is None
    await pager.acknowledge(NOTICE.thread, TEAM, there)
    await pager.resolve(NOTICE.thread, TEAM, there)
    first, second, acknowledged, closed = (spec.conforms(r) for r in vendor.received)
    assert first == second
    assert (first["alias"], first["priority"]) == (ALIAS, "P1")
    assert first["responders"] == [{"type": "team", "name": "payments/eu"}]
    assert acknowledged == closed == {"source": "Jackline", "user": "Jackline"}
    assert [r.query for r in vendor.received[2:]] == ["identifierType=alias"] * 2
    assert {r.headers["authorization"] for r in vendor.received} == {f"GenieKey {KEY}"}


@pytest.mark.parametrize(
    ("to", "responder"),
    [
        ("schedule:first line", {"type": "schedule", "name": "first line"}),
        ("escalation:core", {"type": "escalation", "name": "core"}),
        ("user:ana@x.org", {"type": "user", "username": "ana@x.org"}),
    ],
)
async def test_whom(
    vendor: HttpApp, spec: Spec, there: Connection, to: str, responder: dict[str, str]
) -> None:
    answers(vendor, spec, "POST", "/v2/alerts", ACCEPTED, 202)
    await OpsgeniePager().notify(NOTICE, to, there)
    assert spec.conforms(vendor.received[0])["responders"] == [responder]


async def test_whether_it_was_worked_off(vendor: HttpApp, spec: Spec, there: Connection) -> None:
    """Not known while Opsgenie has not got to it."""
    path, pager = f"/v2/alerts/requests/{REQUEST}", OpsgeniePager()
    vendor.answers["/v2/alerts"] = Answer(202, spec.gives("POST", "/v2/alerts", 202, ACCEPTED))
    receipt = await pager.notify(NOTICE, TEAM, there)
    vendor.answers[path] = Answer(404, "{}")
    assert await pager.confirm(receipt, there) is None
    for done in (True, False):
        data = {"isSuccess": done, "action": "Create", "status": "Created alert", "alias": ALIAS}
        answers(vendor, spec, "GET", path, answered(data))
        assert await pager.confirm(receipt, there) is done
    for request in vendor.received[1:]:
        spec.conforms(request)


@pytest.mark.parametrize(
    ("alert", "means"),
    [
        ({"status": "open", "acknowledged": False}, Standing(state="open")),
        ({"status": "open", "acknowledged": True, "report": {"acknowledgedBy": "ana@x.org"}},
         Standing(state="acknowledged", by="ana@x.org")),
        ({"status": "closed", "acknowledged": True, "report": {"closedBy": "ben@x.org"}},
         Standing(state="ended", by="ben@x.org")),
    ],
)  # fmt: skip
async def test_acknowledged_over_there(
    vendor: HttpApp, spec: Spec, there: Connection, alert: dict[str, Any], means: Standing
) -> None:
    answers(vendor, spec, "GET", ALERT, answered({"id": "1", "alias": ALIAS} | alert))
    assert await OpsgeniePager().standing(NOTICE.thread, TEAM, there) == means
    assert spec.conforms(vendor.received[0]) == {"identifierType": "alias"}


async def test_an_alert_that_is_not_there(vendor: HttpApp, there: Connection) -> None:
    vendor.default = Answer(404, "{}")
    assert await OpsgeniePager().standing(NOTICE.thread, TEAM, there) is None


async def test_who_is_on_call(vendor: HttpApp, spec: Spec, there: Connection) -> None:
    found = [{"_parent": {"id": "1", "name": "first line", "enabled": True},
              "onCallRecipients": ["ana@x.org", "ben@x.org"]}]  # fmt: skip
    answers(vendor, spec, "GET", "/v2/schedules/on-calls", answered(found))
    assert await OpsgeniePager().on_call(there) == [
        Duty(schedule="first line", person="ana@x.org"),
        Duty(schedule="first line", person="ben@x.org"),
    ]
    assert spec.conforms(vendor.received[0]) == {"flat": "true"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(422, '{"message": "Request body is not processable", "took": 0.1, "requestId": "1"}'), Rejected),
        (Answer(503, "busy"), Retryable),
        *ANSWERS,
    ],
)  # fmt: skip
async def test_what_an_answer_means(
    vendor: HttpApp, there: Connection, answer: Answer, kind: type[TargetError]
) -> None:
    """Asked once; the key is in no error; a read may be asked again."""
    vendor.default = answer
    with pytest.raises(kind) as raised:
        await OpsgeniePager().notify(NOTICE, TEAM, there)
    assert KEY not in str(raised.value)
    assert len(vendor.received) == 1
    with pytest.raises(Retryable if kind is Unknown else kind):
        await OpsgeniePager().standing(NOTICE.thread, TEAM, there)


async def test_a_wrong_address_and_nobody_there(there: Connection) -> None:
    with pytest.raises(Rejected, match="team:NAME"):
        await OpsgeniePager().notify(NOTICE, "payments", there)
    async with direct("opsgenie/main", f"http://{HOST}:{free_port()}") as nobody:
        with pytest.raises(NotSent):
            await OpsgeniePager().notify(NOTICE, TEAM, nobody)
