"""Where a value is in an event, said in JMESPath (https://jmespath.org) with the functions of ``functions``. Pure."""

from dataclasses import dataclass, field
from typing import Any

from jmespath.exceptions import JMESPathTypeError
from jmespath.functions import TYPES_MAP
from jmespath.visitor import Options, TreeInterpreter

from ringback.errors import RingbackError
from ringback.expressions.functions import Functions, is_true
from ringback.expressions.request_parts import Part, list_parts
from ringback.expressions.syntax import parse_tree

__all__ = ["Expression", "ExpressionFailed", "compile_expression", "is_true"]


class ExpressionFailed(RingbackError):
    """An expression can't be worked out on an event. ``text`` is the expression; the message shows no value."""

    def __init__(self, text: str, why: str) -> None:
        """Keep the expression."""
        super().__init__(why)
        self.text = text


@dataclass(frozen=True)
class Expression:
    """A compiled expression; two of the same text are equal. ``reads`` has what it reads of the request."""

    text: str
    reads: frozenset[Part] = field(repr=False, compare=False)
    _tree: Any = field(repr=False, compare=False)
    _interpreter: TreeInterpreter = field(repr=False, compare=False)

    def search(self, data: object) -> object:
        """Return the expression's value on ``data``, None if there is none. Raises ExpressionFailed.

        Parts of the value may be parts of ``data``: neither is to be changed.
        """
        try:
            return self._interpreter.visit(self._tree, data)
        except JMESPathTypeError as error:
            raise ExpressionFailed(self.text, _explain(error)) from None
        except Exception as error:  # noqa: BLE001 - the library lets through what odd values make Python raise
            raise ExpressionFailed(self.text, f"can't be worked out on these values ({type(error).__name__})") from None


def compile_expression(text: str) -> Expression:
    """Return the compiled expression. Raises ValueError, in one line: see ``parse_tree`` and ``list_parts``."""
    tree = parse_tree(text)
    # One interpreter for good: the library makes one for each search, which takes as long as the search itself.
    interpreter = TreeInterpreter(Options(custom_functions=Functions()))
    return Expression(text, frozenset(list_parts(tree)), tree, interpreter)


def _explain(error: JMESPathTypeError) -> str:
    given = TYPES_MAP.get(error.actual_type, error.actual_type)
    wanted = " or ".join(kind.replace("-", " of ") for kind in error.expected_types)
    return f"{error.function_name}() takes {wanted}, and is given {given}"
