"""`%stepwell` in a real kernel, after real runs: the inputs of a failed step come back, and the failure with them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

from stepwell import installation

RUNNER = Path(__file__).resolve().parents[1]
CELLS = [
    ("imports", "import numpy as np\nimport math\nprint('loud')"),
    ("parameters", "rate: float = 2.0\nname = 'ann'"),
    (
        "step:load",
        "import pandas as pd\nframe = pd.DataFrame({'a': [1, 2, 0]})\nlimit = rate * 2\nratio_of = {'one': 1}\n"
        "def ratio(row):\n    return name and 1 // row\n"
        "class Point:\n    def __init__(self, x): self.x = x\n"
        "point = Point(3)\nclosed = (each for each in 'ab')",
    ),
    ("step:train", "total = [ratio(int(each)) for each in frame.a]\nprint(point.x, limit, math.pi, name)"),
    ("step:report", "print(total)"),
    ("step:apart", "print(ratio_of)"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A notebook whose step `train` fails, run once with another name than the default."""
    try:
        command = installation.command()
    except installation.NotInstalled:
        pytest.skip("the command line is not built")
    folder = tmp_path_factory.mktemp("magics")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source, metadata={"tags": [tag]}) for tag, source in CELLS],
    )
    nbformat.write(notebook, folder / "fail.ipynb")
    environment = {**os.environ, "STEPWELL_HOME": str(folder / "home"), "PYTHONPATH": str(RUNNER)}
    run = [*command, "run", "fail.ipynb", "--python", sys.executable, "-p", "name=bob", "--json"]
    done = subprocess.run(run, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    return folder


@pytest.fixture
def kernel(folder, monkeypatch):
    """Runs cells one after the other in a kernel of the notebook's folder; gives what each printed."""
    monkeypatch.setenv("STEPWELL_HOME", str(folder / "home"))
    monkeypatch.setenv("PYTHONPATH", str(RUNNER))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)

    def run(*sources):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in ("%load_ext stepwell", *sources)])
        nbclient.NotebookClient(notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(folder)}}).execute()
        return [text(cell) for cell in notebook.cells[1:]]

    return run


def text(cell) -> str:
    parts = []
    for output in cell.outputs:
        if output.output_type == "error":
            parts.append(f"{output.ename}: {output.evalue}")
        else:
            parts.append(output.text if output.output_type == "stream" else output.data["text/plain"])
    return "".join(parts)


def test_brings_back_what_a_failed_step_was_given(kernel):
    told, *found = kernel(
        "%stepwell inputs train",
        "frame.a.tolist(), point.x, limit, name, type(point).__module__",
        "ratio(2)",
        "[ratio(int(each)) for each in frame.a]",
        "import inspect\nprint(inspect.getsource(ratio))",
    )
    assert told.splitlines()[0].startswith("Inputs of step 'train' of run ")
    assert "(failed):" in told
    assert "loud" not in told
    lines = {line.split()[0]: line for line in told.splitlines()[1:]}
    assert lines["frame"].split(maxsplit=2)[1:] == ["pandas.DataFrame", "DataFrame 3 × 1"]
    assert lines["name"].split() == ["name", "parameter", "'bob'"]
    assert lines["limit"].split() == ["limit", "float", "4.0"]
    assert lines["And"] == "And the code it uses: Point, math, np, rate, ratio"
    assert found[0] == "([1, 2, 0], 3, 4.0, 'bob', '__main__')"
    assert found[1] == "0"
    assert found[2].startswith("ZeroDivisionError: ")
    assert found[3].startswith("def ratio(row):\n    return name and 1 // row")


def test_loads_only_what_the_step_was_given(kernel):
    _, found = kernel("%stepwell inputs train", "'ratio_of' in globals(), 'closed' in globals()")
    assert found == "(False, False)"


def test_fails_as_the_run_failed(folder, kernel):
    *_, error = kernel("%stepwell inputs train", CELLS[3][1])
    home = {**os.environ, "STEPWELL_HOME": str(folder / "home")}
    logs = subprocess.run(
        [*installation.command(), "logs", "last", "train", "--json"], env=home, capture_output=True, text=True, check=True
    )
    failed = json.loads(logs.stdout)["steps"][0]["error"]
    assert error == f"{failed['ename']}: {failed['evalue']}"


def test_brings_back_what_a_step_gave(kernel):
    told, found = kernel("%stepwell outputs load", "frame.shape, limit, ratio_of")
    assert "Outputs of step 'load'" in told
    assert found == "((3, 1), 4.0, {'one': 1})"


def test_lists_the_runs_of_the_folder_and_of_the_notebook(folder, kernel, monkeypatch):
    (here,) = kernel("%stepwell runs")
    assert here.split()[1] == "failed"
    assert here.split()[-1] == "fail.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "fail.ipynb"))
    assert kernel("%stepwell runs") == [here]
    other = folder / "other.ipynb"
    other.write_text("{}")
    monkeypatch.setenv("JPY_SESSION_NAME", str(other))
    none, refused, named = kernel("%stepwell runs", "%stepwell inputs train", f"%stepwell inputs train --run {here.split()[0]}")
    assert none == "There has been no run of this notebook yet.\n"
    assert refused.startswith("UsageError: There has been no run of this notebook yet;")
    assert named.startswith("Inputs of step 'train'")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("inputs nothere", 'has no step "nothere"; its steps are load, train, report, apart.'),
        ("inputs report", "was not started"),
        ("outputs train", "has no outputs: it is failed."),
        ("inputs train --run nosuchrun", 'There is no run "nosuchrun"'),
        ("inputs", "name the step"),
        ("inputs --help", "Use %stepwell runs"),
        ("inputs train --run --json", "Use %stepwell runs"),
        ("outputs 'train", "No closing quotation"),
        ("", "Use %stepwell runs"),
        ("remove all", "invalid choice"),
    ],
)
def test_says_in_a_sentence_what_is_wrong(kernel, line, sentence):
    (told,) = kernel(f"%stepwell {line}")
    assert told.startswith("UsageError: ")
    assert sentence in told
    assert "Traceback" not in told


def test_loses_only_what_cannot_be_loaded(folder, kernel):
    home = {**os.environ, "STEPWELL_HOME": str(folder / "home")}
    asked = subprocess.run(
        [*installation.command(), "inputs", "last", "train", "--json"], env=home, capture_output=True, text=True, check=True
    )
    found = json.loads(asked.stdout)
    digest = found["inputs"]["values"]["frame"]["digest"].removeprefix("sha256:")
    blob = Path(found["artifacts"]) / "sha256" / digest[:2] / digest[2:]
    away = blob.rename(folder / "away")
    try:
        told, there = kernel("%stepwell inputs train", "point.x, 'frame' in globals()")
    finally:
        away.rename(blob)
    assert "Not loaded: frame (pandas.DataFrame): its blob is gone" in told
    assert there == "(3, False)"


def test_keeps_secrets_out_of_the_kernel(folder):
    """What the command line hands over names folders and values, and nothing that opens the service."""
    home = {**os.environ, "STEPWELL_HOME": str(folder / "home")}
    asked = subprocess.run(
        [*installation.command(), "inputs", "last", "train", "--json"], env=home, capture_output=True, text=True, check=True
    )
    assert "token" not in asked.stdout
    assert "secret" not in asked.stdout.lower()
