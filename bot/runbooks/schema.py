"""JSON Schema of a runbook's YAML parts, for editors: generated, so that it is never behind."""

from typing import Any, Literal

from bot.catalog.durations import LONGEST
from bot.registry import Registry
from bot.runbooks.model import Front, Step

Part = Literal["front", "step"]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(part: Part, registry: Registry) -> dict[str, Any]:
    """The schema of the front matter, or of a ``yaml step`` block with every action's arguments."""
    schema = (Front if part == "front" else Step).model_json_schema(by_alias=True)
    _ease(schema)
    title = "Front matter of a runbook" if part == "front" else "A step of a runbook"
    schema |= {"$schema": _DIALECT, "title": title}
    if part == "step":
        schema["properties"]["action"]["enum"] = sorted(registry.actions)
        schema["allOf"] = [_arguments(name, registry) for name in sorted(registry.actions)]
    return schema


def _arguments(name: str, registry: Registry) -> dict[str, Any]:
    """If the step has this action, its ``with`` has these names. Values may be templates."""
    fields = registry.actions[name].Params.model_fields
    return {
        "if": {"properties": {"action": {"const": name}}, "required": ["action"]},
        "then": {
            "properties": {
                "with": {
                    "type": "object",
                    "properties": {
                        key: {"description": field.description or ""}
                        for key, field in fields.items()
                    },
                    "required": [key for key, field in fields.items() if field.is_required()],
                    "additionalProperties": False,
                }
            }
        },
    }


def _ease(part: Any) -> None:  # noqa: ANN401 - any part of a schema
    """A duration is read from text such as ``30s``: pydantic describes what it becomes."""
    if isinstance(part, dict):
        if LONGEST in (part.get("maximum"), part.get("le")):
            for key in ("exclusiveMinimum", "maximum", "gt", "le"):
                part.pop(key, None)
            part |= {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"}
            if isinstance(part.get("default"), float):
                part["default"] = f"{part['default']:g}s"
        if "anyOf" in part and part.get("default") is None:
            part.pop("default", None)
        for each in part.values():
            _ease(each)
    elif isinstance(part, list):
        for each in part:
            _ease(each)
