"""aiomqtt's client, with two things it leaves out: the acknowledgement's reason, and TLS by a
name that is not the address (which is a forward's)."""

import ssl
from typing import Any

import aiomqtt
import paho.mqtt.client as mqtt
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from bot.contract import Connection
from bot.contract.tls import server_name, trusting
from bot.errors import Rejected

_KEEPALIVE = 10  # paho also waits that long for a TLS handshake


class Client(aiomqtt.Client):
    """``acknowledged`` is the reason code of the last PUBACK."""

    acknowledged: ReasonCode | None = None

    def _on_publish(
        self,
        client: mqtt.Client,
        userdata: object,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        self.acknowledged = reason_code
        super()._on_publish(client, userdata, mid, reason_code, properties)


def client(
    connection: Connection, local: tuple[str, int], trusted: ssl.SSLContext | None, seconds: float
) -> Client:
    """A client that will speak MQTT 5 to the forward's address."""
    settings = connection.settings
    return Client(
        *local,
        protocol=aiomqtt.ProtocolVersion.V5,
        username=settings.get("username"),
        password=settings.get("password"),
        timeout=seconds,
        keepalive=_KEEPALIVE,
        tls_context=trusted,
    )


class _Named(ssl.SSLContext):
    """Checks the certificate against the broker's own name.

    It keeps what it wrapped: paho forgets to close that after a handshake that failed.
    """

    name: str
    wrapped: ssl.SSLSocket | None = None

    def wrap_socket(self, *args: Any, **more: Any) -> ssl.SSLSocket:  # noqa: ANN401 - the base's own
        self.wrapped = super().wrap_socket(*args, **{**more, "server_hostname": self.name})
        return self.wrapped


def drop(trusted: ssl.SSLContext | None) -> None:
    """Closes what a failed handshake left open."""
    if isinstance(trusted, _Named) and trusted.wrapped is not None:
        trusted.wrapped.close()


def tls(connection: Connection) -> ssl.SSLContext | None:
    """None where it is `off`. Raises `Rejected` and `AuthFailed` for what the catalog has wrong."""
    settings = connection.settings
    match settings.get("tls", "verify"):
        case "off":
            if settings.get("username"):
                raise Rejected("A password is not sent without TLS.", hint="Set tls to `verify`.")
            return None
        case "verify":
            context = _Named(ssl.PROTOCOL_TLS_CLIENT)
            context.name = server_name(connection)
        case other:
            raise Rejected(f"tls is {other!r}.", hint="It is `verify` or `off`.")
    return trusting(connection, context)
