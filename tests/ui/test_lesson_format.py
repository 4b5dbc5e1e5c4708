"""Lesson files: what is right is read, and what is wrong is said with its line; any text is one or the other."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.lessons import prose
from ui.lessons.format import read
from ui.lessons.toml import LessonError

GOOD = '''+++
title = "A title"
minutes = 2
predict = "seed=15&K=5&step=0"
observe = "seed=15&K=5"
claims = ["one < zero"]
right = "Right: {{one}}."

[numbers]
zero = { measure = "error", learner = "maml", step = 0 }
one = { measure = "error", learner = "maml", step = 1 }
ratio = "one / zero"

[[choice]]
text = "It falls."
when = "one < zero"
said = """
It does:
from {{zero}} to {{one}}, so $\\\\phi$."""

[[choice]]
text = "It rises."
when = "one >= zero"
said = "It does not."

[challenge]
goal = "maml.query < 0.1 and shots <= 3"
said = "There."
solution = "seed=15&K=3"
+++

# Predict

What becomes of {{zero}}?

# Observe

Look.

# Explain

Because $\\alpha\\nabla\\mathcal{L}$
and {{ratio:%}}.

# Now change this

Do.
'''
CHOICES = GOOD[GOOD.index("[[choice]]") : GOOD.index("[challenge]")]
SLIDER = """[slider]
label = "error"
low = 0.1
high = 3
truth = "one"
within = 0.1
said_low = "More."
said_high = "Less."

"""
SKETCH = """[sketch]
learner = "maml"
step = 1
within = 0.3
said = "So."

"""


def lesson_in(text, name="01-a-title.md"):
    return read(name, text.encode())


def test_a_lesson_is_read():
    lesson = lesson_in(GOOD)
    assert (lesson.card, lesson.title, lesson.minutes, lesson.view, lesson.kind) == ("a-title", "A title", 2, "lab", "choice")
    assert lesson.headings == ("Predict", "Observe", "Explain", "Now change this")
    assert lesson.sections["explain"].strip().startswith("Because")
    assert lesson.controls == ("K", "alpha", "num_updates")
    assert [option.text for option in lesson.answer.options] == ["It falls.", "It rises."]


def test_headings_are_free_and_a_lesson_needs_no_challenge():
    text = (
        GOOD[: GOOD.index("[challenge]")] + "+++\n# Sag voraus\nWas?\n\nSchau\n=====\nHin.\n# Erkläre\n\n```\n# kein Titel\n```\n"
    )
    lesson = lesson_in(text, "7_über-Wellen.md")
    assert (lesson.card, lesson.headings, lesson.challenge) == ("über-Wellen", ("Sag voraus", "Schau", "Erkläre"), None)


@pytest.mark.parametrize("start", ["\ufeff", ""])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_other_editors_files_are_read(start, newline):
    assert lesson_in(start + GOOD.replace("\n", newline)).title == "A title"


@pytest.mark.parametrize(("kind", "block"), [("slider", SLIDER), ("sketch", SKETCH)])
def test_other_kinds_of_answers_are_read(kind, block):
    assert lesson_in(GOOD.replace(CHOICES, block)).kind == kind


def wrong(change, into, at, says):
    return pytest.param(change, into, at, says, id=says[:60])


@pytest.mark.parametrize(
    ("change", "into", "at", "says"),
    [
        wrong('title = "A title"', "title = A title", "title = A", "the settings are not TOML"),
        wrong("minutes = 2", "minutes = 2\nminutes = 3", "minutes = 3", "the settings are not TOML"),
        wrong('title = "A title"\n', "", "+++", "title is missing"),
        wrong('title = "A title"', 'title = " "', "title", "title must not be empty"),
        wrong("minutes = 2", 'minutes = "2"', "minutes", "minutes must be a number"),
        wrong("minutes = 2", "minutes = nan", "minutes", "minutes must be an ordinary number"),
        wrong("minutes = 2", "minutes = 2\nminuts = 2", "minuts", "there is no key 'minuts' in a lesson; there are title"),
        wrong("minutes = 2", 'minutes = 2\nview = "labb"', "view", "view must be one of lab, world, train"),
        wrong("minutes = 2", 'minutes = 2\ncontrols = ["beta"]', "controls", "there is no control 'beta'"),
        wrong("K=5&step=0", "K=50&step=0", "predict", "predict: K=50 in the address: it must be a whole number from 1 to 20"),
        wrong("seed=15&K=5&step=0", "sead=15", "predict", "predict: the lab has no setting 'sead'"),
        wrong("one < zero", "one < zer", "claims", "zer in 'one < zer' is not known; known are one, ratio, zero"),
        wrong("one < zero", "one", "claims", "'one' is a number, and true or false is needed"),
        wrong("Right: {{one}}", "{{onne}}", "right", "there is no number 'onne' for {{onne}}; there are one, ratio, zero"),
        wrong("Right: {{one}}", "Right: {{one:$}}", "right", "is not the place of a number"),
        wrong("Right: {{one}}", "Right: {{one", "right", "is not the place of a number"),
        wrong('{ measure = "error", learner = "maml", step = 1 }', '{ measure = "eror" }', "one =", "there is no measure 'eror'"),
        wrong(
            '{ measure = "error", learner = "maml", step = 1 }', '{ measure = ["error"] }', "one =", "there is no measure ['err"
        ),
        wrong("minutes = 2", f"minutes = {'2' * 5000}", "solution", "the settings are not TOML"),
        wrong('learner = "maml", step = 1', 'learner = "mamml", step = 1', "one =", "there is no learner 'mamml'"),
        wrong('"one / zero"', '"one / null"', "ratio", "null in 'one / null' is not known; known are one, zero"),
        wrong('"one / zero"', "3", "ratio", "ratio must be a measure"),
        wrong("from {{zero}}", "from {{nil}}", "from {{nil}}", "there is no number 'nil'"),
        wrong("so $\\\\phi$", "so $\\\\fie$", "from {{zero}}", "cannot be converted (\\fie is not known)"),
        wrong('when = "one >= zero"\n', "", "[[choice]]", "when of [choice] is missing"),
        wrong('text = "It rises."', "text = 3", "text = 3", "text must be a text in quotes"),
        wrong(CHOICES, CHOICES[: CHOICES.rindex("[[choice]]")], "[[choice]]", "a choice needs two options or more"),
        wrong(CHOICES, CHOICES.replace("[[choice]]", "[choice]", 1), "[[choice]]", "the settings are not TOML"),
        wrong(CHOICES, CHOICES + SLIDER, "[slider]", "[[choice]], [slider] or [sketch]; here is choice and slider"),
        wrong(CHOICES, "", "+++", "exactly one kind of answer, [[choice]], [slider] or [sketch]; here is none"),
        wrong(CHOICES, SLIDER.replace("high = 3", "high = 0.1"), "low =", "low must be below high, and 0.1 is not below 0.1"),
        wrong(CHOICES, SLIDER.replace("low = 0.1", "low = 0\nlog = true"), "low =", "on a log axis low must be above 0"),
        wrong(CHOICES, SLIDER.replace("within = 0.1", "within = 0.5\nlog = true"), "within", "within must be above 1, a factor"),
        wrong(CHOICES, SKETCH.replace("step = 1", "step = 1\nhalf = 'top'"), "[sketch]", "it must be one of all, left, right"),
        wrong(CHOICES, SKETCH.replace("step = 1", "step = 99"), "[sketch]", "it must be a whole number from 0 to 50"),
        wrong("shots <= 3", "shot <= 3", "goal", "shot in"),
        wrong("maml.query < 0.1", "anil.query < 0.1", "goal", "anil.query in"),
        wrong("seed=15&K=3", "seed=15&K=0", "solution", "solution: K=0 in the address"),
        wrong(
            "# Observe\n",
            "",
            "",
            "there are 3 headings that begin with one #, the last of them 'Now change this'; with [challenge] a lesson has 4",
        ),
        wrong("# Predict", "Before\n\n# Predict", "Before", "text must stand below a heading"),
        wrong("\nLook.\n", "", "# Observe", "the section 'Observe' is empty"),
        wrong("What becomes of {{zero}}?", "What\nbecomes of {{null}}?", "becomes", "there is no number 'null'"),
        wrong("Because $\\alpha", "Because\n$\\alfa", "$\\alfa", "cannot be converted (\\alfa is not known)"),
        wrong("Because $\\alpha", "Because $\\frac{1}{\\alpha", "Because", "cannot be converted (a brace is missing)"),
        wrong("Because $\\alpha", "Because $\\left(\\alpha", "Because", "cannot be converted (extra left or missing right)"),
        wrong("+++\n\n# Predict", "\n# Predict", "", "the settings must end with a second line +++"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(change, into, at, says):
    assert change in GOOD
    changed = GOOD.replace(change, into)
    with pytest.raises(LessonError) as refused:
        lesson_in(changed)
    error = refused.value
    assert says in error.message
    assert error.file == "01-a-title.md"
    assert changed.split("\n")[error.line - 1].startswith(at)
    assert str(error) == f"01-a-title.md, line {error.line}: {error.message}"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "a lesson begins with a line +++"),
        (b"# Predict\n", "a lesson begins with a line +++"),
        (b"+++\ntitle = '\xff'\n+++", "the file is not UTF-8 text"),
        (b"+++\n" + b"#" * 100_000, "a lesson has at most 100,000"),
        (b"+++\n" + b"[" * 50_000 + b"\n+++", "the settings are not TOML"),
    ],
)
def test_files_that_are_no_lessons_are_refused(content, says):
    with pytest.raises(LessonError) as refused:
        read("x.md", content)
    assert says in refused.value.message
    assert refused.value.line >= 1


@pytest.mark.parametrize("name", ["01-.md", "a b.md", "02.md", "x&y.md"])
def test_a_name_that_can_be_no_address_is_refused(name):
    with pytest.raises(LessonError, match="named with letters, digits and hyphens"):
        lesson_in(GOOD, name)


lines = GOOD.split("\n")


@given(
    st.text(max_size=300)
    | st.binary(max_size=200)
    | st.tuples(st.integers(0, len(lines) - 1), st.text(max_size=30)).map(
        lambda change: "\n".join([*lines[: change[0]], change[1], *lines[change[0] + 1 :]])
    )
    | st.tuples(
        st.integers(0, len(GOOD)), st.integers(0, 6), st.sampled_from(list("$#{}[]\"'=+&\n\\%")) | st.text(max_size=4)
    ).map(lambda change: GOOD[: change[0]] + change[2] + GOOD[change[0] + change[1] :])
)
def test_any_text_is_a_lesson_or_an_error_with_a_line_of_it(text):
    content = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    try:
        lesson = read("01-x.md", content)
    except LessonError as error:
        assert error.file == "01-x.md"
        assert 1 <= error.line <= content.count(b"\n") + content.count(b"\r") + 1
        assert error.message
        return
    numbers = dict.fromkeys(lesson.numbers, 1.5)
    for part in (*lesson.sections.values(), *lesson.answer.texts, lesson.right):
        html = prose.to_html(part, numbers)
        assert "{{" not in html


def test_texts_become_html_and_formulas_mathml_and_html_stays_text():
    text = "**So** $\\phi = {{a}}$ and {{b:%}}, <script>alert(1)</script> [x](javascript:alert(1))\n\n$$\\theta$$"
    prose.check(text, ["a", "b"])
    html = prose.to_html(text, {"a": -1.617, "b": 0.466})
    assert "<strong>So</strong>" in html
    assert "47%" in html
    assert html.count("<math") == 2
    assert "<mo>&#x02212;</mo><mn>1.62</mn>" in html
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "180,000 of 3" in prose.to_html("{{a:,}} of {{b:,}}", {"a": 180_000.0, "b": 3.0})
    assert "<p>" not in prose.to_html("one {{a}}", {"a": 1.0}, inline=True)


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<img/src='x'/onerror='alert(1)'>}",
        r"\text{<mi>x</mi><script>alert(1)</script>}",
        r"\text{<a href='javascript:alert(1)'>x</a>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{position:fixed}{x}",
        r"\class{primary}{x}",
    ],
)
def test_nothing_but_mathematics_comes_out_of_a_formula(latex):
    with pytest.raises(prose.ProseError, match="has no place in it"):
        prose.check(f"a ${latex}$", [])


@pytest.mark.parametrize(
    "latex", [r"a < b", r"\text{for all } x \leq 2", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\color{red}{\hat x}"]
)
def test_mathematics_does(latex):
    prose.check(f"$${latex}$$", [])


def test_numbers_that_stand_on_each_other_are_worked_out_once():
    chain = "\n".join(f'f{i} = "f{i - 1} + f{i - 2}"' for i in range(2, 60))
    numbers = f'[numbers]\nf0 = "1"\nf1 = "1"\n{chain}\n'
    lesson = lesson_in(GOOD.replace("[numbers]\n", numbers))
    assert lesson.values(["f59"])["f59"] == 1548008755920


@pytest.mark.parametrize(
    ("value", "said"),
    {
        0.3439: "0.34",
        0.0316: "0.032",
        0.01: "0.01",
        3.16: "3.16",
        47.36: "47.4",
        0.0: "0.00",
        -1.617: "−1.62",
        -1e-20: "0.000",
        0.0004: "0.000",
        0.00061: "0.00061",
    }.items(),
)
def test_numbers_are_said_as_the_lab_says_losses(value, said):
    assert prose.number(value) == said


def test_a_line_breaks_neither_before_punctuation_nor_within_an_equation():
    html = prose.to_html("At $\\theta$, with α = {{a}}, $x$ is (as $y$).", {"a": -2})
    assert re.findall(r'<span class="unbroken"><span class="math inline">.*?</math></span>([,.)]+)</span>', html) == [",", ")."]
    assert "α\u00a0=\u00a0−2.00" in html


@pytest.mark.parametrize(("share", "said"), [(0.466, "47%"), (0.02, "2%"), (0.0123, "1.2%"), (0, "0%"), (1, "100%")])
def test_shares_are_said_as_percentages(share, said):
    assert prose.percentage(share) == said


def test_the_guides_example_is_a_lesson_and_holds():
    guide = (Path(__file__).parents[2] / "lessons" / "README.md").read_text(encoding="utf-8")
    example = guide.split("```markdown\n")[1].split("```\n")[0]
    lesson = lesson_in(example, "11-twice-the-points.md")
    values = lesson.values(lesson.numbers)
    assert all(claim.value(values) for claim in lesson.claims)
    assert lesson.answer.truth(values, lesson.lab) == 0
