"""kmock's emulator, with what a real API server adds and our code relies on.

Bearer tokens, one of which may only read; identity, resourceVersion and generation; JSON patches
that are refused as a whole; the status as a part of its own; label selectors; objects that do not
fit Kubernetes' own schema refused.
"""

import asyncio
import copy
import functools
import itertools
import sys
import uuid
from datetime import UTC, datetime
from typing import Any

import aiohttp.web
import jsonpatch
import jsonschema
import kubernetes_validate
from kmock import KubernetesEmulator, KubernetesError, Server

from tests.servers import kubernetes_chaos
from tests.servers.process import HOST

SCHEMA = "1.33"
_KEPT = 20
LOSE = "/tests/lose-the-next-answer"
_VERBS = {"POST", "PATCH", "PUT", "DELETE"}


class ApiServer(KubernetesEmulator):
    """Changes are computed and checked here, then handed to the emulator as whole objects."""

    def __init__(self, token: str, reader: str) -> None:
        super().__init__()
        self.token, self.reader = token, reader
        self.losing = False  # whether the answer to the next JSON patch gets lost on its way
        self.versions = itertools.count(1)
        for plural in ("deployments", "replicasets"):
            self.resources[f"apps/v1/{plural}"] = {"namespaced": True}
        for name in kubernetes_chaos.RESOURCES:
            self.resources[name] = {"namespaced": True}

    async def _handle(self, request: Any) -> aiohttp.web.StreamResponse:
        self._authorize(request)
        if request.url.path == LOSE:
            self.losing = True
            return aiohttp.web.Response()
        del self._requests[:-_KEPT]  # each request is looked for among all that came
        if request.method == "POST":
            _set(request, self._created(request.data))
        elif request.method == "PATCH":
            key = (request.resource, request.namespace, request.name)
            if key in self.objects and not self.objects[key].deleted:
                self.objects[key].create(self._patched(request, self.objects[key].raw))
                del self.objects[key].history[:-1]
                _set(request, {})
                if self.losing and "json-patch" in request.headers.get("Content-Type", ""):
                    self.losing = False
                    request._raw_request.transport.abort()
        return await super()._handle(request)

    def _authorize(self, request: Any) -> None:
        given = {name.lower(): value for name, value in request.headers.items()}
        token = given.get("authorization", "").removeprefix("Bearer ")
        if token not in {self.token, self.reader}:
            raise KubernetesError(401, "Unauthorized", "Unauthorized", {})
        if token == self.reader and request.method in _VERBS:
            said = (
                f'{request.resource.plural}.apps "{request.name}" is forbidden: '
                f'User "reader" cannot patch resource "{request.resource.plural}"'
            )
            raise KubernetesError(403, "Forbidden", said, {"name": request.name})

    async def _serve_list(self, request: Any) -> Any:
        found = await super()._serve_list(request)
        wanted = dict(
            part.split("=") for part in request.params.get("labelSelector", "").split(",") if part
        )
        found["items"] = [
            item
            for item in found["items"]
            if wanted.items() <= item["metadata"].get("labels", {}).items()
        ]
        return found

    def _created(self, body: dict[str, Any]) -> dict[str, Any]:
        new = copy.deepcopy(body)
        new["metadata"] |= {
            "uid": str(uuid.uuid4()),
            "creationTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "generation": 1,
        }
        if new["kind"] not in kubernetes_chaos.KINDS:  # theirs is not a part of its own
            new.pop("status", None)
        return self._stamped(new)

    def _patched(self, request: Any, old: dict[str, Any]) -> dict[str, Any]:
        kind = request.headers.get("Content-Type", "")
        if "json-patch" in kind:
            new = self._json_patch(old, request.data)
        elif "merge-patch" in kind:
            new = _merged(copy.deepcopy(old), request.data)
        else:
            raise KubernetesError(415, "UnsupportedMediaType", f"not supported: {kind}", {})
        asked = request.data.get("metadata", {}) if isinstance(request.data, dict) else {}
        version = asked.get("resourceVersion", old["metadata"]["resourceVersion"])
        if version != old["metadata"]["resourceVersion"]:
            raise KubernetesError(409, "Conflict", "the object has been modified", {})
        keep = "spec" if request.subresource == "status" else "status"
        new.pop(keep, None)
        if keep in old:
            new[keep] = old[keep]
        if new["spec"] != old["spec"]:
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        return self._stamped(new)

    def _json_patch(self, old: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
        try:
            new: dict[str, Any] = jsonpatch.apply_patch(copy.deepcopy(old), steps)
        except jsonpatch.JsonPatchTestFailed as error:
            said = "the server rejected our request due to an error in our request"
            causes = [{"reason": "UnexpectedServerResponse", "message": f"test failed: {error}"}]
            raise KubernetesError(422, "Invalid", said, {"causes": causes}) from error
        except jsonpatch.JsonPatchException as error:
            raise KubernetesError(422, "Invalid", str(error), {}) from error
        return new

    def _stamped(self, new: dict[str, Any]) -> dict[str, Any]:
        try:
            if new["kind"] in kubernetes_chaos.KINDS:
                kubernetes_chaos.validate(new)
            else:
                kubernetes_validate.validate(new, SCHEMA, strict=True)
        except (kubernetes_validate.ValidationError, jsonschema.ValidationError) as error:
            where = ".".join(str(part) for part in error.path)
            said = f"{new['kind']} is invalid: {where}: {error.message[:200]}"
            raise KubernetesError(422, "Invalid", said, {}) from error
        new["metadata"]["resourceVersion"] = str(next(self.versions))
        return new


def _set(request: Any, data: dict[str, Any]) -> None:
    """In place: the emulator knows a request by its identity."""
    object.__setattr__(request, "data", data)


def _merged(old: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """RFC 7396."""
    for key, value in patch.items():
        if value is None:
            old.pop(key, None)
        elif isinstance(value, dict):
            old[key] = _merged(old[key] if isinstance(old.get(key), dict) else {}, value)
        else:
            old[key] = value
    return old


def _read_schemas_once() -> None:
    """Reading them takes ten times as long as checking an object."""
    schemas = kubernetes_validate.utils
    schemas.schema_contents = functools.cache(schemas.schema_contents)
    schemas.all_versions = functools.cache(schemas.all_versions)


async def _serve(port: int, token: str, reader: str) -> None:
    handler = ApiServer(token, reader)
    async with handler, Server(handler, HOST, port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    _read_schemas_once()
    asyncio.run(_serve(int(sys.argv[1]), *sys.argv[2:4]))
