"""The page "Characters": a component that is drawn in, and asks the server what the networks make of the drawings."""

import json
from dataclasses import asdict

from maml_core.config import FREEZES
from ui.characters import drawings, learners, samples
from ui.shared import modules

KEY = "characters"
LONGEST_NAME = 12
"""Characters of the name that a person gives to a sign, as readers count them."""
_component = modules.component("characters/main.js")


def page() -> None:
    """Draw. Its settings live in the address, and the browser keeps them there."""
    there = learners.there()
    content = {
        "looks": {name: asdict(learners.look(name)) for name in learners.NAMES},
        "learners": [{"name": name, "adapts": learners.adapts(name), "alpha": learners.own_alpha(name)} for name in there],
        "names": learners.CLASSES,
        "updates": learners.UPDATES,
        "freezes": list(FREEZES[:2]),
        "longest_name": LONGEST_NAME,
        "pen": drawings.PEN,
        "sample": samples.sample(samples.SEED),
    }
    _component(key=KEY, data=json.dumps(content))
