"""Text that people write: what is kept of it, what is not, and where it is cut."""

import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from ui.shared.incoming import legible

NAMES = {
    "Persian": "علی\u200cرضا",
    "Persian with a vowel sign before the joiner": "نُ\u200cور",
    "Sinhala": "ශ්\u200dරී",
    "Malayalam at the end": "മോഹന്\u200d",
    "Hindi, half a letter": "क्\u200dष",
    "Hindi, a visible virama": "क्\u200cष",
    "Bengali": "র\u200d্যাব",
    "family": "👨\u200d👩\u200d👧",
    "astronaut": "👩🏽\u200d🚀",
    "couple": "👩🏻\u200d❤\ufe0f\u200d💋\u200d👨🏿",
    "rainbow": "🏳\ufe0f\u200d🌈",
    "Scotland": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "an emoji younger than Python's Unicode": "\U0001fae8",
    "Hebrew": "שרה",
    "Vietnamese, decomposed": unicodedata.normalize("NFD", "Nguyễn"),
}
ODD = {
    "a\u202eb": "ab",
    "a\u2066b\u2069": "ab",
    "\u200fa\u061c": "a",
    "a\x00\x1b[31m\ud83d": "a[31m",
    "\u200c a \u200d b": "a b",
    " a\n\t b\u2028c ": "a b c",
    "a \u202e b": "a b",
    "A\u200dB\u200cC": "ABC",
    "\u200da\u200d\u200d": "a",
    "👩\u200d": "👩",
    "1\u200d👩": "1👩",
    "ا\u200cب": "اب",  # alef joins nothing after it
    "ب\u200c\u200cب": "بب",
    "ක්\u200dි": "ක්ි",  # a vowel sign is nothing to join
    "\ufeffa\u00ad\u2060\u3164": "a",
    "🏴\U000e0067\U000e0062": "🏴",
    "a\U000e0068\U000e0069\U000e007f": "a",
}
PIECES = st.lists(st.sampled_from([*"aباකක්ිम्👩🚀🏽❤\ufe0f\u200c\u200d\u0301 \u202e"]) | st.characters(), max_size=30)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_stays_as_it_is_written(name):
    assert legible(name) == name


@pytest.mark.parametrize(("text", "left"), ODD.items(), ids=map(ascii, ODD))
def test_what_is_not_seen_or_turns_others_around_goes_and_so_do_joiners_that_join_nothing(text, left):
    assert legible(text) == left


@given(PIECES.map("".join), st.none() | st.integers(1, 12))
def test_whatever_is_written_is_one_line_of_text_that_stays_so(text, most):
    kept = legible(text, most)
    assert legible(kept, most) == kept
    assert most is None or len(kept) <= most
    assert not regex.search(r"[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]|\s\s|^\s|\s$|^[\u200c\u200d]|[\u200c\u200d]{2}", kept)
    assert not regex.search(r"[\p{Latin}\s][\u200c\u200d]|\u200c(\s|$)", kept)


def test_a_long_name_is_not_cut_within_a_character():
    family, sri = NAMES["family"], NAMES["Sinhala"]
    assert [legible(f"a{family}b", most) for most in range(1, 8)] == ["a"] * 5 + [f"a{family}", f"a{family}b"]
    assert [legible(f"a{sri}ය", most) for most in range(1, 7)] == ["a"] * 5 + [f"a{sri}"]
    assert legible(NAMES["Persian"], 4) == "علی", "no joiner is left over"
    assert legible("a\u0301b", 1) == "a"
    assert len(legible("a" + "\u0301" * 100, 40)) == 40
