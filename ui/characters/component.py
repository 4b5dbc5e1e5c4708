"""The page "Characters": a component that is drawn in, and asks the server what the networks make of the drawings."""

import json
from dataclasses import asdict

from ui.characters import drawings, learners, samples
from ui.shared import modules

KEY = "characters"
_component = modules.component("characters/main.js")


def page() -> None:
    """Draw. Its settings live in the address, and the browser keeps them there."""
    there = learners.there()
    content = {
        "looks": {name: asdict(learners.look(name)) for name in learners.NAMES},
        "learners": [{"name": name, "adapts": learners.adapts(name), "alpha": learners.alpha(name)} for name in there],
        "absent": [learners.look(name).label for name in learners.NAMES if name not in there],
        "names": learners.CLASSES,
        "updates": learners.UPDATES,
        "layers": list(learners.LAYERS),
        "longest_name": learners.LONGEST_NAME,
        "pen": drawings.PEN,
        "seed": samples.SEED,
        "sample": samples.sample(samples.SEED),
    }
    _component(key=KEY, data=json.dumps(content))
