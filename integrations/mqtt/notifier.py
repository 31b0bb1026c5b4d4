"""Publishes a notice with QoS 1 and reads what the broker's acknowledgement says."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import json
import re

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bot.contract import Connection, Notice, Receipt
from bot.errors import AuthFailed, NotSent, Rejected, Unknown

from .client import Client, client, drop, tls

_TOPIC = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_./ -]{0,198}")
_REFUSED = 0x80  # from here on a reason code is a no
_NO_SUBSCRIBER = 0x10
_LOGIN = {0x86, 0x87}  # bad user name or password; not authorized
_SECONDS = 6.0


class Mqtt:
    """A topic of a broker."""

    async def notify(self, notice: Notice, to: str, connection: Connection) -> Receipt:
        """Confirmed by the broker's PUBACK, unless it says that nobody has subscribed."""
        if not _TOPIC.fullmatch(to):
            raise Rejected(f"`to` must be one topic without wildcards: {to[:80]!r} is none.")
        trusted = tls(connection)
        async with connection.forward() as local:
            made = client(connection, local, trusted, _SECONDS)
            try:
                await made.__aenter__()
            except aiomqtt.MqttError as error:
                drop(trusted)
                code = _code(error)
                said = f"{connection.target} takes no login: {error}."
                raise (AuthFailed if code in _LOGIN else NotSent)(said) from error
            try:
                await self._publish(made, notice, to, connection)
            except aiomqtt.MqttError as error:
                said = f"{connection.target} did not acknowledge the notice: {error}."
                raise Unknown(said) from error
            finally:
                await _leave(made)
        return _receipt(made, notice, connection.target)

    async def find(self, notice: Notice, to: str, connection: Connection) -> Receipt | None:
        """A broker cannot be asked; subscribers know a repeat by the notice's id."""
        return None

    async def confirm(self, receipt: Receipt, connection: Connection) -> bool | None:
        """The acknowledgement was all the broker has to say."""
        return receipt.confirmed

    async def _publish(self, made: Client, notice: Notice, to: str, connection: Connection) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's is not annotated
        properties.ContentType = "application/json"
        properties.UserProperty = ("id", notice.id)
        payload = json.dumps(notice.model_dump(mode="json"), ensure_ascii=False).encode()
        keep = connection.settings.get("retain") == "yes"
        await made.publish(to, payload, qos=1, retain=keep, properties=properties)


async def _leave(made: Client) -> None:
    try:
        await made.__aexit__(None, None, None)
    except aiomqtt.MqttError:
        return  # it has the notice or it has not: leaving changes nothing


def _code(error: aiomqtt.MqttError) -> int:
    rc = getattr(error, "rc", None)
    return int(getattr(rc, "value", rc) or 0)


def _receipt(made: Client, notice: Notice, target: str) -> Receipt:
    reason = made.acknowledged
    code = reason.value if reason is not None else 0
    if code in _LOGIN:
        raise AuthFailed(f"{target} does not let this login publish there: {reason}.")
    if code >= _REFUSED:
        raise Rejected(f"{target} refused the notice: {reason}.")
    if code == _NO_SUBSCRIBER:
        said = "the broker took it, and nobody has subscribed to the topic"
        return Receipt(confirmed=False, reference=notice.id, detail=said)
    return Receipt(confirmed=True, reference=notice.id, detail="the broker acknowledged it")
