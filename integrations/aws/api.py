"""One call of an AWS API: botocore writes, signs and reads it, the access path carries it.

botocore's own HTTP, its configuration files and its search for credentials are never used: the
address is the target's, keys and region are its settings.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx
from botocore import (  # type: ignore[import-untyped]  # it ships no type information
    auth,
    awsrequest,
    credentials,
    exceptions,
    loaders,
    model,
    parsers,
    serialize,
)

from bot.contract import Connection
from bot.contract.http import Api, retry_after
from bot.errors import AuthFailed, Rejected, Retryable, TargetError, Unknown

_BROKEN = 500
_TOO_MANY = 429
_SHOWN = 400  # characters of AWS's words
_SLOW_DOWN = frozenset(
    {
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_KEYS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


@cache
def described(service: str) -> model.ServiceModel:
    """What botocore knows of a service: its operations, and how each is written and read."""
    return model.ServiceModel(loaders.Loader().load_service_model(service, "service-2"), service)


async def look(connection: Connection, service: str, operation: str, /, **params: Any) -> Any:  # noqa: ANN401 - the API's own data
    """An operation that changes nothing: what is lost may be asked again."""
    return await _call(connection, service, operation, params, read=True)


async def change(connection: Connection, service: str, operation: str, /, **params: Any) -> Any:  # noqa: ANN401 - the API's own data
    """An operation that changes something: what is lost is not known."""
    return await _call(connection, service, operation, params, read=False)


async def _call(
    connection: Connection,
    service: str,
    operation: str,
    params: Mapping[str, Any],
    *,
    read: bool,
) -> Any:  # noqa: ANN401 - the API's own data
    known = described(service)
    request = _written(connection, known, operation, params)
    sign(request, connection.settings, known.signing_name)
    sent = request.prepare()
    headers = {name: _text(value) for name, value in sent.headers.items()}
    with Api(f"{operation}: AWS").reaching(once=not read):
        answer = await connection.http.request(
            sent.method, sent.url, headers=headers, content=sent.body or b""
        )
    return _read(answer, known, operation, read=read)


def _written(
    connection: Connection, known: model.ServiceModel, operation: str, params: Mapping[str, Any]
) -> awsrequest.AWSRequest:
    serializer = serialize.create_serializer(known.resolved_protocol, include_validation=True)
    try:
        written = serializer.serialize_to_request(dict(params), known.operation_model(operation))
    except exceptions.ParamValidationError as error:
        raise Rejected(f"{operation}: {error}") from error
    awsrequest.prepare_request_dict(written, endpoint_url=str(connection.http.base_url).rstrip("/"))
    return awsrequest.create_request_object(written)


def sign(request: awsrequest.AWSRequest, settings: Mapping[str, str], name: str) -> None:
    """Signature version 4 with the target's key. Raises `AuthFailed` naming what is missing."""
    for wanted in ("access_key_id", "secret_access_key", "region"):
        if not settings.get(wanted):
            raise AuthFailed(f"The target has no setting `{wanted}` in the catalog.")
    key = credentials.Credentials(
        settings["access_key_id"], settings["secret_access_key"], settings.get("session_token")
    )
    auth.SigV4Auth(key, name, settings["region"]).add_auth(request)


def _read(answer: httpx.Response, known: model.ServiceModel, operation: str, *, read: bool) -> Any:  # noqa: ANN401 - the API's own data
    whole = {
        "status_code": answer.status_code,
        "headers": awsrequest.HeadersDict(dict(answer.headers)),
        "body": answer.content,
    }
    shape = known.operation_model(operation).output_shape
    try:
        found = parsers.create_parser(known.resolved_protocol).parse(whole, shape)
    except parsers.ResponseParserError:
        said = answer.text[:200].strip()
        found = {"Error": {"Code": str(answer.status_code), "Message": said}}
    if answer.is_success and "Error" not in found:
        return found
    raise _refusal(answer, operation, found.get("Error", {}), read=read)


def _refusal(
    answer: httpx.Response, operation: str, error: Mapping[str, str], *, read: bool
) -> TargetError:
    """In AWS's words. A failure inside AWS tells nothing of what became of a change."""
    code = error.get("Code", "")
    said = f"{operation}: AWS answered {answer.status_code} {code}: {_words(error)}"
    if code in _SLOW_DOWN or answer.status_code == _TOO_MANY:
        wait = retry_after(answer.headers)
        return Retryable(said, retry_after=1.0 if wait is None else wait)
    if code in _KEYS or answer.status_code in {401, 403}:
        return AuthFailed(
            said, hint="Look at the target's keys, at what they may do, and at the clock here."
        )
    if answer.status_code >= _BROKEN:
        return Retryable(said) if read else Unknown(said)
    return Rejected(said)


def _words(error: Mapping[str, str]) -> str:
    """AWS shows what it would have signed, with a session's token in it: not for a timeline."""
    return error.get("Message", "").partition("The Canonical String")[0].strip()[:_SHOWN]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
