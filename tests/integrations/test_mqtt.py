"""Notices to a real mosquitto: what its acknowledgement says is what the receipt says."""

import socket
from collections.abc import Iterator

import pytest
from paho.mqtt.properties import Properties

from bot.contract import Notice, Receipt
from bot.errors import AuthFailed, NotSent, Rejected, Unknown
from integrations.mqtt.notifier import Mqtt
from tests.access.test_tls import Authority, authority
from tests.integrations.direct import direct
from tests.integrations.notices import HOSTILE, NOTICE
from tests.servers.mosquitto import PASSWORD, TOPIC, USER, Mosquitto, mosquitto
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
__all__ = ["authority"]


async def send(url: str, notice: Notice = NOTICE, to: str = TOPIC, **settings: str) -> Receipt:
    async with direct("mqtt/oob", url, settings={"tls": "off"} | settings) as connection:
        return await Mqtt().notify(notice, to, connection)


@pytest.fixture(scope="module")
def shared() -> Iterator[Mosquitto]:
    with mosquitto(acl="topic readwrite incidents/#\n") as broker:
        yield broker


async def test_a_notice_reaches_who_subscribed(shared: Mosquitto) -> None:
    """With QoS 1: the acknowledgement confirms it; the payload is data, whatever it holds."""
    with shared.heard() as heard:
        receipt = await send(shared.url)
        await send(shared.url, HOSTILE)
        first, second = heard.wait_for(2)
    assert (first["id"], first["subject"]) == (NOTICE.id, NOTICE.subject)
    assert first["at"] == "2026-03-01T03:14:00Z"
    assert second["text"] == HOSTILE.text
    assert receipt.confirmed is True
    async with direct("mqtt/oob", shared.url) as connection:
        assert await Mqtt().confirm(receipt, connection) is True
        assert await Mqtt().find(NOTICE, TOPIC, connection) is None


async def test_nobody_has_subscribed(shared: Mosquitto) -> None:
    """The broker takes it and says so; kept for later on request."""
    receipt = await send(shared.url, to="incidents/kept", retain="yes")
    assert receipt.confirmed is False
    assert "nobody has subscribed" in receipt.detail
    with shared.heard("incidents/kept") as heard:
        assert heard.wait_for(1)[0]["id"] == NOTICE.id


async def test_a_topic_that_is_not_ours(shared: Mosquitto) -> None:
    """MQTT 3 would have acknowledged it and thrown it away."""
    with pytest.raises(AuthFailed, match="does not let this login publish"):
        await send(shared.url, to="heating/all")


async def test_tls_and_login(authority: Authority) -> None:
    """The certificate is checked against the broker's own name, not the forward's address."""
    authority.server("broker.test")
    folder = authority.folder
    ours = {
        "tls": "verify", "tls_ca": authority.certificate.read_text(), "tls_name": "broker.test",
        "username": USER, "password": PASSWORD,
    }  # fmt: skip
    with mosquitto(
        certificate=folder / "broker.test.pem", key=folder / "broker.test.key"
    ) as broker:
        assert (await send(broker.url, **ours)).confirmed is False
        with pytest.raises(AuthFailed) as refused:
            await send(broker.url, **ours | {"password": "wr0ng-one"})
        assert "wr0ng-one" not in str(refused.value)
        with pytest.raises(NotSent, match=r"(?i)certificate|hostname"):
            await send(broker.url, **ours | {"tls_name": "other.test"})
        with pytest.raises(NotSent, match=r"(?i)certificate"):
            await send(broker.url, **{**ours, "tls_ca": ""})
    with pytest.raises(AuthFailed, match="tls_ca"):
        await send(broker.url, **ours | {"tls_ca": "no certificate"})
    with pytest.raises(Rejected, match="without TLS"):
        await send(broker.url, username=USER, password=PASSWORD)
    with pytest.raises(Rejected, match="It is `verify`"):
        await send(broker.url, tls="maybe")


@pytest.mark.parametrize("to", ["", "a/#", "a/+/b", "$SYS/x", "a\0b", "/a", "x" * 200])
async def test_what_is_no_topic(shared: Mosquitto, to: str) -> None:
    with pytest.raises(Rejected, match="one topic without wildcards"):
        await send(shared.url, to=to)


async def test_no_answer_and_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the notice left it is not sent; after, nobody knows."""
    monkeypatch.setattr("integrations.mqtt.notifier._SECONDS", 0.4)
    with pytest.raises(NotSent):
        await send(f"tcp://{HOST}:{free_port()}")
    with socket.create_server((HOST, 0)) as silent, pytest.raises(NotSent):
        await send(f"tcp://{HOST}:{silent.getsockname()[1]}")
    monkeypatch.setattr("integrations.mqtt.notifier._SECONDS", 2)  # it has to come so far
    with mosquitto() as broker:

        def freeze(*_: object) -> None:
            broker.process.freeze()

        monkeypatch.setattr("integrations.mqtt.notifier.Properties.__init__", _after(freeze))
        with pytest.raises(Unknown, match="did not acknowledge"):
            await send(broker.url)


def _after(freeze):  # type: ignore[no-untyped-def]
    real = Properties.__init__

    def made(self, packet):  # type: ignore[no-untyped-def]
        if packet == 3:  # PUBLISH: connected, and nothing of the notice has left
            freeze()
        real(self, packet)

    return made
