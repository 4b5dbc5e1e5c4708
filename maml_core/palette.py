"""One meaning, one look: the colour and the line of every role, in both themes, for pages, exports and --draw alike."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How a role is drawn. dash: lengths of strokes and gaps in pixels, empty for a solid line."""

    label: str
    light: str
    dark: str
    dash: tuple[int, ...] = ()
    width: float = 2.5

    def colour(self, dark: bool) -> str:
        """In the dark theme, or in the light one."""
        return self.dark if dark else self.light

    @property
    def plotly_dash(self) -> str:
        """The dash as Plotly spells it."""
        return ",".join(f"{length}px" for length in self.dash) or "solid"


ROLES = {
    "true": Look("true", "#16161a", "#f5f5f7", width=3.5),
    "maml": Look("MAML", "#0072B2", "#4BA3DE"),
    "fomaml": Look("FOMAML", "#0072B2", "#4BA3DE", (3, 3)),
    "reptile": Look("Reptile", "#8A5A00", "#C99A3B", (6, 3)),
    "anil": Look("ANIL", "#5B5BD6", "#9A9AF0", (12, 3, 2, 3)),
    "meta_sgd": Look("Meta-SGD", "#A3195B", "#E56AA4", (4, 2)),
    "pretrained": Look("pretrained", "#D55E00", "#FF8B45", (9, 5)),
    "oracle": Look("oracle", "#009E73", "#2EC49A", (14, 6)),
    "random": Look("random", "#CC79A7", "#DD93BC", (9, 4, 2, 4)),
    "prototypical": Look("prototypical", "#2E7D32", "#6CC070", (10, 3, 3, 3)),
    "matching": Look("matching", "#7A5C00", "#D0AE4E", (5, 3)),
    "nearest": Look("nearest pixels", "#6B6F76", "#9AA0A8", (2, 2)),
    "own": Look("yours", "#5F7A00", "#A8C638", (16, 4, 3, 4)),
    "before": Look("before", "#595959", "#999999", (2, 4), 2),
    "shot": Look("shot", "#F2A900", "#FFD34D"),
}
PAPER, RAISED = Look("paper", "#ffffff", "#0e1117"), Look("raised", "#ffffff", "#181c24")
"""What a picture stands on, and what floats above it, such as the label under a pointer."""
FONT = "Source Sans, sans-serif"
FONT_SIZE = 13
SOFT, GRID = 0.7, 0.1
"""How much of the ink, the colour of the true function, is in the words and in the lines around a picture."""
_NEUTRAL = (
    ("#6A3D8F", "#BE93E0"),
    ("#0B7A75", "#45C4BC"),
    ("#8C564B", "#D3A090"),
    ("#B5196B", "#F47FB6"),
    ("#3F4F6B", "#A3B4D0"),
    ("#6B7A00", "#C5D24A"),
)
_DASHES: tuple[tuple[int, ...], ...] = ((), (9, 5), (3, 3))
NEUTRAL = {letter: Look(letter, *_NEUTRAL[i % 6], _DASHES[(i + i // 6) % 3]) for i, letter in enumerate("ABCDEFGHI")}
"""Looks that say nothing of who is who: the first six differ in colour, all of them in colour or line."""
