"""Alerts in over HTTP: who may send, what is taken, and what a refusal says."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.web.limit import BODY_LIMIT
from tests.e2e.harness import ALERTS, firing
from tests.web.conftest import Open, Web, is_problem

STRANGERS = {
    "nothing": None,
    "a wrong one": "wrong",
    "an empty one": "",
    "a part of it": ALERTS[:-1],
    "more than it": ALERTS + "x",
    "letters beyond ASCII": "schlüssel",
}


async def count(web: Web) -> int:
    """How many alerts are stored."""
    return int((await web.api("/alerts/count")).json()["stored"])


async def test_a_stranger_is_refused(web: Web) -> None:
    """Whatever else is offered than a live secret: 401, counted, nothing stored."""
    for secret in STRANGERS.values():
        headers = {} if secret is None else {"Authorization": f"Bearer {secret}".encode()}
        answer = await web.http.post("/webhooks/alertmanager", json=firing(), headers=headers)
        assert "secret" in is_problem(answer, 401)["detail"]
    assert await web.refused("unauthenticated") == len(STRANGERS)
    assert await count(web) == 0


@pytest.mark.parametrize("secrets", ["[]", '[""]'])
async def test_a_source_without_a_secret_takes_nothing(open_web: Open, secrets: str) -> None:
    """Deny by default: no secret set, or an empty one, opens the door to nobody."""
    async with open_web(WEBHOOKS__ALERTMANAGER__SECRETS=secrets) as web:
        for secret in (None, "", ALERTS):
            body = is_problem(await web.alert(firing(), secret), 401)
            assert "JACKLINE_WEBHOOKS__ALERTMANAGER__SECRETS" in body["detail"]
        assert await web.refused("unauthenticated") == 3


async def test_both_secrets_live_while_rotating(web: Web) -> None:
    """The old and the new secret are taken at the same time."""
    assert [(await web.alert(firing(), s)).status_code for s in (ALERTS, "older")] == [200, 200]


async def test_an_unknown_source_is_named(web: Web) -> None:
    """404, with the sources there are."""
    answer = await web.http.post("/webhooks/alertmanger", json=firing())
    detail = is_problem(answer, 404)["detail"]
    assert "'alertmanger'" in detail
    assert "Known: " in detail
    assert "alertmanager" in detail


async def test_what_is_accepted_is_stored_and_counted(web: Web) -> None:
    """The answer says how many; the same alert again is acknowledged and stored once."""
    for _ in range(2):
        answer = await web.alert(firing())
        assert (answer.status_code, answer.json()) == (200, {"accepted": 1})
    assert (await web.api("/alerts/count")).json() == {
        "stored": 1, "firing": 1, "by_source": {"alertmanager": 1},
    }  # fmt: skip
    assert await web.metric("jackline_alerts_accepted_total", source="alertmanager") == 2
    assert await web.metric("jackline_alerts_waiting") == 1


async def test_a_notification_without_alerts_is_fine(web: Web) -> None:
    answer = await web.alert(firing() | {"alerts": []})
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0})


def broken(**changes: Any) -> dict[str, Any]:
    """An alert with other fields; None takes the field out."""
    payload = firing()
    (alert,) = payload["alerts"]
    alert.update(changes)
    payload["alerts"] = [{k: v for k, v in alert.items() if v is not None}]
    return payload


def as_sent(**changes: Any) -> bytes:
    """The same as bytes, to be spoilt further."""
    return json.dumps(broken(**changes)).encode()


WRONG = {
    "empty": (b"", "$"),
    "not JSON": (b"{oops", "$"),
    "not UTF-8": (b'{"version": "\xff\xfe"}', "$"),
    "half a character": (b'{"version": "4", "alerts": "\\ud800"}', "$"),
    "null": (b"null", "$"),
    "a list": (b"[]", "$"),
    "nested without end": (b'{"version": "4", "alerts": ' + b"[" * 100_000, "$"),
    "no version": (json.dumps({"alerts": []}).encode(), "version"),
    "an old version": (json.dumps(firing() | {"version": "3"}).encode(), "version"),
    "no alerts": (b'{"version": "4"}', "alerts"),
    "alerts not a list": (json.dumps(firing() | {"alerts": {}}).encode(), "alerts"),
    "an alert that is a word": (b'{"version": "4", "alerts": ["x"]}', "alerts[0]"),
    "status unknown": (broken(status="burning"), "alerts[0].status"),
    "labels missing": (broken(labels=None), "alerts[0].labels"),
    "a label that is a number": (broken(labels={"alertname": 5}), "alerts[0].labels.alertname"),
    "and then no JSON": (as_sent(labels={"alertname": 5})[:-1] + b"!", "$"),
    "labels twice": (
        as_sent(labels={"a": "b"}).replace(b'"labels"', b'"labels": {"n": 1}, "labels"', 1),
        "alerts[0].labels",
    ),
    "not UTF-8 in a label": (
        as_sent(labels={"a": "b"}).replace(b'"b"', b'"\xff"'),
        "$",
    ),
    "no start": (broken(startsAt=None), "alerts[0].startsAt"),
    "a start without a zone": (broken(startsAt="2026-11-23T12:00:00"), "alerts[0].startsAt"),
    "a start that is a number": (broken(startsAt=1), "alerts[0].startsAt"),
    "no fingerprint": (broken(fingerprint=None), "alerts[0].fingerprint"),
    "an empty fingerprint": (broken(fingerprint=""), "alerts[0].fingerprint"),
}


async def test_a_malformed_body_is_a_problem_that_names_the_field(web: Web) -> None:
    """400, the field as a JSON path, counted, nothing stored."""
    for body, field in WRONG.values():
        answer = is_problem(await web.alert(body), 400)
        assert answer["field"].startswith(field), answer
        assert field in answer["detail"] or field == "$", answer
    assert await web.refused("malformed") == len(WRONG)
    assert await count(web) == 0


async def test_one_wrong_alert_refuses_its_whole_notification(web: Web) -> None:
    """Half a notification is never taken: the sender would not send the rest again."""
    payload = firing()
    payload["alerts"] += [{**payload["alerts"][0], "status": "burning"}]
    assert is_problem(await web.alert(payload), 400)["field"] == "alerts[1].status"
    assert await count(web) == 0


async def chunks(size: int) -> AsyncIterator[bytes]:
    """A body that comes in pieces and says no length."""
    for _ in range(size // 65536 + 1):
        yield b" " * 65536


@pytest.mark.parametrize("way", ["at once", "in chunks"])
async def test_a_body_over_the_limit(web: Web, way: str) -> None:
    """413 and counted, also where no length was announced."""
    content: Any = b" " * (BODY_LIMIT + 1) if way == "at once" else chunks(BODY_LIMIT)
    body = is_problem(await web.alert(b"", content=content), 413)
    assert str(BODY_LIMIT) in body["detail"]
    assert await web.refused("too_large") == 1


async def test_a_body_just_under_the_limit_is_read(web: Web) -> None:
    body = json.dumps(firing()).encode()
    assert (await web.alert(body + b" " * (BODY_LIMIT - len(body)))).status_code == 200


async def test_who_sends_nothing_but_a_wrong_secret_learns_nothing_of_the_body(web: Web) -> None:
    """The secret is looked at first: a stranger is told about the secret alone."""
    assert "field" not in is_problem(await web.alert(b"{oops", "wrong"), 401)
