"""Where a value is in an event, said in JMESPath (https://jmespath.org) with the functions of ``functions``. Pure."""

from dataclasses import dataclass, field
from typing import Any

from jmespath.exceptions import JMESPathTypeError
from jmespath.functions import TYPES_MAP
from jmespath.visitor import Options, TreeInterpreter

from ringback.errors import RingbackError
from ringback.expressions.functions import Functions, TooMuch, is_true
from ringback.expressions.request_parts import Part, list_parts
from ringback.expressions.syntax import parse_tree, walk

__all__ = ["Expression", "ExpressionFailed", "compile_expression", "is_true"]


MOST_ELEMENTS = 200_000  # that one expression may make of one event: five for each value of the largest
_LOOPS = {"projection", "value_projection", "filter_projection", "flatten"}


class ExpressionFailed(RingbackError):
    """An expression can't be worked out on an event. ``text`` is the expression; the message shows no value."""

    def __init__(self, text: str, why: str) -> None:
        """Keep the expression."""
        super().__init__(why)
        self.text = text


class _Bounded(TreeInterpreter):
    """The library's interpreter for one search, with a bound on the elements of all the lists that it makes."""

    left = MOST_ELEMENTS

    def visit_projection(self, node: Any, value: Any) -> Any:
        """Work out ``a[*].b``."""
        return self._count(super().visit_projection(node, value))

    def visit_value_projection(self, node: Any, value: Any) -> Any:
        """Work out ``a.*.b``."""
        return self._count(super().visit_value_projection(node, value))

    def visit_filter_projection(self, node: Any, value: Any) -> Any:
        """Work out ``a[?b]``."""
        return self._count(super().visit_filter_projection(node, value))

    def visit_flatten(self, node: Any, value: Any) -> Any:
        """Work out ``a[]``."""
        return self._count(super().visit_flatten(node, value))

    def _count(self, made: Any) -> Any:
        self.left -= len(made or ())
        if self.left < 0:
            raise TooMuch(f"makes lists of more than {MOST_ELEMENTS} elements of this event: read less of it")
        return made


_OPTIONS = Options(custom_functions=Functions())
_UNBOUNDED = TreeInterpreter(_OPTIONS)  # of expressions that make no lists


@dataclass(frozen=True)
class Expression:
    """A compiled expression; two of the same text are equal. ``reads`` has the parts of the request that it reads."""

    text: str
    reads: frozenset[Part] = field(repr=False, compare=False)
    _tree: Any = field(repr=False, compare=False)
    _has_loops: bool = field(repr=False, compare=False)

    def search(self, data: object) -> object:
        """Return the expression's value on ``data``, None if there is none. Raises ExpressionFailed.

        Parts of the value may be parts of ``data``: neither is to be changed.
        """
        try:
            return (_Bounded(_OPTIONS) if self._has_loops else _UNBOUNDED).visit(self._tree, data)
        except TooMuch as error:
            raise ExpressionFailed(self.text, str(error)) from None
        except JMESPathTypeError as error:
            raise ExpressionFailed(self.text, _explain(error)) from None
        except Exception as error:  # noqa: BLE001 - the library lets through what odd values make Python raise
            raise ExpressionFailed(self.text, f"can't be worked out on these values ({type(error).__name__})") from None


def compile_expression(text: str) -> Expression:
    """Return the compiled expression. Raises ValueError, in one line: see ``parse_tree`` and ``list_parts``."""
    tree = parse_tree(text)
    has_loops = any(node["type"] in _LOOPS for node in walk(tree))
    return Expression(text, frozenset(list_parts(tree)), tree, has_loops)


def _explain(error: JMESPathTypeError) -> str:
    given = TYPES_MAP.get(error.actual_type, error.actual_type)
    wanted = " or ".join(kind.replace("-", " of ") for kind in error.expected_types)
    return f"{error.function_name}() takes {wanted}, and is given {given}"
