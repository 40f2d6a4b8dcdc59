"""Real notebooks, cut into steps, must be equal to top to bottom or stop with a problem that names a variable. `python -m pytest acceptance` downloads them."""

import os

import pytest
from compare import difference, form, unsteady
from corpus import cut, cuts_of, sources
from equal import judge


def corpus():
    private = bool(os.environ.get("STEPWELL_ACCEPTANCE_PRIVATE"))
    return [pytest.param(s, how, id=f"{s.name}-{how}") for s in sources(private=private) for how in cuts_of(s.read())]


def pytest_generate_tests(metafunc):
    if "source" in metafunc.fixturenames:
        metafunc.parametrize(("source", "how"), corpus())


def test_a_pipeline_gives_the_notebooks_answer(source, how):
    verdict = judge(source, how)
    if verdict.outcome == "no baseline":
        pytest.skip(f"does not run from top to bottom by itself: {verdict.detail[:200]}")
    assert verdict.outcome in ("equal", "stopped"), verdict.detail


# ---- the comparison itself ----


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def result(**data):
    return {
        "output_type": "execute_result",
        "data": {k.replace("_", "/"): v for k, v in data.items()},
        "metadata": {},
        "execution_count": 1,
    }


def cell(*outputs, source="x"):
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "metadata": {}}


@pytest.mark.parametrize(
    ("one", "two", "equal"),
    [
        (cell(stream("a"), stream("b")), cell(stream("ab")), True),
        (cell(stream("a"), stream("e", "stderr"), stream("b")), cell(stream("ab"), stream("e", "stderr")), True),
        (cell(stream("a")), cell(stream("a", "stderr")), False),
        (cell(stream("a")), cell(), False),
        (cell(stream("<A at 0x7f12ab34cd>")), cell(stream("<A at 0x7faaaabbbb>")), True),
        (cell(stream("/tmp/ipykernel_12/34.py:1: W")), cell(stream("/tmp/ipykernel_56/78.py:1: W")), True),
        (cell(stream("/tmp/ipykernel_12/34.py:1: W")), cell(stream("/tmp/ipykernel_12/34.py:2: W")), False),
        (cell(result(text_plain="1")), cell(result(text_plain="2")), False),
        (cell(result(text_plain="1", text_html="<b>1</b>")), cell(result(text_plain="1")), False),
        (cell(result(text_plain=["1\n", "2"])), cell(result(text_plain="1\n2")), True),
        (cell(stream("Wall time: 3 s\nx"), source="%%time\nx"), cell(stream("Wall time: 4 s\nx"), source="%%time\nx"), True),
        (cell(stream("Wall time: 3 s")), cell(stream("Wall time: 4 s")), False),
    ],
)
def test_compares(one, two, equal):
    assert (difference(form(one), form(two), set()) == "") is equal


def test_leaves_out_what_two_baselines_do_not_share():
    one, two = form(cell(stream("a"), result(text_plain="1"))), form(cell(stream("b"), result(text_plain="1")))
    assert unsteady(one, two) == {0}
    assert difference(one, form(cell(stream("c"), result(text_plain="1"))), {0}) == ""
    assert difference(one, form(cell(stream("c"), result(text_plain="2"))), {0}) != ""
    assert unsteady(one, form(cell(stream("a")))) is None


def markdown(text):
    return {"cell_type": "markdown", "source": text, "metadata": {}}


def tags(notebook):
    return [c["metadata"].get("tags", []) for c in notebook["cells"] if c["cell_type"] == "code"]


def test_cuts_at_headings_and_in_threes():
    cells = [
        cell(),
        markdown("# T\n## One"),
        cell(),
        markdown("### no"),
        cell(),
        markdown("```\n## no\n```"),
        cell(),
        markdown("## Two"),
        cell(),
    ]
    notebook = {"cells": cells}
    assert tags(cut(notebook, "headings")) == [["step:s1"], ["step:s2"], ["step:s2"], ["step:s2"], ["step:s3"]]
    assert tags(cut(notebook, "threes")) == [["step:s1"]] * 3 + [["step:s2"]] * 2
