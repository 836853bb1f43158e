"""JMESPath's text as a checked syntax tree. Pure."""

import difflib
import warnings
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

from jmespath import exceptions
from jmespath.parser import Parser

from ringback.expressions.functions import Functions

VALUES = ("true", "false", "null")
HINTS = {
    "Unknown token '='": "; == compares",
    "Unknown token": "; a name with other characters than A-Z, a-z, 0-9 and _ stands in double quotes",
}


def parse_tree(text: str) -> Any:
    """Return the library's tree of an expression: nodes with ``type``, ``children`` and mostly ``value``.

    Raises ValueError, in one line, for bad syntax, unknown functions, and wrong numbers or kinds of arguments.
    """
    tree = _parse(text)
    for node in walk({"type": "expression", "children": [tree]}):
        children = [child for child in node["children"] if isinstance(child, dict)]
        if node["type"] == "function_expression":
            _check_call(node["value"], children)
        elif node["type"] == "comparator":
            _check_operands(children)
        elif any(child["type"] == "expref" for child in children):
            raise ValueError("what is marked with & can only be an argument of a function")
    return tree


def _parse(text: str) -> Any:
    try:
        # Text in backquotes without its inner quotes is old-style JMESPath: taken, without a warning nobody would see.
        with warnings.catch_warnings(action="ignore", category=PendingDeprecationWarning):
            return Parser().parse(text).parsed
    except exceptions.LexerError as error:
        hint = next((hint for start, hint in HINTS.items() if error.message.startswith(start)), "")
        raise ValueError(_in_one_line(f"{error.message} at character {error.lexer_position + 1}{hint}")) from None
    except exceptions.ParseError as error:
        if error.token_value in ("", None):
            raise ValueError("the expression is not complete") from None
        where = f"{error.token_value!r} is not expected at character {error.lex_position + 1}"
        hint = (
            f"; a number stands in backquotes: `{error.token_value}`"
            if str(error.token_value).lstrip("-").isdecimal()
            else ""
        )
        raise ValueError(where + hint) from None
    except exceptions.EmptyExpressionError:
        raise ValueError("the expression is empty") from None
    except RecursionError:
        raise ValueError("the expression is nested too deeply") from None


def _check_operands(operands: list[Any]) -> None:
    for word in (node["value"] for node in operands if node["type"] == "field" and node["value"] in VALUES):
        raise ValueError(f"{word} alone is the name of a field; the value stands in backquotes: `{word}`")


def _in_one_line(message: str) -> str:
    return " ".join(message.split())


def walk(tree: Any) -> Iterator[Any]:
    """Yield every node of a tree."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(child for child in node["children"] if isinstance(child, dict))


def _check_call(name: str, arguments: list[Any]) -> None:
    if name not in Functions.FUNCTION_TABLE:
        near = difflib.get_close_matches(name, Functions.FUNCTION_TABLE, n=1)
        raise ValueError(f"there is no function {name}()" + "".join(f"; is {known}() meant?" for known in near))
    signature = Functions.FUNCTION_TABLE[name]["signature"]
    is_open = "variadic" in signature[-1]
    if len(arguments) < len(signature) or (len(arguments) > len(signature) and not is_open):
        wanted = f"{len(signature)}{' or more' if is_open else ''} argument(s)"
        raise ValueError(f"{name}() takes {wanted}, and is given {len(arguments)}")
    for number, (given, parameter) in enumerate(zip(arguments, chain(signature, repeat(signature[-1]))), 1):  # noqa: B905 - the second never ends
        if (given["type"] == "expref") != ("expref" in parameter["types"]):
            wanted = "an expression marked with &" if "expref" in parameter["types"] else "a value, without &"
            raise ValueError(f"{name}() takes {wanted} as argument {number}")
