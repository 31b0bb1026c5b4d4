"""A stand-in for Google Drive and its sign-in, over HTTP, as strict as their descriptions allow.

What a request may say is from Google's discovery document of Drive v3 (parameters of ``files.list``,
``get``, ``create``, ``update``; the fields of a file), from its guide to uploads, and from RFC 7523.
What is not of that form is answered 400, and kept in `wrong`, which a test finds empty.
"""

import asyncio
import contextlib
import io
import itertools
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import jsonschema
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from docx import Document
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from tests.servers.http_app import HttpApp
from tests.servers.process import free_port

EMAIL = "jackline@acme-papers.iam.gserviceaccount.com"
FOLDER, SHARED = "fold_0123456789", "0AShared-Drive"
DOCUMENT = "application/vnd.google-apps.document"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SCOPES = {"https://www.googleapis.com/auth/drive"}
_EVERY = {"alt": "string", "fields": "string", "prettyPrint": "boolean", "quotaUser": "string"}
_MORE = {
    "includeLabels": "string", "includePermissionsForView": "string", "supportsAllDrives": "boolean",
}  # fmt: skip
_MAKES = {
    "ocrLanguage": "string", "keepRevisionForever": "boolean", "useContentAsIndexableText": "boolean",
    "uploadType": "string", "upload_id": "string",
}  # fmt: skip
PARAMETERS = {  # method → name → type
    "list": _EVERY | _MORE | {
        "corpora": "string", "driveId": "string", "includeItemsFromAllDrives": "boolean",
        "orderBy": "string", "pageSize": "integer", "pageToken": "string", "q": "string", "spaces": "string",
    },
    "get": _EVERY | _MORE | {"acknowledgeAbuse": "boolean"},
    "create": _EVERY | _MORE | _MAKES | {"ignoreDefaultVisibility": "boolean"},
    "update": _EVERY | _MORE | _MAKES | {"addParents": "string", "removeParents": "string"},
}  # fmt: skip
_TEXT = {"type": "string"}
FILE: dict[str, Any] = {  # of a file, what may be written and we could
    "type": "object", "additionalProperties": False,
    "properties": {
        "name": _TEXT, "mimeType": _TEXT, "description": _TEXT, "id": _TEXT,
        "parents": {"type": "array", "items": _TEXT, "maxItems": 1},
        "appProperties": {
            "type": "object", "maxProperties": 30,
            "propertyNames": {"maxLength": 24}, "additionalProperties": {"type": "string", "maxLength": 100},
        },  # 124 bytes are a name and its value
    },
}  # fmt: skip
_HAS = re.compile(r"appProperties has \{ key='(\w+)' and value='([\w.-]+)' \}")
_LARGEST_PAGE = 1000


@dataclass
class Fault:
    """The next request of that kind goes wrong: answered so, or after it was done not at all."""

    of: str  # token, get, list, create, update, content, status
    status: int = 503
    reason: str = "backendError"
    lost: str = ""  # "before" or "after" it was done
    headers: dict[str, str] = field(default_factory=dict)


class GoogleDrive(HttpApp):
    """`files` are there; `faults` come in their order; `lag` searches do not see what is new.

    A request of the kind that it `holds` is done, and not answered while it does.
    """

    def __init__(self, name: str, port: int) -> None:
        super().__init__(name, port)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        self.public = RSAKey.import_key(self.private)
        self.files: dict[str, dict[str, Any]] = {
            FOLDER: {
                "id": FOLDER, "mimeType": "application/vnd.google-apps.folder", "driveId": SHARED,
            },
        }  # fmt: skip
        self.uploads: list[bytes] = []  # all that was stored
        self.asked: list[str] = []  # the kinds of requests
        self.wrong: list[str] = []
        self.faults: list[Fault] = []
        self.lag = 0
        self.holds = ""
        self.shared_with: set[str] = {EMAIL}
        self._sessions: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self._tokens: set[str] = set()

    @property
    def key_file(self) -> str:
        """The JSON key, as Google lets it be downloaded."""
        return json.dumps({
            "type": "service_account", "project_id": "acme-papers", "private_key_id": "k1",
            "private_key": self.private, "client_email": EMAIL, "client_id": "1",
            "token_uri": f"{self.url}/token", "universe_domain": "googleapis.com",
        })  # fmt: skip

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [each for each in self.files.values() if each["mimeType"] == DOCUMENT]

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        kind = self._kind(request)
        self.asked.append(kind)
        fault = self.faults.pop(0) if self.faults and self.faults[0].of == kind else None
        if fault and fault.lost != "after":
            return _dropped(request) if fault.lost else _error(fault.status, fault.reason, fault)
        try:
            answer = self._answer(kind, request, body)
        except (ValueError, KeyError, LookupError, jsonschema.ValidationError) as error:
            self.wrong.append(f"{kind}: {type(error).__name__}: {str(error)[:300]}")
            return _error(400, "badRequest")
        while self.holds == kind:
            await asyncio.sleep(0.02)
        return _dropped(request) if fault else answer

    def _kind(self, request: web.BaseRequest) -> str:
        path, upload = request.path, request.path.startswith("/upload/")
        match request.method:
            case "POST":
                return "token" if path == "/token" else "create"
            case "PATCH":
                return "update"
            case "PUT":
                return "status" if "Content-Range" in request.headers else "content"
        if upload:
            return "content"
        return "list" if path == "/drive/v3/files" else "get"

    def _answer(self, kind: str, request: web.BaseRequest, body: bytes) -> web.Response:
        if kind == "token":
            return self._token(request, body)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._tokens:
            return _error(401, "authError")
        if kind in ("content", "status"):
            return self._content(kind, request, body)
        asked = dict(request.query)
        _check(PARAMETERS[kind], asked)
        if asked.get("supportsAllDrives") != "true":  # then a shared drive's files are not there
            return _error(404, "notFound")
        if kind in ("create", "update"):
            return self._begin(kind, request, asked, body)
        name = request.path.removeprefix("/drive/v3/files/")
        return self._list(asked) if kind == "list" else self._get(name, asked)

    def _token(self, request: web.BaseRequest, body: bytes) -> web.Response:
        assert request.content_type == "application/x-www-form-urlencoded"
        form = {n: v[0] for n, v in parse_qs(body.decode(), strict_parsing=True).items()}
        if form.keys() != {"grant_type", "assertion"}:
            raise ValueError(f"the form has {sorted(form)}")
        if form["grant_type"] != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            raise ValueError(form["grant_type"])
        try:
            signed = jwt.decode(form["assertion"], self.public, algorithms=["RS256"])
        except JoseError:
            return _json({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)  # fmt: skip
        head, claims = signed.header, signed.claims
        if (head.get("typ"), head.get("kid")) != ("JWT", "k1"):
            raise ValueError(head)
        if claims["iss"] != EMAIL or claims["aud"] != f"{self.url}/token":
            raise ValueError(claims)
        if set(claims["scope"].split()) - SCOPES:
            return _json({"error": "invalid_scope"}, 400)
        if not time.time() - 60 < claims["iat"] < claims["exp"] <= claims["iat"] + 3600:
            return _json({"error": "invalid_grant", "error_description": "iat and exp"}, 400)
        token = f"ya29.token-{next(self._numbers)}"
        self._tokens.add(token)
        return _json({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _list(self, asked: dict[str, str]) -> web.Response:
        if asked.get("includeItemsFromAllDrives") != "true":
            return _json({"files": []})
        if not 1 <= int(asked["pageSize"]) <= _LARGEST_PAGE:
            raise ValueError(asked["pageSize"])
        if (asked.get("corpora") == "drive") != ("driveId" in asked):
            raise ValueError("driveId goes with the corpora drive")
        if asked.get("driveId", SHARED) != SHARED:
            return _error(404, "notFound")
        *terms, last = asked["q"].split(" and trashed")
        if last != " = false" or len(terms) != 1:
            raise ValueError(asked["q"])
        wanted = dict(_HAS.findall(terms[0]))
        if " and ".join(f"appProperties has {{ key='{k}' and value='{v}' }}" for k, v in wanted.items()) != terms[0]:  # fmt: skip
            raise ValueError(asked["q"])
        found = [
            each for each in self.documents
            if wanted.items() <= each["appProperties"].items() and not each["trashed"]
        ]  # fmt: skip
        if self.lag:
            self.lag, found = self.lag - 1, []
        whole = asked["fields"].removeprefix("files(").removesuffix(")")
        found.sort(key=lambda each: each["createdTime"])
        return _json({"files": [_part(each, whole) for each in found]})

    def _get(self, name: str, asked: dict[str, str]) -> web.Response:
        if name not in self.files or (name == FOLDER and EMAIL not in self.shared_with):
            return _error(404, "notFound", said=f"File not found: {name}.")
        return _json(_part(self.files[name], asked["fields"]))

    def _begin(
        self, kind: str, request: web.BaseRequest, asked: dict[str, str], body: bytes
    ) -> web.Response:
        """Of a resumable upload: nothing is made yet."""
        if asked.get("uploadType") != "resumable" or request.content_type != "application/json":
            raise ValueError("no resumable upload")
        about, size = json.loads(body), int(request.headers["X-Upload-Content-Length"])
        jsonschema.validate(about, FILE)
        if request.headers["X-Upload-Content-Type"] != DOCX or size < 1:
            raise ValueError("not the content that was said")
        if about.get("mimeType") == DOCUMENT and "id" in about:
            return _error(400, "invalid", said="Generated IDs are not supported for Docs Editors.")
        if refused := self._named(kind, request.path, about):
            return refused
        session = f"u{next(self._numbers)}"
        self._sessions[session] = {"about": about, "size": size, "fields": asked["fields"]}
        where = f"{self.url}{request.path}?uploadType=resumable&upload_id={session}"
        return web.Response(status=200, headers={"Location": where})

    def _named(self, kind: str, path: str, about: dict[str, Any]) -> web.Response | None:
        """Which file it is for; or why not."""
        if kind == "create":
            if path != "/upload/drive/v3/files" or about["parents"] != [FOLDER]:
                raise ValueError(path)
            about["id"] = f"doc_{next(self._numbers):012d}"
            shared = self.files[FOLDER].get("driveId")
            return None if shared else _error(403, "storageQuotaExceeded")
        about["id"] = path.removeprefix("/upload/drive/v3/files/")
        if "parents" in about:
            return _error(403, "fieldNotWritable")
        return None if about["id"] in self.files else _error(404, "notFound")

    def _content(self, kind: str, request: web.BaseRequest, body: bytes) -> web.Response:
        session = self._sessions.get(request.query.get("upload_id", ""))
        if session is None:
            return _error(404, "notFound")
        if kind == "status":
            if body or request.headers["Content-Range"] != f"bytes */{session['size']}":
                raise ValueError(request.headers["Content-Range"])
            if "made" not in session:
                return web.Response(status=308)
            return _json(_part(session["made"], session["fields"]))
        if len(body) != session["size"] or request.content_type != DOCX:
            raise ValueError("not the content that was said")
        assert Document(io.BytesIO(body)).paragraphs  # it can be converted
        session["made"] = self._stored(session["about"], body)
        return _json(_part(session["made"], session["fields"]))

    def _stored(self, about: dict[str, Any], body: bytes) -> dict[str, Any]:
        self.uploads.append(body)
        before = self.files.get(about["id"], {
            "trashed": False, "createdTime": next(self._numbers), "driveId": SHARED,
            "webViewLink": f"https://docs.google.com/document/d/{about['id']}/edit?usp=drivesdk",
        })  # fmt: skip
        own = {**before.get("appProperties", {}), **about.get("appProperties", {})}
        self.files[about["id"]] = {**before, **about, "appProperties": own}
        return self.files[about["id"]]


def _check(known: dict[str, str], asked: dict[str, str]) -> None:
    """Raises `ValueError` for a parameter that there is not, or of another type."""
    for name, value in asked.items():
        kind = known[name]
        if (kind == "boolean" and value not in ("true", "false")) or (
            kind == "integer" and not value.isdecimal()
        ):
            raise ValueError(f"{name}={value}")


def _part(file: dict[str, Any], fields: str) -> dict[str, Any]:
    """What was asked for, and nothing else."""
    return {name: file[name] for name in fields.split(",") if name in file}


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(body, status=status)


def _error(status: int, reason: str, fault: Fault | None = None, *, said: str = "") -> web.Response:
    """As Google words it."""
    each = {"domain": "global", "reason": reason, "message": said or f"Google says {reason}"}
    error = {"code": status, "message": each["message"], "errors": [each]}
    headers = fault.headers if fault else {}
    return web.json_response({"error": error}, status=status, headers=headers)


def _dropped(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


@contextlib.contextmanager
def google_drive() -> Iterator[GoogleDrive]:
    app = GoogleDrive("drive", free_port())
    app._start()
    try:
        yield app
    finally:
        app._end()
