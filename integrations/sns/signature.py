"""Whether SNS made a message: its signature, and which certificate may prove it.

The message itself says where the certificate is, so that address is not trusted but matched: it is
SNS's own or none. What a message offers for a click (SubscribeURL) is never followed.
"""

import base64
import re
from binascii import Error as NotBase64
from collections.abc import Mapping
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate
from cryptography.x509.oid import NameOID

from bot.errors import AuthFailed

_CERTIFICATE = re.compile(
    r"https://sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem"
)
# Regions that came later, and China's, have names of their own: sns-signing.…, sns-cn-north-1.…
_NAME = re.compile(r"sns[a-z0-9.-]*\.amazonaws\.com(\.cn)?")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]


def certificate_of(message: Mapping[str, str]) -> str:
    """Where its certificate is. Raises `AuthFailed` where that is not SNS, or the hash a weak one."""
    if message.get("SignatureVersion") != "2":
        raise AuthFailed(
            "The SNS message is not signed with SHA-256.",
            hint="Set the topic's attribute SignatureVersion to 2.",
        )
    url = message.get("SigningCertURL", "")
    if not _CERTIFICATE.fullmatch(url):
        raise AuthFailed("The SNS message names a certificate that is not at SNS.")
    return url


def require_signed(message: Mapping[str, str], pem: bytes, at: datetime) -> None:
    """Raises `AuthFailed` unless the certificate is SNS's, valid then, and made the signature."""
    try:
        key = _key(load_pem_x509_certificate(pem), at)
        signature = base64.b64decode(message.get("Signature", ""), validate=True)
        key.verify(signature, signed_text(message), PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature, NotBase64):
        raise AuthFailed("The SNS message is not what its signature was made of.") from None


def signed_text(message: Mapping[str, str]) -> bytes:
    """What AWS signs: names and values, each on a line; a subject only where there is one."""
    names = _SIGNED.get(message.get("Type", ""), ())
    lines = [f"{name}\n{message[name]}\n" for name in names if name in message]
    return "".join(lines).encode("utf-8", "surrogatepass")


def _key(certificate: Certificate, at: datetime) -> RSAPublicKey:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not any(_NAME.fullmatch(str(name.value)) for name in names):
        raise AuthFailed("The certificate of the SNS message is not SNS's.")
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise AuthFailed(
            "The certificate of the SNS message is not valid now.", hint="Is the clock here right?"
        )
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise AuthFailed("The certificate of the SNS message has no RSA key.")
    return key
