"""Expressions over named values, as lesson files write them: `maml < pretrained / 3 and step == 0`. Nothing else is executed.

Arithmetic, comparisons, and, or, not, abs, min, max, numbers, names with or without a dot, and texts to compare with. Types are
checked when an expression is read: arithmetic is of numbers, `and` of what is true or false. No streamlit here.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MOST = 300
"""Characters of an expression."""

Values = Mapping[str, Any]

_ARITHMETIC: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {"abs": abs, "min": min, "max": max}
_KINDS = {float: "a number", bool: "true or false", str: "a text"}


@dataclass(frozen=True)
class Expression:
    """What was written, the kind of value it gives (float, bool or str), the names it needs, and how to work it out."""

    text: str
    kind: type
    names: frozenset[str]
    work_out: Callable[[Values], Any]
    parts: tuple["Expression", ...] = ()
    """The conditions that it joins with `and`, if it does."""

    def value(self, values: Values) -> Any:
        """Its value. Raises ValueError if a value is missing, or where it divides by zero."""
        if missing := sorted(self.names - values.keys()):
            raise ValueError(f"{missing[0]} is not known, so {self.text!r} cannot be computed")
        try:
            return self.work_out(values)
        except ZeroDivisionError:
            raise ValueError(f"{self.text!r} divides by zero") from None


def read(text: str, names: Mapping[str, type], kind: type) -> Expression:
    """The expression of this kind over names of these kinds (float, bool or str).

    Raises:
        ValueError: in one sentence, what cannot be understood, is not known, or does not fit together.
    """
    if len(text) > MOST:
        raise ValueError(f"an expression has at most {MOST} characters, and this one has {len(text)}")
    try:
        # A backslash belongs to nothing allowed; Python would warn of some that it finds.
        tree = None if "\\" in text else ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        tree = None
    if tree is None:
        raise ValueError(f"{text!r} is not an expression, such as maml < pretrained / 3")
    used: set[str] = set()
    found, work_out = _understand(tree, text, names, used)
    if found is not kind:
        raise ValueError(f"{text!r} is {_KINDS[found]}, and {_KINDS[kind]} is needed")
    joined = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else []
    parts = tuple(read(ast.unparse(part), names, bool) for part in joined)
    return Expression(text, kind, frozenset(used), work_out, parts)


def _understand(node: ast.AST, text: str, names: Mapping[str, type], used: set[str]) -> tuple[type, Callable[[Values], Any]]:
    """The kind of what stands at a node, and how to work it out. Adds the names that it needs to `used`."""

    def part(child: ast.AST, *kinds: type) -> tuple[type, Callable[[Values], Any]]:
        kind, work_out = _understand(child, text, names, used)
        if kinds and kind not in kinds:
            raise ValueError(f"in {text!r}, {ast.unparse(child)} is {_KINDS[kind]}, and {_KINDS[kinds[0]]} is needed there")
        return kind, work_out

    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            number = _number(value, text)
            return float, lambda values: number
        case ast.Constant(value=str() as value):
            return str, lambda values: value
        case ast.Name() | ast.Attribute():
            name = ast.unparse(node)
            if name not in names:
                known = f"known are {', '.join(sorted(names))}" if names else "no names are known here"
                raise ValueError(f"{name} in {text!r} is not known; {known}")
            used.add(name)
            return names[name], lambda values: values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _, inner = part(operand, float)
            return float, lambda values: -inner(values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _, inner = part(operand, bool)
            return bool, lambda values: not inner(values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            (_, first), (_, second), do = part(left, float), part(right, float), _ARITHMETIC[type(op)]
            return float, lambda values: do(first(values), second(values))
        case ast.BoolOp(op=op, values=parts):
            inners, join = [part(each, bool)[1] for each in parts], all if isinstance(op, ast.And) else any
            return bool, lambda values: join(inner(values) for inner in inners)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARISONS for op in ops):
            kind, first = part(left)
            ordered = any(not isinstance(op, ast.Eq | ast.NotEq) for op in ops)
            chain = [first, *(part(each, kind)[1] for each in others)]
            if ordered and kind is not float:
                raise ValueError(f"{text!r} asks which of two values is larger, and they are not numbers")
            tests = [_COMPARISONS[type(op)] for op in ops]
            return bool, lambda values: all(
                test(a(values), b(values)) for test, a, b in zip(tests, chain, chain[1:], strict=False)
            )
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS and arguments:
            if name == "abs" and len(arguments) > 1:
                raise ValueError(f"abs in {text!r} takes one number")
            inners, function = [part(each, float)[1] for each in arguments], _FUNCTIONS[name]
            if len(inners) == 1 and name != "abs":
                raise ValueError(f"{name} in {text!r} takes two numbers or more")
            return float, lambda values: function(*(inner(values) for inner in inners))
    raise ValueError(
        f"{ast.unparse(node)!r:.40} in {text!r:.80} is not possible: there are + - * /, comparisons, and, or, not, abs, min, max"
    )


def _number(value: float, text: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{text!r:.80} has a number that is too large")
    return number
