"""Markdown with formulas, and with numbers to be filled in, as HTML: formulas become MathML. No streamlit here.

`$…$` and `$$…$$` hold LaTeX; `{{name}}` is a number, `{{name:%}}` a percentage, `{{name:,}}` a whole number.
HTML in the text stays text.
"""

import re
from collections.abc import Collection, Mapping
from itertools import pairwise
from xml.etree import ElementTree

import latex2mathml.converter
import numpy as np
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from ui.shared import rounding

_BRACES = re.compile(r"\{\{(.*?)\}\}|\{\{", re.DOTALL)
_PLACE = re.compile(r"\s*([A-Za-z_]\w*)\s*(?::\s*([%,]))?\s*")
_FUNCTIONS = "sin|cos|tan|log|ln|exp|min|max"
_FILLED_TO_CHECK = "1"
_EQUATION = re.compile(r"(?<=\w) = (?=[\d−])")
_CLINGING = re.compile(r'(<span class="math inline">(?:(?!</span>).)*</span>)([,.;:!?)]+)', re.DOTALL)
"""A formula and the punctuation after it, between which a browser would break the line."""


class ProseError(ValueError):
    """Text that cannot be rendered: one sentence, and the line of the text it is about, from 1."""

    def __init__(self, message: str, line: int):
        super().__init__(message)
        self.line = line


def _formula(latex: str, options: Mapping[str, bool]) -> str:
    return to_mathml(latex, "block" if options["display_mode"] else "inline")


# fmt: off
_TAGS = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "msub", "msup", "msubsup", "munder", "mover", "munderover",
    "mmultiscripts", "mprescripts", "none", "mfrac", "msqrt", "mroot", "mstyle", "mpadded", "mphantom", "menclose", "mtable",
    "mtr", "mtd", "mlabeledtr"
}
_ATTRIBUTES = {
    "display", "displaystyle", "scriptlevel", "stretchy", "fence", "form", "separator", "largeop", "movablelimits", "symmetric",
    "accent", "accentunder", "minsize", "maxsize", "width", "height", "depth", "lspace", "rspace", "voffset", "linethickness",
    "mathcolor", "mathbackground", "mathsize", "mathvariant", "notation", "columnalign", "columnspacing", "columnlines",
    "rowalign", "rowspacing", "rowlines"
}
# fmt: on
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
_markdown.use(dollarmath_plugin, renderer=_formula, allow_labels=False, double_inline=True)


def to_mathml(latex: str, display: str = "inline") -> str:
    """A formula as MathML. Raises ValueError with one sentence if it cannot be converted."""
    latex = re.sub(r"(?<!\\)%", r"\\%", latex).replace("−", "-")  # as numbers are said outside formulas
    try:
        converted = latex2mathml.converter.convert(latex, display=display)
    except Exception as error:  # whatever a malformed formula makes of the converter
        reason = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()
        raise ValueError(f"the formula {latex!r:.60} cannot be converted ({reason})") from None
    if latex.count("{") != latex.count("}"):
        raise ValueError(f"the formula {latex!r:.60} cannot be converted (a brace is missing)")
    if unknown := re.search(r">(\\[A-Za-z]+)", converted):
        raise ValueError(f"the formula {latex!r:.60} cannot be converted ({unknown[1]} is not known)")
    if foreign := _foreign(converted):
        raise ValueError(f"the formula {latex!r:.60} cannot be converted ({foreign} has no place in it)")
    return _spaced(converted)


def _foreign(mathml: str) -> str:
    """What a browser would take for something else than a formula: the converter lets HTML and links through."""
    try:
        nodes = list(ElementTree.fromstring(mathml).iter())
    except ElementTree.ParseError:
        return "a < or & in its text"
    tags, attributes = {node.tag.rpartition("}")[2] for node in nodes}, {name for node in nodes for name in node.attrib}
    return ", ".join(sorted((tags - _TAGS) | (attributes - _ATTRIBUTES)))


def _spaced(mathml: str) -> str:
    """Thin spaces around names of functions, as TeX sets them."""
    space = '<mspace width="0.167em" />'
    mathml = re.sub(rf"(</m(?:[in]|row)>|(?:\]|&#x00029;)</mo>)(?=<mi>(?:{_FUNCTIONS})</mi>)", rf"\1{space}", mathml)
    return re.sub(rf"(<mi>(?:{_FUNCTIONS})</mi>)(?=<m(?:[in]|row|su|sq))", rf"\1{space}", mathml)


def check(text: str, numbers: Collection[str]) -> None:
    """Raises ProseError unless `to_html` can render this text, given these numbers."""
    for braces in _BRACES.finditer(text):
        line = text.count("\n", 0, braces.start()) + 1
        place = _PLACE.fullmatch(braces[1] or "")
        if not place:
            raise ProseError(f"{braces[0]!r:.40} is not the place of a number, such as {{{{maml}}}} or {{{{maml:%}}}}", line)
        if place[1] not in numbers:
            known = f"there are {', '.join(sorted(numbers))}" if numbers else "the file has none"
            raise ProseError(f"there is no number {place[1]!r:.40} for {braces[0]}; {known}", line)
    for block in _markdown.parse(_BRACES.sub(_FILLED_TO_CHECK, text)):
        line = block.map[0] + 1 if block.map else 1
        for token in [block, *(block.children or [])]:
            line += token.type in ("softbreak", "hardbreak")
            if token.type.startswith("math_"):
                try:
                    to_mathml(token.content)
                except ValueError as error:
                    raise ProseError(str(error), line) from None


def names(text: str) -> set[str]:
    """The numbers that a checked text has places for."""
    return {place[1] for braces in _BRACES.finditer(text) if (place := _PLACE.fullmatch(braces[1] or ""))}


def to_html(text: str, values: Mapping[str, float], *, inline: bool = False) -> str:
    """A checked text as HTML, with these numbers in their places. inline: without paragraphs around it."""

    def say(braces: re.Match[str]) -> str:
        place = _PLACE.fullmatch(braces[1] or "")
        assert place, "checked before"
        value = values[place[1]]
        return {"%": percentage, ",": lambda whole: f"{whole:,.0f}", None: number}[place[2]](value)

    filled = _BRACES.sub(say, text)
    html = _markdown.renderInline(filled) if inline else _markdown.render(filled)
    return _EQUATION.sub("\u00a0=\u00a0", _CLINGING.sub(r'<span class="unbroken">\1\2</span>', html))


def number(value: float) -> str:
    """As the lab says losses: two decimals, one from 10 on, two significant digits when small; with a real minus."""
    size = abs(value)
    if size >= 10:
        said = rounding.fixed(size, 1)
    elif size >= 0.095 or size == 0:
        said = rounding.fixed(size, 2)
    else:
        said = np.format_float_positional(size, 2, fractional=False, trim="-") if size >= 0.0005 else "0.000"
    return f"−{said}" if value < 0 and float(said) else said


def percentage(share: float) -> str:
    """A share as a percentage, whole unless it is small."""
    return f"{100 * share:.0f}%" if abs(share) >= 0.095 or share == 0 else f"{100 * share:.2g}%"


def headed(text: str) -> list[tuple[int, str, str]]:
    """Cut at level-1 headings: line of the heading, from 1, its words, and the text below it. Text before the first: line 0."""
    tokens: list[Token] = _markdown.parse(text)
    lines = text.split("\n")
    found: list[tuple[int, int, str]] = [(-1, 0, "")]  # line of the heading, first line below it, its words
    for token, inner in pairwise(tokens):
        if token.type == "heading_open" and token.tag == "h1" and token.level == 0 and token.map:
            found.append((token.map[0], token.map[1], inner.content))
    ends = [start for start, _, _ in found[1:]] + [len(lines)]
    # Lines above keep their place, so that what is wrong below a heading is found at its line.
    return [
        (start + 1, words, "\n" * below + "\n".join(lines[below:end]))
        for (start, below, words), end in zip(found, ends, strict=True)
    ]
