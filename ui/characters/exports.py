"""What the page "Characters" gives to take along: its numbers as a table, and a script that computes them. No streamlit here."""

from ui.characters import drawings, engine, learners
from ui.characters.drawings import Drawing
from ui.characters.learners import NEAREST
from ui.shared.tables import csv_text


def probabilities_csv(names: list[str], support: tuple[Drawing, ...], query: Drawing, freeze: str) -> str:
    """One row a learner, inner step and character."""
    answers = {name: engine.answer(name, support, query, learners.UPDATES, None, freeze) for name in names}
    return csv_text(
        ("learner", "step", "character", "probability"),
        (
            (learners.look(name).label, step, learners.CLASSES[i], share)
            for name, answer in answers.items()
            for step, row in enumerate(answer.likely or [])
            for i, share in enumerate(row)
        ),
    )


def as_python(names: list[str], support: tuple[Drawing, ...], query: Drawing, freeze: str) -> str:
    """A script that computes what is on show with maml_core alone, in the folder of MAML Lab."""
    way, shipped = len(support), [name for name in names if name != NEAREST]
    frozen = f", freeze={freeze!r}" if freeze != "none" else ""
    lines = [
        '"""What a picture in MAML Lab shows: run it in the folder of MAML Lab."""',
        "import torch\nfrom maml_core import algorithms, characters, checkpoint, metric, problems\n",
        f"LETTERS = {drawings.LETTERS!r}",
        "def image(text):  # two letters a point",
        '    strokes = [[(LETTERS.index(s[i]), LETTERS.index(s[i + 1])) for i in range(0, len(s), 2)] for s in text.split(".")]',
        "    return characters.ink(characters.resampled(strokes), sum(characters.PEN) / 2)\n",
        f"support = torch.stack([image(text) for text in {[drawings.write(drawings.steadied(each)) for each in support]!r}])",
        f"query, y = image({drawings.write(drawings.steadied(query))!r})[None], torch.arange({way})",
    ]
    for name in shipped:
        compares = not learners.adapts(name)
        lines += [
            f'\nsaved = checkpoint.load("pretrained/characters/{name}.safetensors")',
            f"net, (theta, alpha) = problems.convolution(saved.config), saved.split({'' if compares else frozen[2:]})",
        ]
        if compares:
            lines += [
                "embedded = net.embed(theta, support), y, net.embed(theta, query)",
                f'print("{name}", metric.{name}(*embedded, {way}).exp())',
            ]
            continue
        lines += [
            f"logits = lambda weights, x: net.apply(weights, x)[:, :{way}]",
            "loss = lambda weights, x, y: torch.nn.functional.cross_entropy(logits(weights, x), y)",
            f"for step, weights in enumerate(algorithms.adapt(loss, theta, support, y, alpha, {learners.UPDATES})):",
            f'    print("{name}", step, logits(weights, query).softmax(1))',
        ]
    if NEAREST in names:
        lines.append(f'\nprint("{NEAREST}", metric.nearest(support.flatten(1), y, query.flatten(1), {way}).exp())')
    return "\n".join(lines) + "\n"
