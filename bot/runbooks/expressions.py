"""The expression language: Jinja2's, in an immutable sandbox, three-valued.

Labels and inputs only ever enter as values, never as templates. What can grow a small text into
one that eats the memory is not there: ``'a' * 10**8``, ``ljust``, loops; of filters and methods
only the harmless ones are. What is undefined is *unknown*, and unknown never passes.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any, cast

from jinja2 import (
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    UndefinedError,
    meta,
    nodes,
    tests,
)
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.errors import BadInput

_LIMIT = 10_000
_LONGEST = 2_000  # of one expression: deeper nesting than that only breaks the parser
_FILTERS = (
    "abs", "count", "d", "default", "first", "float", "int", "last", "length", "list", "lower",
    "map", "max", "min", "reject", "rejectattr", "select", "selectattr", "sort", "string", "sum",
    "trim", "unique", "upper",
)  # fmt: skip
_METHODS = ("endswith", "get", "items", "keys", "lower", "startswith", "strip", "upper", "values")
_GROWING = (nodes.For, nodes.Assign, nodes.AssignBlock)
_TROUBLE = (
    TemplateError, TypeError, ArithmeticError, ValueError, LookupError, AttributeError,
    RecursionError,
)  # fmt: skip


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%"})

    def _generate(self, source: nodes.Template, *more: Any, **named: Any) -> str:  # noqa: ANN401 - Jinja2's signature
        for node in list(source.find_all(_HOLDING)):
            _ask_within(node)
        source.set_environment(self)
        return super()._generate(source, *more, **named)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - Jinja2's signature
        if operator == "*" and _number(left) and _number(right):
            return super().call_binop(context, operator, left, right)
        raise SecurityError(f"the operator {operator!r} is not allowed here")

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - Jinja2's signature
        """A key comes before a method of that name: ``out.values`` is what the target said."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ANN401 - Jinja2's signature
        if isinstance(obj, StrictUndefined):
            return True  # calling it says what is not known
        plain = isinstance(getattr(obj, "__self__", None), str | dict)
        return plain and getattr(obj, "__name__", "") in _METHODS


_HOLDING = (nodes.Compare, nodes.Filter, nodes.List, nodes.Pair, nodes.Tuple)
_KNOWN = " known"  # a filter of ours, by a name that nobody can write


def _ask_within(node: nodes.Node) -> None:
    """What an empty list never looks at must be known all the same: ``x not in []`` asks of x."""
    match node:
        case nodes.Compare() if any(each.op in ("in", "notin") for each in node.ops):
            node.expr = _asked(node.expr)
            for each in node.ops:
                each.expr = _asked(each.expr)
        case nodes.Filter() if node.name not in ("default", "d"):
            node.args = [_asked(each) for each in node.args]
            for named in node.kwargs:
                named.value = _asked(named.value)
        case nodes.List() | nodes.Tuple():
            node.items = [_asked(each) for each in node.items]
        case nodes.Pair():
            node.value = _asked(node.value)


def _asked(value: nodes.Expr) -> nodes.Expr:
    if isinstance(value, nodes.Const):
        return value
    return nodes.Filter(value, _KNOWN, [], [], None, None)


def _known(value: Any) -> Any:  # noqa: ANN401 - any value
    if isinstance(value, StrictUndefined):
        str(value)  # raises, with what is not known
    return value


def _of_the_known(test: Callable[..., Any]) -> Callable[..., Any]:
    """``x is not none`` must not hold because nobody knows x: only ``defined`` may ask that."""
    if test in (tests.test_defined, tests.test_undefined):
        return test

    @wraps(test)
    def asked(*given: Any) -> Any:  # noqa: ANN401 - Jinja2's signature
        return test(*map(_known, given))

    return asked


_environment = _Environment(undefined=StrictUndefined, autoescape=False)
_environment.globals.clear()
_environment.tests = {
    name: _of_the_known(cast("Callable[..., Any]", test))
    for name, test in _environment.tests.items()
}
_environment.filters = {name: _environment.filters[name] for name in _FILTERS}
_environment.filters[_KNOWN] = _known


def evaluate(expression: str, names: Mapping[str, Any]) -> tuple[bool | None, str]:
    """True, False or None (unknown), and why if it is not True."""
    try:
        found = _environment.compile_expression(expression, undefined_to_none=False)(**names)
        if isinstance(found, StrictUndefined):
            return None, f"{expression}: not known"
        if not isinstance(found, bool):
            return None, f"{expression}: gives {found!r:.200}, not true or false"
    except UndefinedError as error:
        return None, f"{expression}: {error}"
    except _TROUBLE as error:
        return None, f"{expression}: cannot be told: {error}"
    return found, "" if found else f"{expression}: is false"


@lru_cache(maxsize=1024)
def check_syntax(expression: str) -> str:
    """What is wrong with the expression, or an empty string."""
    if len(expression) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    try:
        _environment.compile_expression(expression)
    except TemplateSyntaxError as error:
        return str(error)
    except (SyntaxError, RecursionError, MemoryError):
        return "is nested too deeply"
    return ""


@lru_cache(maxsize=1024)
def roots(text: str) -> frozenset[str]:
    """The names that an expression or a template takes from outside: ``inputs``, ``out`` …"""
    try:
        return frozenset(meta.find_undeclared_variables(_environment.parse(text)))
    except (TemplateSyntaxError, RecursionError):
        return frozenset()


def references(text: str) -> list[tuple[str, str]]:
    """What a template takes from ``inputs`` and ``steps``: ``("inputs", "zone")`` and so on."""
    try:
        tree = _environment.parse(text)
    except (TemplateSyntaxError, RecursionError):
        return []
    dotted = [(a.node, a.attr) for a in tree.find_all(nodes.Getattr)]
    dotted += [
        (i.node, str(i.arg.value))
        for i in tree.find_all(nodes.Getitem)
        if isinstance(i.arg, nodes.Const)
    ]
    return [
        (node.name, key)
        for node, key in dotted
        if isinstance(node, nodes.Name) and node.name in ("inputs", "steps")
    ]


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
    except _TROUBLE as error:
        raise BadInput(f"{value}: {error}") from None


def _render_text(value: str, names: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the value's own type
    text = value.strip()
    inner = text[2:-2]
    if text.startswith("{{") and text.endswith("}}") and "{{" not in inner and "}}" not in inner:
        found = _environment.compile_expression(inner, undefined_to_none=False)(**names)
        if isinstance(found, StrictUndefined):
            raise BadInput(f"{value}: is not known")
        return found
    tree = _environment.parse(value)
    if any(tree.find(kind) for kind in _GROWING):
        raise BadInput(f"{value[:60]}: loops and variables are not allowed here")
    rendered = _environment.from_string(value).render(**names)
    if len(rendered) > _LIMIT:
        raise BadInput(f"{value[:60]}: renders to more than {_LIMIT} characters")
    return rendered


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
