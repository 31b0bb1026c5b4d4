"""TLS as the target's settings say it, for integrations whose protocol is not HTTP."""

import ssl
from typing import TypeVar

from bot.contract import Connection
from bot.errors import AuthFailed

_Context = TypeVar("_Context", bound=ssl.SSLContext)


def server_name(connection: Connection) -> str:
    """The name that the certificate is checked against: an address may be a forward's."""
    return connection.settings.get("tls_name") or connection.http.base_url.host


def trusting(connection: Connection, context: _Context) -> _Context:
    """With the authority of ``tls_ca``, else those of the machine. Raises `AuthFailed`."""
    authority = connection.settings.get("tls_ca")
    if not authority:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cadata=authority)
    except ssl.SSLError as error:
        raise AuthFailed(f"tls_ca of {connection.target} cannot be used: {error}.") from None
    return context
