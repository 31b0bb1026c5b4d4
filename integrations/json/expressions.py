"""JMESPath expressions out of the catalog: checked when it is read, evaluated within a budget.

JMESPath has no loops, but an expression can make copies of a list and join them, again and again,
and each time twice as much is there. So what an expression does and builds is counted.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import jmespath
from jmespath import exceptions, functions, visitor

from bot.errors import BadInput

MAX_EXPRESSION = 1_000  # characters
MAX_STEPS = 1_000_000  # in one request: about a second
_BUILDERS = {"flatten", "function_expression", "multi_select_dict", "multi_select_list"}


def compiled(name: str, text: str) -> Any:  # noqa: ANN401 - the library has no types
    """The setting's expression. Raises `BadInput` whose field is the setting."""
    if len(text) > MAX_EXPRESSION:
        raise BadInput(f"longer than {MAX_EXPRESSION} characters", field=name)
    try:
        expression = jmespath.compile(text)
    except RecursionError:
        raise BadInput("the expression is nested too deep", field=name) from None
    except exceptions.ParseError as error:
        raise BadInput(_misread(error), field=name) from None
    except ValueError as error:
        raise BadInput(_first_line(error), field=name) from None
    for call in _calls(expression.parsed):
        if wrong := _wrong_call(call):
            raise BadInput(wrong, field=name)
    return expression


class Search:
    """The expressions of one sender, over what one request brought."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._meter = _Meter(MAX_STEPS)

    def __call__(self, name: str, value: Any, field: str) -> Any:  # noqa: ANN401 - any JSON
        """What the setting's expression finds; None where there is no such setting.

        Raises `BadInput` naming the field where the expression fails on this value.
        """
        if name not in self._settings:
            return None
        expression = compiled(name, self._settings[name])
        try:
            return self._meter.visit(expression.parsed, value)
        except (ValueError, TypeError, ArithmeticError) as error:
            reason = _first_line(error)
        except RecursionError:
            reason = "it is nested too deep"
        raise BadInput(f"Field {field}: the expression failed: {reason}.", field=field)


class _Functions(functions.Functions):  # type: ignore[misc]  # the library has no types
    @functions.signature({"types": ["string"]}, {"types": ["array-string"]})  # type: ignore[untyped-decorator]  # same
    def _func_join(self, separator: str, texts: list[str]) -> str:
        """The one function that makes far more than it was given."""
        if len(separator) * len(texts) > MAX_STEPS:
            raise ValueError("join() would make a text that is too long")
        return separator.join(texts)


class _Meter(visitor.TreeInterpreter):  # type: ignore[misc]  # the library has no types
    """The library's interpreter, until the steps are used up."""

    def __init__(self, steps: int) -> None:
        super().__init__(visitor.Options(custom_functions=_Functions()))
        self._left = steps

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - its signature
        self._pay(1)
        made = super().visit(node, *args, **kwargs)
        if node["type"] in _BUILDERS:
            self._pay(_size(made, self._left))
        return made

    def _pay(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise ValueError(f"the expressions take more than {MAX_STEPS} steps for this request")


def _size(value: Any, most: int) -> int:  # noqa: ANN401 - any JSON
    """The values in it, and each hundred characters; not counted further than needed."""
    total, left = 0, [value]
    while left and total <= most:
        item = left.pop()
        total += 1 + (len(item) // 100 if isinstance(item, str) else 0)
        if isinstance(item, dict):
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)
    return total


def _calls(parsed: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - the library's tree
    left = [parsed]
    while left:
        node = left.pop()
        if isinstance(node, dict):  # a slice's children are numbers
            left.extend(node["children"])
            if node["type"] == "function_expression":
                yield node


def _wrong_call(call: dict[str, Any]) -> str:
    """The library itself finds these only when the function is called."""
    name, given = call["value"], len(call["children"])
    known = functions.Functions.FUNCTION_TABLE
    if name not in known:
        guess = get_close_matches(name, known, n=1)
        return f"there is no function {name}()" + (f", did you mean {guess[0]}()?" if guess else "")
    signature = known[name]["signature"]
    variadic = bool(signature and signature[-1].get("variadic"))
    if given < len(signature) or (given > len(signature) and not variadic):
        return f"{name}() takes {len(signature)}{' or more' * variadic} arguments, not {given}"
    return ""


def _misread(error: Any) -> str:  # noqa: ANN401 - the library has no types
    token = str(error.token_value or "")[:40]
    if not token:
        return "no JMESPath expression: it ends too early"
    return f"no JMESPath expression: {token!r} does not fit at character {error.lex_position + 1}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200].rstrip(".")
