"""Requests and answers against a vendor's own API description: OpenAPI 3 and Swagger 2."""

import gzip
import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import jsonschema
import pytest

from tests.servers.http_app import Received

FOLDER = Path(__file__).parents[2].parent / "shared/specs"


class Spec:
    """One description. ``below`` is what stands before its paths, as its server's address has it."""

    def __init__(self, file: str, below: str = "") -> None:
        path = FOLDER / file
        if not path.exists():
            if os.environ.get("CI") == "true":
                pytest.fail(f"{path} is absent, and in CI it must not be")
            pytest.skip(f"the vendor's API description is not at {path}")
        self.root: dict[str, Any] = nullable(json.loads(gzip.decompress(path.read_bytes())))
        self.below = below

    def conforms(self, request: Received) -> Any:
        """Checks path, query, headers and body, and that nothing is sent that is not described."""
        found, values = self._operation(request.method, request.path)
        query = dict(parse_qsl(request.query))
        known = {(p["in"], p["name"]): p for p in map(self._seen, found.get("parameters", []))}
        for (place, name), parameter in known.items():
            given = {
                "path": values, "query": query, "header": request.headers,
            }.get(place, {}).get(name.lower() if place == "header" else name)  # fmt: skip
            if place != "body":
                assert given is not None or not parameter.get("required"), name
            if given is not None and place != "body":
                self.check(parameter.get("schema", parameter), _typed(given, parameter))
        assert {("query", name) for name in query} <= set(known)
        schema = self._body(found, known)
        if schema is None:
            assert request.body == ""
            return query
        assert request.headers["content-type"] == "application/json"
        self.check(schema, request.json())
        return request.json()

    def gives(self, method: str, path: str, status: int, body: Any) -> str:
        """An answer as the description has it, as JSON."""
        found, _ = self._operation(method, path)
        answer = self._seen(found["responses"][str(status)])
        content = answer.get("content", {}).get("application/json", answer)
        self.check(content["schema"], body)
        return json.dumps(body)

    def check(self, schema: dict[str, Any], value: Any) -> None:
        parts = {k: self.root[k] for k in ("components", "definitions") if k in self.root}
        jsonschema.Draft4Validator({"allOf": [schema], **parts}).validate(value)

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any], dict[str, str]]:
        plain = path.removeprefix(self.below)
        for known, item in sorted(self.root["paths"].items(), key=lambda each: "{" in each[0]):
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+?)", re.escape(known))
            found = re.fullmatch(pattern, plain)
            if found and method.lower() in item:
                values = {k: unquote(v) for k, v in found.groupdict().items()}
                return item[method.lower()], values
        raise AssertionError(f"the vendor has no {method} {plain}")

    def _body(self, found: dict[str, Any], known: dict[Any, Any]) -> Any:
        if "requestBody" in found:
            return self._seen(found["requestBody"])["content"]["application/json"]["schema"]
        return next((p["schema"] for (place, _), p in known.items() if place == "body"), None)

    def _seen(self, value: dict[str, Any]) -> dict[str, Any]:
        """Without a reference in between."""
        while "$ref" in value:
            at: Any = self.root
            for part in value["$ref"].removeprefix("#/").split("/"):
                at = at[part.replace("~1", "/").replace("~0", "~")]
            value = at
        return value


def _typed(given: str, parameter: dict[str, Any]) -> Any:
    kind = parameter.get("schema", parameter).get("type")
    if kind == "integer":
        return int(given)
    if kind == "boolean":
        return {"true": True, "false": False}[given]
    return given.split(",") if kind == "array" else given


def nullable(schema: Any) -> Any:
    """OpenAPI's `nullable` in JSON Schema's own words."""
    if isinstance(schema, list):
        return [nullable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: nullable(value) for key, value in schema.items()}
    if made.pop("nullable", False) is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made
