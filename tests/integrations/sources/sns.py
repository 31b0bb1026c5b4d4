"""CloudWatch's alarm as SNS posts it, in the form of AWS's documentation.

SNS's own key is AWS's secret: the signature is by a key of the tests, over the text that AWS's
documentation says is signed, and its certificate has the name that SNS's has.
"""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bot.contract import RawRequest

REGION, ACCOUNT = "eu-west-1", "123456789012"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"
CERTIFICATE = f"https://sns.{REGION}.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
SETTINGS = {"topics": TOPIC}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ORDER = {
    "Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token",
                                 "TopicArn", "Type"],
}  # fmt: skip
ORDER["UnsubscribeConfirmation"] = ORDER["SubscriptionConfirmation"]
ALARM: dict[str, Any] = {
    "AlarmName": "ServerCpuTooHigh",
    "AlarmDescription": "Goes into alarm when server CPU utilization is too high!",
    "AWSAccountId": ACCOUNT,
    "AlarmConfigurationUpdatedTimestamp": "2026-11-01T09:12:44.000+0000",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed: 1 out of the last 1 datapoints [99.5 (23/11/26 21:15:00)] "
    "was greater than the threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition).",
    "StateChangeTime": "2026-11-23T21:19:58.632+0000",
    "Region": "EU (Ireland)",
    "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:ServerCpuTooHigh",
    "OldStateValue": "OK",
    "OKActions": [TOPIC], "AlarmActions": [TOPIC], "InsufficientDataActions": [],
    "Trigger": {
        "MetricName": "CPUUtilization", "Namespace": "AWS/EC2", "StatisticType": "Statistic",
        "Statistic": "AVERAGE", "Unit": None,
        "Dimensions": [{"value": "i-12345678901234567", "name": "InstanceId"}],
        "Period": 300, "EvaluationPeriods": 1, "DatapointsToAlarm": 1,
        "ComparisonOperator": "GreaterThanThreshold", "Threshold": 50.0,
        "TreatMissingData": "missing", "EvaluateLowSampleCountPercentile": "",
    },
}  # fmt: skip
OVER = ALARM | {
    "NewStateValue": "OK", "OldStateValue": "ALARM",
    "StateChangeTime": "2026-11-23T21:24:58.632+0000",
}  # fmt: skip


def certificate(
    name: str = "sns.amazonaws.com", *, days: tuple[float, float] = (-1, 1), key: Any = KEY
) -> bytes:
    """A certificate for that name, valid between these days from now."""
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    return made.sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM)


PEM = certificate()


def message(text: Any, type_: str = "Notification", **fields: Any) -> dict[str, Any]:
    """Signed; ``text`` is what was published. None takes a field out."""
    whole: dict[str, Any] = {
        "Type": type_, "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": TOPIC,
        "Message": text if isinstance(text, str) else json.dumps(text),
        "Timestamp": "2026-11-23T21:19:59.012Z", "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
    } | fields  # fmt: skip
    whole = {name: value for name, value in whole.items() if value is not None}
    signed = "".join(f"{name}\n{whole[name]}\n" for name in ORDER[type_] if name in whole)
    made = KEY.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return whole | {"Signature": base64.b64encode(made).decode()}


FIRING = json.dumps(message(ALARM, Subject='ALARM: "ServerCpuTooHigh" in EU (Ireland)')).encode()
RESOLVED = json.dumps(message(OVER, Subject='OK: "ServerCpuTooHigh" in EU (Ireland)')).encode()


def sent(body: bytes, secret: str) -> RawRequest:
    headers = {"x-amz-sns-message-type": "Notification"}
    return RawRequest(headers, body, {"token": secret}, documents={CERTIFICATE: PEM})
