"""What may happen in a room, as hypothesis draws it, and what should not."""

from hypothesis import strategies as st

OPENED = {"do": "opened", "code": "BCDGH", "salt": "salt", "secret": "digest", "at": 1000.0}
WHO, CARDS, ANSWERS = st.sampled_from(["a", "b", "c", "d"]), st.sampled_from(["one", "two", ""]), st.sampled_from(["0", "1", "2"])
NUMBERS = st.integers(1, 5)
CODES = st.sampled_from(["BCDGH", "HGDCBJ", "TVWXHG"])
EVENTS = st.one_of(
    st.builds(lambda who: {"do": "left", "who": who}, WHO),
    st.builds(lambda number: {"do": "unnamed", "number": number}, NUMBERS),
    st.builds(
        lambda do, numbers: {"do": do, "numbers": numbers},
        st.sampled_from(["removed", "restored"]),
        st.lists(NUMBERS, min_size=1, max_size=3),
    ),
    st.builds(lambda on: {"do": "door", "open": on}, st.booleans()),
    st.builds(lambda code: {"do": "code", "code": code}, CODES),
    st.builds(lambda who, name: {"do": "joined", "who": who, "name": name}, WHO, st.sampled_from(["", "Ana", "Bo\u202e"])),
    st.builds(lambda card: {"do": "card", "card": card}, CARDS),
    st.builds(lambda who, card, answer: {"do": "vote", "who": who, "card": card, "answer": answer}, WHO, CARDS, ANSWERS),
    st.builds(lambda card: {"do": "reveal", "card": card}, CARDS),
    st.builds(lambda on: {"do": "follow", "on": on}, st.booleans()),
    st.builds(
        lambda query, step: {"do": "held", "query": query, "step": step}, st.sampled_from(["K=5", "K=6"]), st.integers(0, 9)
    ),
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
