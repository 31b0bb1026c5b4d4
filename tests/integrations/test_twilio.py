"""Messages and calls at a stand-in; each request and answer is checked against Twilio's own spec."""

import base64
import gzip
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from bot.contract import Notice, Receipt
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from integrations.twilio.notifier import Phone
from integrations.twilio.words import sms, twiml
from tests.integrations.direct import direct
from tests.integrations.notices import HOSTILE, NOTICE
from tests.integrations.spec import nullable
from tests.integrations.vendors import ANSWERS
from tests.servers.http_app import Answer, HttpApp, Received, http_app
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
SPEC = Path(__file__).parents[2].parent / "shared/specs/twilio-2010.openapi3.json.gz"
ACCOUNT, SECRET = "AC" + "0a" * 16, "twilio-secret"
BASE = f"/2010-04-01/Accounts/{ACCOUNT}"
SM, CA = "SM" + "1b" * 16, "CA" + "2c" * 16
OURS = {"account_sid": ACCOUNT, "auth_token": SECRET, "from": "+15005550006"}
SMS, VOICE = "sms:+4930123456", "voice:+4930123456"


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    if not SPEC.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SPEC} is absent, and in CI it must not be")
        pytest.skip(f"Twilio's API description is not at {SPEC}")
    found: dict[str, Any] = json.loads(gzip.decompress(SPEC.read_bytes()))
    return found


def operation(spec: dict[str, Any], request: Received) -> tuple[dict[str, Any], dict[str, str]]:
    """What the description has for a request's path and method, with the path's values."""
    for path, item in spec["paths"].items():
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+?)", re.escape(path))
        found = re.fullmatch(pattern, request.path)
        if found and request.method.lower() in item:
            return item[request.method.lower()], found.groupdict()
    raise AssertionError(f"Twilio has no {request.method} {request.path}")


def conforms(spec: dict[str, Any], request: Received) -> dict[str, str]:
    """Checks login, path, query and form; returns the form or the query."""
    found, values = operation(spec, request)
    user, _, password = (
        base64.b64decode(request.headers["authorization"].removeprefix("Basic "))
        .decode()
        .partition(":")
    )
    assert (user[:2] in ("AC", "SK"), password) == (True, SECRET)
    query = dict(parse_qsl(request.query))
    known = {p["name"]: p for p in found["parameters"]}
    for name, parameter in known.items():
        given = (values if parameter["in"] == "path" else query).get(name)
        assert given is not None or not parameter.get("required"), name
        if given is not None:
            typed = int(given) if parameter["schema"].get("type") == "integer" else given
            check(spec, parameter["schema"], typed)
    assert set(query) <= set(known)
    if request.method != "POST":
        return query
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    schema = found["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    form: dict[str, Any] = dict(parse_qsl(request.body, strict_parsing=True))
    typed_form = {
        name: int(value) if schema["properties"].get(name, {}).get("type") == "integer" else value
        for name, value in form.items()
    }
    check(spec, {**schema, "additionalProperties": False}, typed_form)
    return form


def check(spec: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    jsonschema.Draft4Validator(
        {**nullable(schema), "components": nullable(spec["components"])}
    ).validate(value)


def entry(kind: str, **more: Any) -> dict[str, Any]:
    """Twilio's entry of a message or a call as far as we and the description care."""
    base = {"sid": SM if kind == "message" else CA, "account_sid": ACCOUNT, "to": "+4930123456",
            "from": OURS["from"], "status": "queued", "direction": "outbound-api",
            "date_created": "Sun, 01 Mar 2026 03:14:00 +0000"}  # fmt: skip
    return base | more


@pytest.fixture
def twilio(spec: dict[str, Any]) -> Iterator["Stand"]:
    with http_app("twilio") as app:
        yield Stand(app, spec)


class Stand:
    """Twilio as far as its description goes."""

    def __init__(self, app: HttpApp, spec: dict[str, Any]) -> None:
        self.app = app
        self.spec = spec

    def gives(self, path: str, body: dict[str, Any], schema: str = "", status: int = 201) -> None:
        if schema:
            check(
                self.spec, self.spec["components"]["schemas"][f"api.v2010.account.{schema}"], body
            )
        self.app.answers[BASE + path] = Answer(
            status, json.dumps(body), headers={"Content-Type": "application/json"}
        )

    def asked(self) -> list[dict[str, str]]:
        return [conforms(self.spec, request) for request in self.app.received]


async def send(url: str, notice: Notice = NOTICE, to: str = SMS, **settings: str) -> Receipt:
    async with direct("twilio/account", url, timeout=2, settings=OURS | settings) as connection:
        return await Phone().notify(notice, to, connection)


async def confirmed(url: str, receipt: Receipt) -> bool | None:
    async with direct("twilio/account", url, timeout=2, settings=OURS) as connection:
        return await Phone().confirm(receipt, connection)


async def found(url: str, notice: Notice = NOTICE, to: str = SMS) -> Receipt | None:
    async with direct("twilio/account", url, timeout=2, settings=OURS) as connection:
        return await Phone().find(notice, to, connection)


async def test_a_text_message(twilio: Stand) -> None:
    """One request as Twilio describes it; what became of it is read back until it is final."""
    twilio.gives("/Messages.json", entry("message"), "message")
    receipt = await send(twilio.app.url)
    assert receipt == Receipt(confirmed=None, reference=SM, detail="Twilio: queued")
    for status, means in (
        ("sent", None),
        ("delivered", True),
        ("undelivered", False),
        ("failed", False),
    ):
        twilio.gives(f"/Messages/{SM}.json", entry("message", status=status), "message", 200)
        assert await confirmed(twilio.app.url, receipt) is means, status
    form, *reads = twilio.asked()
    assert form == {"To": "+4930123456", "From": "+15005550006", "Body": sms(NOTICE)}
    assert reads == [{}] * 4


async def test_a_call(twilio: Stand) -> None:
    """It carries what is to be said; answered to its end counts, busy does not."""
    twilio.gives("/Calls.json", entry("call"), "call")
    receipt = await send(twilio.app.url, to=VOICE, api_key="SK" + "0" * 32)
    assert receipt.reference == CA
    for status, means in (
        ("ringing", None),
        ("completed", True),
        ("busy", False),
        ("no-answer", False),
    ):
        twilio.gives(f"/Calls/{CA}.json", entry("call", status=status), "call", 200)
        assert await confirmed(twilio.app.url, receipt) is means, status
    form = twilio.asked()[0]
    assert form["Twiml"] == twiml(NOTICE)
    assert form["To"] == "+4930123456"


def test_words_of_others_stay_words() -> None:
    """In the call's script they are text: no verb of TwiML begins in them."""
    script = ET.fromstring(twiml(HOSTILE))
    assert [e.tag for e in script] == ["Say", "Pause", "Say"]
    assert "</Say><Hangup/>" in str(script[0].text)
    assert "two & three" in str(script[0].text)
    long = NOTICE.model_copy(update={"text": "<&>" * 2000})
    assert len(twiml(long)) < 4000
    assert ET.fromstring(twiml(long)) is not None
    assert len(sms(long)) == 480


def test_a_link_stays_whole() -> None:
    """However long the words are, the text message can be acknowledged; a voice reads no link."""
    link = "https://jackline.example.com/ack?token=" + "x" * 43
    long = NOTICE.model_copy(update={"text": "word " * 1000, "link": link})
    assert sms(long).endswith(f"\nAcknowledge: {link}")
    assert len(sms(long)) == 480
    assert link not in twiml(long)


async def test_what_was_sent_before_is_found(twilio: Stand) -> None:
    """A text message by its words; of a call nobody knows whether it was this one."""
    page = {
        "messages": [
            entry("message", body="another"),
            entry("message", body=sms(NOTICE), status="sent"),
        ]
    }
    for message in page["messages"]:
        check(
            twilio.spec, twilio.spec["components"]["schemas"]["api.v2010.account.message"], message
        )
    twilio.gives("/Messages.json", page, status=200)
    receipt = await found(twilio.app.url)
    assert receipt is not None
    assert (receipt.reference, receipt.confirmed) == (SM, None)
    twilio.gives("/Messages.json", {"messages": []}, status=200)
    assert await found(twilio.app.url) is None
    twilio.gives("/Calls.json", {"calls": []}, status=200)
    assert await found(twilio.app.url, to=VOICE) is None
    twilio.gives("/Calls.json", {"calls": [entry("call")]}, status=200)
    with pytest.raises(Unknown):
        await found(twilio.app.url, to=VOICE)
    earlier = entry("call", date_created="Sun, 01 Mar 2026 03:12:00 +0000")
    twilio.gives("/Calls.json", {"calls": [earlier]}, status=200)
    assert await found(twilio.app.url, to=VOICE) is None
    twilio.gives("/Calls.json", {"calls": [earlier, entry("call", date_created=None)]}, status=200)
    with pytest.raises(Unknown):
        await found(twilio.app.url, to=VOICE)
    assert twilio.asked()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(400, '{"code": 21211, "message": "Invalid To", "status": 400}'), Rejected),
        (Answer(401, '{"code": 20003, "message": "Authenticate", "status": 401}'), AuthFailed),
        (Answer(503, "busy"), Retryable),
        *ANSWERS,
        (Answer(latency=60), Unknown),
    ],
)
async def test_what_an_answer_means(twilio: Stand, answer: Answer, kind: type[TargetError]) -> None:
    """Asked once; the secret is in no error."""
    twilio.app.answers[f"{BASE}/Messages.json"] = answer
    with pytest.raises(kind) as raised:
        await send(twilio.app.url)
    assert SECRET not in str(raised.value)
    assert len(twilio.app.received) == 1
    if answer.status == 400:
        assert "Invalid To (code 21211)" in str(raised.value)


async def test_a_read_may_be_asked_again(twilio: Stand) -> None:
    twilio.app.answers[f"{BASE}/Messages/{SM}.json"] = Answer(drop=True)
    with pytest.raises(Retryable):
        await confirmed(twilio.app.url, Receipt(reference=SM))
    assert await confirmed(twilio.app.url, Receipt(reference="")) is None


@pytest.mark.parametrize(
    "to", ["", "+4930123456", "sms:030", "sms:+49 30", "fax:+4930123456", "sms:+0123456789"]
)
async def test_what_is_no_phone(to: str) -> None:
    with pytest.raises(Rejected, match="sms:"):
        await send("http://127.0.0.1:9", to=to)


async def test_a_wrong_target_and_nobody_there() -> None:
    with pytest.raises(Rejected, match="account_sid"):
        await send("http://127.0.0.1:9", account_sid="AC1/../x")
    with pytest.raises(Rejected, match="from of the target"):
        await send("http://127.0.0.1:9", **{"from": "Jackline"})
    with pytest.raises(NotSent):
        await send(f"http://{HOST}:{free_port()}")
