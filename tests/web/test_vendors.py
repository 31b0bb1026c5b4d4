"""What Jackline asks the vendor of a source: little, at the vendor alone, and kept once it proved."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integrations.sources.sns import (
    ALARM,
    CERTIFICATE,
    OVER,
    PEM,
    REGION,
    TOPIC,
    certificate,
    message,
)
from tests.servers.authority import Authority
from tests.servers.aws_front import AwsFront, aws_front
from tests.servers.http_app import Answer, HttpApp, http_app
from tests.web.conftest import Open, Web, is_problem

HOST = f"sns.{REGION}.amazonaws.com"
PEM_PATH = CERTIFICATE.removeprefix(f"https://{HOST}")
SUBSCRIBE = {"Token": "2336412f37fb", "SubscribeURL": "https://evil.test/"}


@pytest.fixture
def aws() -> Any:
    """Answers as AWS would."""
    with http_app("aws") as app:
        app.answers[PEM_PATH] = Answer(body=PEM.decode())
        yield app


@pytest.fixture
async def front(
    aws: HttpApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AwsFront]:
    """The only way to it, with a certificate that Jackline trusts; the catalog names both."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    async with aws_front(aws.port, authority, HOST) as front:
        source = {"name": "alarms", "integration": "sns", "settings": {"topics": TOPIC},
                  "via": ["aws"]}  # fmt: skip
        catalog = tmp_path / "runbooks" / "catalog"
        catalog.mkdir(parents=True)
        whole = {"sources": [source], "paths": [{"name": "direct"}, front.path]}
        (catalog / "all.yaml").write_text(json.dumps(whole))
        yield front


@pytest.fixture
async def opened(open_alone: Open, front: AwsFront) -> AsyncIterator[Web]:
    async with open_alone(WEBHOOKS__ALARMS__SECRETS='["s3cret"]') as web:
        yield web


async def post(web: Web, fields: dict[str, Any], token: str = "s3cret") -> httpx.Response:
    return await web.http.post(f"/webhooks/alarms?token={token}", content=json.dumps(fields))


async def stored(web: Web) -> int:
    return int((await web.api("/alerts/count")).json()["stored"])


async def test_a_certificate_is_fetched_once(
    opened: Web, aws: HttpApp, front: AwsFront, open_alone: Open
) -> None:
    """However many come at once; and the next process has it, also while AWS cannot be reached."""
    answers = await asyncio.gather(*(post(opened, message(f"alarm {n}")) for n in range(20)))
    assert {a.status_code for a in answers} == {200}
    assert (aws.count(PEM_PATH), await stored(opened)) == (1, 20)
    assert set(front.hosts) == {f"{HOST}:443"}

    front.away = True
    async with open_alone(WEBHOOKS__ALARMS__SECRETS='["s3cret"]') as later:
        assert (await post(later, message(OVER))).status_code == 200
    assert aws.count() == 1


async def test_sent_again_it_is_stored_once(opened: Web) -> None:
    for _ in range(2):
        assert (await post(opened, message(ALARM))).json() == {"accepted": 1}
    assert await stored(opened) == 1


async def test_while_aws_is_away_the_sender_comes_again(
    opened: Web, aws: HttpApp, front: AwsFront
) -> None:
    """503, in no time for those that come right after; nothing is stored, nor refused for good."""
    front.away = True
    for _ in range(3):
        said = is_problem(await post(opened, message(ALARM)), 503)["detail"]
        assert "`via`" in said
    assert (len(front.hosts), await stored(opened)) == (1, 0)
    for answer in (Answer(status=500), Answer(body="x" * 70_000), Answer(drop=True)):
        opened.jackline.reception._vendors._failed = ("", 0.0)
        front.away, aws.answers[PEM_PATH] = False, answer
        is_problem(await post(opened, message(ALARM)), 503)
    opened.jackline.reception._vendors._failed = ("", 0.0)
    aws.answers[PEM_PATH] = Answer(body=PEM.decode())
    assert (await post(opened, message(ALARM))).status_code == 200


async def test_a_stranger_makes_jackline_ask_nobody(opened: Web, front: AwsFront) -> None:
    """Neither a certificate nor a confirmation: not without a secret, a topic, SNS's address."""
    for fields, token in (
        (message(ALARM), "wrong"),
        (message("c", "SubscriptionConfirmation", **SUBSCRIBE), ""),
        (message(ALARM, TopicArn=TOPIC + "x"), "s3cret"),
        (message(ALARM, SigningCertURL="https://evil.test/x.pem"), "s3cret"),
    ):
        is_problem(await post(opened, fields, token), 401)
    assert front.hosts == []


async def test_what_does_not_prove_is_not_kept(opened: Web, aws: HttpApp) -> None:
    """A redirect is not followed, and the wrong certificate is fetched again the next time."""
    answers = (
        Answer(status=302, headers={"Location": "https://evil.test/"}),
        Answer(status=403),
        Answer(body=certificate("evil.test").decode()),
    )
    for answer, status in zip(answers, (503, 401, 401), strict=True):
        opened.jackline.reception._vendors._failed = ("", 0.0)
        aws.answers[PEM_PATH] = answer
        is_problem(await post(opened, message(ALARM)), status)
    aws.answers[PEM_PATH] = Answer(body=PEM.decode())
    assert (await post(opened, message(ALARM))).status_code == 200
    assert aws.count(PEM_PATH) == aws.count() == 4


async def test_a_subscription_is_confirmed_before_it_is_acknowledged(
    opened: Web, aws: HttpApp, front: AwsFront
) -> None:
    """By the API of the topic's region; while that fails the answer is no success."""
    fields = message("c", "SubscriptionConfirmation", **SUBSCRIBE)
    aws.answers["/"] = [Answer(status=500), Answer(status=400, body="Token expired"), Answer()]
    is_problem(await post(opened, fields), 503)
    assert "the log has its words" in is_problem(await post(opened, fields), 400)["detail"]
    assert (await post(opened, fields)).status_code == 200
    asked = aws.to("/")[-1]
    assert (asked.method, asked.query) == ("POST", "")
    assert httpx.QueryParams(asked.body) == httpx.QueryParams(
        Action="ConfirmSubscription", Version="2010-03-31", TopicArn=TOPIC, Token="2336412f37fb"
    )
    assert set(front.hosts) == {f"{HOST}:443"}


async def test_only_the_vendor_itself_is_believed(
    opened: Web, aws: HttpApp, front: AwsFront, tmp_path: Path
) -> None:
    """Who sits on the way cannot serve a key of theirs: TLS is checked, and against that name."""
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    for tls in (Authority(stranger).server(HOST), front.authority.server("evil.test")):
        front.tls = tls
        opened.jackline.reception._vendors._failed = ("", 0.0)
        is_problem(await post(opened, message(ALARM)), 503)
    assert (len(front.hosts), aws.count()) == (2, 0)
