"""What comes from outside: digits, numbers and JSON within bounds, everything else refused in a clause that is short."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maml_core import reading

ODD = ["", " 1", "1 ", "+1", "-1", "1_0", "1.0", "١٢", "１", "²", "1e3", "0x1", "9" * 5000, "0" * 5000, "1\n", "\x001"]
"""No text of digits."""


@pytest.mark.parametrize("text", ODD)
def test_a_whole_number_is_digits_and_nothing_else(text):
    with pytest.raises(ValueError, match="it must be a whole number from 0 to") as refused:
        reading.whole(text)
    assert len(str(refused.value)) < 100
    with pytest.raises(ValueError, match=r"^K=.* is not possible") as refused:
        reading.whole_of({"K": text}, "K", 1, 20)
    assert len(str(refused.value)) < 200


@given(st.integers(0, 10**12))
def test_a_whole_number_is_read(number):
    assert reading.whole(str(number)) == number
    with pytest.raises(ValueError, match="it must be"):
        reading.whole(str(number), high=number - 1)


@pytest.mark.parametrize("text", ["", "nan", "inf", "-Infinity", "1e999", "1_0", "١", "0." + "1" * 100, "0x1p3", "1,5", "1 2"])
def test_a_number_is_finite_short_and_plain(text):
    with pytest.raises(ValueError, match="it must be a number"):
        reading.number(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read(value):
    assert reading.number(repr(value)) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expecting value"),
        ("[]", "an object is expected"),
        ("null", "an object is expected"),
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": -Infinity}', "-Infinity is not a number"),
        ('{"a": 1' + "0" * 5000 + "}", "a whole number in it has 5,001 digits"),
        ('{"a": ' * 13 + "1" + "}" * 13, "nested deeper than 12"),
        ('{"a": ' + "[" * 12 + "]" * 12 + "}", "nested deeper than 12"),
        ("[" * 30_000, "nested deeper than 12"),
        ('{"a": [' + "{}," * 20_000 + "{}]}", "it has 60,011 characters; at most 32,768 are read"),
        ('{"\\ud83d": 1}', "half a character"),
        ('{"a": ["\\ude00"]}', "half a character"),
        (b'{"a": "\xff"}', "not UTF-8 text"),
    ],
)
def test_json_has_bounds(text, why):
    with pytest.raises(ValueError, match=why) as refused:
        reading.json_object(text)
    assert len(str(refused.value)) < 200


def test_json_within_bounds_is_read():
    deep = '{"a": ' * 12 + "1" + "}" * 12
    assert json.dumps(reading.json_object(deep)) == deep
    assert reading.json_object('{"a": "\\ud83d\\ude00"}') == {"a": "😀"}, "two halves are a whole"
    assert reading.json_object('{"a\\ud83d": ["b\\ude00"]}', typed=True) == {"a": ["b"]}


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.floats(-1e300, 1e300) | st.text(), st.lists)))
def test_json_is_read_as_python_reads_it(value):
    text = json.dumps(value)
    assert reading.json_object(text, 10**9) == value


def test_a_file_is_read_up_to_a_bound(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert reading.content(path, 5) == b"12345"
    with pytest.raises(ValueError, match="more than 4 bytes"):
        reading.content(path, 4)


@pytest.mark.parametrize("value", [True, None, "1", [], math.nan, math.inf, 1e15, -(10**30)])
def test_what_is_no_number(value):
    assert not reading.is_number(value)


@given(st.text(st.characters()))
def test_a_quotation_is_short_and_seen(text):
    shown = reading.quoted(text)
    assert len(shown) <= 60
    assert shown.isprintable()
    assert shown == text or not text.isprintable() or len(text) > 60
