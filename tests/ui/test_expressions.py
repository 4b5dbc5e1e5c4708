"""Expressions: what is allowed gives what Python gives, all else is refused in a sentence, and nothing is ever executed."""

import sys
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ui.lessons import expressions

NAMES = {"a": float, "b": float, "maml.query": float, "gone": bool, "freeze": str}
VALUES = {"a": 2.0, "b": 3.0, "maml.query": 0.25, "gone": False, "freeze": "body"}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("a + b * 2 - 1 / 4", float, 7.75),
        ("-(a - b)", float, 1.0),
        ("abs(a - b) + max(a, b, 1) + min(a, b)", float, 6.0),
        ("maml.query < 0.3 and a <= 2 and not gone", bool, True),
        ("0 < a < b != 4", bool, True),
        ("1 < b < a", bool, False),
        ("freeze == 'body' or gone", bool, True),
        ("gone == (a > b)", bool, True),
    ],
)
def test_what_is_allowed_is_worked_out(text, kind, value):
    assert expressions.read(text, NAMES, kind).value(VALUES) == value


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("__import__('os').system('true')", bool, "is not possible"),
        ("a.__class__", float, "a.__class__ in 'a.__class__' is not known"),
        ("(lambda: 1)()", float, "is not possible"),
        ("[x for x in (1, 2)]", float, "is not possible"),
        ("a ** b", float, "is not possible"),
        ("a if gone else b", float, "is not possible"),
        ("f'{a}'", str, "is not possible"),
        ("a := 2", float, "is not an expression"),
        ("a; b", float, "is not an expression"),
        ("max(*a)", float, "is not possible"),
        ("max(a, key=b)", float, "is not possible"),
        ("max(a)", float, "two numbers or more"),
        ("abs(a, b)", float, "takes one number"),
        ("c < 1", bool, "c in 'c < 1' is not known; known are a, b, freeze, gone, maml.query"),
        ("a and gone", bool, "a is a number, and true or false is needed there"),
        ("a + gone", float, "gone is true or false, and a number is needed there"),
        ("a == freeze", bool, "freeze is a text, and a number is needed there"),
        ("freeze < 'x'", bool, "they are not numbers"),
        ("a", bool, "is a number, and true or false is needed"),
        ("a in b", bool, "is not possible"),
        ("True", bool, "is not possible"),
        ("1j", float, "is not possible"),
        ("1e999", float, "too large"),
        ("9" * 299, float, None),
        ("", float, "is not an expression"),
        ("a\0", float, "is not an expression"),
        ("'\\d' == freeze", bool, "is not an expression"),
        ("a" * 301, float, "at most 300 characters"),
        ("(" * 250 + "a" + ")" * 49, float, "is not an expression"),
    ],
)
def test_all_else_is_refused_in_a_sentence(text, kind, says):
    if says is None:
        assert expressions.read(text, NAMES, kind).value(VALUES) == float(text)
        return
    with pytest.raises(ValueError, match=r".") as refused:
        expressions.read(text, NAMES, kind)
    assert says in str(refused.value)


pieces = ["a", "b", "gone", "freeze", "maml.query", "1", ".5", "'x'", "abs", "max", "(", ")", ",", "+", "-", "*", "/", "<", "=="]
pieces += [
    "and",
    "or",
    "not",
    "if",
    "else",
    "lambda",
    ":",
    ".",
    "__class__",
    "[",
    "]",
    "{",
    "}",
    "eval",
    "print",
    "open",
    ":=",
    "**",
]


@given(st.lists(st.sampled_from(pieces), max_size=12).map(" ".join) | st.text(max_size=60), st.sampled_from([float, bool, str]))
@example("-" * 299 + "a", float)
@example("not " * 74 + "gone", bool)
@example("print ( 1 )", float)
def test_any_text_gives_a_value_of_its_kind_or_a_sentence(text, kind):
    try:
        found = expressions.read(text, NAMES, kind)
    except ValueError as error:
        assert str(error)
        return
    try:
        value = found.value(VALUES)
    except ValueError as error:
        assert "divides by zero" in str(error)
        return
    assert type(value) is kind
    # What was accepted is Python that means the same, and calls nothing but these three.
    assert value == eval(text.strip(), {"__builtins__": {"abs": abs, "min": min, "max": max}}, _for_python())


def test_nothing_is_executed_while_reading_or_working_out():
    listening, events = True, []
    sys.addaudithook(lambda event, given: listening and events.append(event))
    for text in ("open('x')", "eval('a')", "__import__('os')", "print(a)", "a + b", "abs(a)", "a.b"):
        with suppress(ValueError):
            expressions.read(text, NAMES, float).value(VALUES)
    listening = False
    assert "compile" in events, "Python's parser is used"
    assert not {"exec", "open", "import", "os.system"} & set(events)


def _for_python():
    class Learner:
        query = VALUES["maml.query"]

    return {name: value for name, value in VALUES.items() if "." not in name} | {"maml": Learner}


def test_a_value_that_is_not_there_is_said():
    with pytest.raises(ValueError, match="a is not known, so 'a < 1' cannot be computed"):
        expressions.read("a < 1", NAMES, bool).value({})
    with pytest.raises(ValueError, match="'a / 0 < 1' divides by zero"):
        expressions.read("a / 0 < 1", NAMES, bool).value(VALUES)
