"""Characters nobody has written before, one drawing of each, and another one of one of them. No streamlit here."""

import random
from typing import Any

import torch

from maml_core import characters
from ui.characters import drawings
from ui.characters.learners import WAY

SEED = 7
"""Of what the page opens with."""


def sample(seed: int) -> dict[str, Any]:
    """The task of that seed: support and query in their text form, and which character the query is."""
    generator = torch.Generator().manual_seed(seed)
    new = characters.character(torch.rand(WAY, characters.RANDOMS, generator=generator))
    answer = random.Random(seed).randrange(WAY)
    which = [*range(WAY), answer]
    again = characters.again(
        characters.Strokes(*(part[which] for part in new)), torch.rand(WAY + 1, characters.VARIATION, generator=generator)
    )
    drawn = [drawings.of_strokes(characters.Strokes(*each)) for each in zip(*again, strict=True)]
    return {"seed": seed, "support": drawings.write_all(drawn[:WAY]), "query": drawings.write(drawn[WAY]), "answer": answer}
