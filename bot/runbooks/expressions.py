"""The expression language: Jinja2's, in an immutable sandbox, three-valued.

Labels and inputs only ever enter as values, never as templates. ``*`` and ``**`` are refused,
since ``'a' * 10**8`` would eat the memory; what is undefined is *unknown*, and unknown never
passes.
"""

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.errors import BadInput

_LIMIT = 10_000


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - Jinja2's signature
        if operator == "*" and _number(left) and _number(right):
            return super().call_binop(context, operator, left, right)
        raise SecurityError(f"the operator {operator!r} is not allowed here")


_environment = _Environment(undefined=StrictUndefined, autoescape=False)
_environment.globals.clear()


def evaluate(expression: str, names: Mapping[str, Any]) -> tuple[bool | None, str]:
    """True, False or None (unknown), and why if it is not True."""
    try:
        found = _environment.compile_expression(expression, undefined_to_none=False)(**names)
        if isinstance(found, StrictUndefined):
            return None, f"{expression}: not known"
        if not isinstance(found, bool):
            return None, f"{expression}: gives {found!r}, not true or false"
    except UndefinedError as error:
        return None, f"{expression}: {error}"
    except (TypeError, ArithmeticError, ValueError, SecurityError) as error:
        return None, f"{expression}: cannot be told: {error}"
    return found, "" if found else f"{expression}: is false"


def check_syntax(expression: str) -> str:
    """What is wrong with the expression, or an empty string."""
    try:
        _environment.compile_expression(expression)
    except TemplateSyntaxError as error:
        return str(error)
    return ""


def templated(value: Any) -> bool:  # noqa: ANN401 - YAML of any shape
    """Whether the value holds a ``{{ … }}`` somewhere."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, dict):
        return any(templated(v) for v in value.values())
    return isinstance(value, list) and any(templated(v) for v in value)


def render(value: Any, names: Mapping[str, Any]) -> Any:  # noqa: ANN401 - YAML of any shape
    """Fills in ``{{ … }}`` below ``value``. A lone ``{{ x }}`` keeps x's own type.

    Raises `BadInput` for an unknown name, `UndefinedError` never.
    """
    if isinstance(value, dict):
        return {key: render(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [render(each, names) for each in value]
    if not isinstance(value, str) or not templated(value):
        return value
    try:
        return _render_text(value, names)
    except (UndefinedError, SecurityError, TypeError, ValueError, TemplateSyntaxError) as error:
        raise BadInput(f"{value}: {error}") from None


def _render_text(value: str, names: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the value's own type
    text = value.strip()
    inner = text[2:-2]
    if text.startswith("{{") and text.endswith("}}") and "{{" not in inner and "}}" not in inner:
        found = _environment.compile_expression(inner, undefined_to_none=False)(**names)
        if isinstance(found, StrictUndefined):
            raise BadInput(f"{value}: is not known")
        return found
    rendered = _environment.from_string(value).render(**names)
    if len(rendered) > _LIMIT:
        raise BadInput(f"{value[:60]}: renders to more than {_LIMIT} characters")
    return rendered


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
