"""What browsers send, taken with care: bounded JSON that no form sent, and text that a person wrote. No streamlit here."""

from typing import Any

import regex
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from maml_core import reading

MAX_BODY = 4096


class Refused(Exception):
    """A request that is not taken: the status, and one sentence on why."""

    def __init__(self, status: int, why: str):
        super().__init__(why)
        self.status = status

    def answer(self, headers: dict[str, str] | None = None) -> PlainTextResponse:
        """What the browser is told."""
        return PlainTextResponse(str(self), status_code=self.status, headers=headers)


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises Refused for anything else, and for what a form on another site could send."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refused(415, "JSON is expected")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refused(413, "That is too much to ask for at once")
    try:
        return reading.json_object(body, typed=True)
    except ValueError:
        raise Refused(400, "A JSON object is expected") from None


_UNSEEN = regex.compile(
    r"(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)"  # a flag such as Scotland's: UTS #51, ED-14a
    r"|[[\p{C}\p{Default_Ignorable_Code_Point}]--[\u200c\u200d\p{M}\p{Extended_Pictographic}\p{Prepended_Concatenation_Mark}]]",
    regex.V1,
)
_MARKS, _JOINERS = r"[\p{Mn}--\p{ccc=0}]*", r"[\u200c\u200d]"
_MEANT = regex.compile(
    "("
    # UAX #31, A1: between two letters that would join, as in Persian
    r"(?<=[\p{jt=D}\p{jt=L}]\p{jt=T}*)\u200c(?=\p{jt=T}*[\p{jt=D}\p{jt=R}])"
    # A2 and B: after a virama, as in Sinhala and Malayalam
    rf"|(?<=\p{{L}}\p{{M}}*\p{{ccc=9}}{_MARKS})(?:\u200c(?={_MARKS}\p{{L}})|\u200d(?!{_JOINERS}*\p{{InSC=Vowel_Dependent}}))"
    # before one, as the Unicode Standard has it for Bengali and Kannada (12.2, 12.8)
    r"|(?<=\p{InSC=Consonant})\u200d(?=\p{ccc=9}\p{L})"
    # UTS #51, ED-16: between two pictures that make one, as a family
    r"|(?<=\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?)\u200d(?=\p{Extended_Pictographic})"
    rf")|{_JOINERS}",
    regex.V1,
)
_WHOLE = regex.compile(r"(?:\X(?<=[\u200d\p{ccc=9}]))*+\X?", regex.V1)
"""What a reader takes for one character: a grapheme cluster, or several that a virama joins (UAX #29, GB9c)."""


def legible(text: str, most: int | None = None) -> str:
    """Text on one line, without characters that are not seen or that turn others around; joiners stay where they join.

    most: characters of it at most, as len() counts; what would be cut in two is left out.
    """
    seen = " ".join(_UNSEEN.sub(r"\1", " ".join(text.split())).split())
    whole = " ".join(_MEANT.sub(r"\1", seen).split())
    return whole if most is None or len(whole) <= most else _cut(whole, most)


def _cut(text: str, most: int) -> str:
    end = 0
    for found in _WHOLE.finditer(text):
        if found.end() > most:
            break
        end = found.end()
    return _MEANT.sub(r"\1", text[: end or most]).rstrip()  # one that is longer than all of it is cut all the same
