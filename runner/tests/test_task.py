"""What a task document asks for happens, and the result says what happened."""

import json
import re
import sys

import oracle
import pytest

PLAIN = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def run(tmp_path):
    def run(*cells, **changes):
        result, _ = oracle.run(oracle.task(cells, tmp_path, **changes), tmp_path)
        return result

    return run


def text(result, cell=0):
    return "".join(output["text"] for output in result["cells"][cell]["outputs"] if output["output_type"] == "stream")


def definition(source, *names, cell=0, line=0, kind="function"):
    return {"names": list(names), "kind": kind, "source": source, "cell": cell, "line": line}


def test_says_what_it_ran(run):
    result = run({"source": "x = 1", "cell": 4, "executionCount": 3}, {"source": "x", "cell": 6, "executionCount": 4})
    assert {key: result[key] for key in ("format", "run", "step", "attempt", "token", "status")} == {
        "format": 1,
        "run": "run",
        "step": "step",
        "attempt": 1,
        "token": "token",
        "status": "succeeded",
    }
    assert [(cell["cell"], cell["executionCount"], cell["status"]) for cell in result["cells"]] == [(4, 3, "ok"), (6, 4, "ok")]
    assert result["cells"][1]["outputs"] == [
        {"output_type": "execute_result", "data": {"text/plain": "1"}, "metadata": {}, "execution_count": 4}
    ]
    assert set(result["seconds"]) == {"start", "inputs", "user", "outputs"}
    assert result["peakMemory"] > 1 << 20
    assert result["cpuSeconds"] > 0
    assert result["environment"]["python"] == sys.version.split()[0]
    assert "ipython" in result["environment"]["packages"]


def test_names_what_is_defined(run):
    result = run("a = 1\n_b = 2\n__c = 3\n1\nimport os\ndef f(): pass\n_ = 5\n!true", "2", "del a")
    assert set(result["defined"]) == {"_b", "__c", "os", "f", "_", "_exit_code"}


def test_measures_what_it_started(run):
    light = run("pass")
    heavy = run("import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'x = b\"a\" * (300 << 20); sum(range(10 ** 6))'])")
    assert heavy["peakMemory"] - light["peakMemory"] > 150 << 20
    assert heavy["cpuSeconds"] > light["cpuSeconds"]


def test_reports_metrics(run):
    result = run(
        "import stepwell\nloss = 0.5\nname = 'text'\nstepwell.metric('epoch_loss', 0.25, step=3)\nstepwell.metric('bad', float('nan'))",
        metrics=["loss", "name", "absent"],
    )
    assert result["metrics"] == [{"name": "epoch_loss", "value": 0.25, "step": 3}, {"name": "loss", "value": 0.5}]


def test_sets_parameters_before_definitions(run):
    result = run("print(rate, f())", parameters={"rate": 3}, prelude=[definition("def f(x=rate):\n    return x", "f")])
    assert text(result) == "3 3\n"


def test_runs_the_prelude_silently(run):
    prelude = [
        definition("print('setup'); display(1); 5", kind="setup"),
        definition("import math\n%matplotlib --list\n!echo no", kind="setup"),
    ]
    result = run("math.pi", prelude=prelude)
    assert len(result["cells"]) == 1
    assert [output["output_type"] for output in result["cells"][0]["outputs"]] == ["execute_result"]


def test_keeps_outputs_of_shared_cells(run):
    shared = [{"cell": 0, "executionCount": 1, "source": "rate = 1\nprint('default', rate)"}]
    result = run({"source": "print(rate)", "cell": 1, "executionCount": 2}, sharedCells=shared, parameters={"rate": 7})
    assert [text(result, index) for index in (0, 1)] == ["default 1\n", "7\n"]


def test_shows_travelled_code_as_the_notebook_would(run):
    whole = "import os\n\ndef f(x):\n    return 1 / x  # here"
    sources = [{"cell": 2, "executionCount": 5, "source": whole}]
    result = run(
        {"source": "import inspect\nprint(inspect.getsource(f))", "cell": 7, "executionCount": 9},
        {"source": "f(0)", "cell": 8, "executionCount": 10},
        prelude=[definition(whole[whole.index("def") :], "f", cell=2, line=2)],
        sources=sources,
    )
    assert text(result) == "def f(x):\n    return 1 / x  # here\n\n"
    traceback = PLAIN.sub("", "\n".join(result["error"]["traceback"]))
    assert "Cell In[10], line 1\n" in traceback
    assert "Cell In[5], line 4, in f(x)\n" in traceback
    assert re.search(r"----> 4 +return 1 / x", traceback)


def test_shows_travelled_code_without_its_cell(run):
    result = run("f(0)", prelude=[definition("def f(x):\n    return 1 / x", "f", cell=2, line=2)])
    traceback = PLAIN.sub("", "\n".join(result["error"]["traceback"]))
    assert re.search(r"ipykernel_\d+/\d+\.py:4, in f\(x\)", traceback)
    assert "return 1 / x" in traceback


def test_stops_at_an_error(run):
    result = run("print('a')", "print('b')\n1 / 0", "print('c')")
    assert result["status"] == "failed"
    assert [cell["status"] for cell in result["cells"]] == ["ok", "error"]
    assert text(result, 1) == "b\n"
    error = result["error"]
    assert (error["kind"], error["cell"], error["ename"], error["evalue"]) == ("user", 1, "ZeroDivisionError", "division by zero")
    assert error["message"] == "Cell 2 failed with ZeroDivisionError: division by zero"
    assert error["traceback"] == result["cells"][1]["outputs"][-1]["traceback"]
    assert (result["provided"], result["used"], result["defined"]) == ({}, [], [])


def test_goes_on_after_an_error_that_may_be(run):
    result = run({"source": "1 / 0", "mayRaise": True}, "print('on')")
    assert result["status"] == "succeeded"
    assert [cell["status"] for cell in result["cells"]] == ["error", "ok"]


KINDS = [
    ("nothing_here", {"kind": "missing-name", "name": "nothing_here", "message": "Cell 1 uses 'nothing_here', which is not defined."}),
    ("def f():\n    return deeper\nf()", {"kind": "missing-name", "name": "deeper"}),
    ("try:\n    gone\nexcept NameError as e:\n    raise RuntimeError('wrapped') from e", {"kind": "missing-name", "name": "gone"}),
    ("try:\n    gone\nexcept NameError as e:\n    raise RuntimeError('told') from None", {"kind": "user", "ename": "RuntimeError"}),
    ("def f():\n    print(x)\n    x = 1\nf()", {"kind": "user", "ename": "UnboundLocalError"}),
    ("import pickle\npickle.loads(b'c__main__\\nLost\\n.')", {"kind": "missing-name", "name": "Lost"}),
    ("raise MemoryError", {"kind": "out-of-memory", "message": "Cell 1 ran out of memory."}),
    ("import no_such_package.part", {"kind": "user", "ename": "ModuleNotFoundError"}),
    ("x = = 1", {"kind": "user", "ename": "SyntaxError"}),
    ("import sys\nsys.exit('bye')", {"kind": "user", "ename": "SystemExit", "evalue": "bye"}),
    ("raise KeyboardInterrupt", {"kind": "user", "ename": "KeyboardInterrupt"}),
    ("class B:\n    def __repr__(self): raise ValueError('no text')\nB()", {"kind": "user", "ename": "ValueError", "evalue": "no text"}),
    ("%%bash\nexit 3", {"kind": "user", "ename": "CalledProcessError"}),
    ("await nothing_here()", {"kind": "missing-name", "name": "nothing_here"}),
    ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E", {"kind": "user"}),
]


@pytest.mark.parametrize(("source", "expected"), KINDS, ids=[source for source, _ in KINDS])
def test_tells_who_has_to_do_something(run, source, expected):
    result = run(source, "print('never')")
    assert result["status"] == "failed"
    assert len(result["cells"]) == 1
    assert {key: result["error"].get(key) for key in expected} == expected


def test_names_a_variable_that_a_query_misses(run):
    pytest.importorskip("pandas")
    result = run("import pandas as pd\npd.DataFrame({'a': [1]}).query('a > @limit')")
    assert (result["error"]["kind"], result["error"]["name"]) == ("missing-name", "limit")


def test_names_the_package_that_is_missing(run):
    message = run("import no_such_package.part")["error"]["message"]
    assert message.startswith("Cell 1 imports 'no_such_package', but the package 'no_such_package' is not installed in ")


def test_names_the_cell_of_a_definition_that_fails(run):
    result = run("print('never')", prelude=[definition("def f(x=1 / 0):\n    pass", "f", cell=3)])
    error = result["error"]
    assert result["cells"] == []
    assert (error["kind"], error["cell"], error["ename"]) == ("user", 3, "ZeroDivisionError")
    assert error["message"] == "'f' of cell 4 could not be made ready for this step: ZeroDivisionError: division by zero"
    traceback = PLAIN.sub("", "\n".join(error["traceback"]))
    assert "----> 1 def f(x=1 / 0):" in traceback
    assert "stepwell" not in traceback
    result = run("pass", prelude=[definition("class A(Base): pass", "A", cell=3)])
    assert (result["error"]["kind"], result["error"]["name"]) == ("missing-name", "Base")


def test_ends_where_a_cell_says_exit(run):
    result = run("exit()", "print('never')")
    assert (result["status"], len(result["cells"])) == ("failed", 1)
    assert result["error"]["message"] == "Cell 1 ended the notebook with exit(), so the cells below it did not run."
    assert run("print('a')\nexit()", "")["status"] == "succeeded"


def test_keeps_display_ids_across_cells(run, tmp_path):
    document = oracle.task(["h = display('a', display_id='x')", "h.update('b')"], tmp_path)
    result, events = oracle.run(document, tmp_path)
    assert result["cells"][0]["outputs"][0]["data"] == {"text/plain": "'b'"}
    told = [event for event in events if event["type"] in ("output", "update-display")]
    assert [event["displayId"] for event in told] == ["x", "x"]
    assert told[1]["data"] == {"text/plain": "'b'"}


def test_sends_text_while_a_cell_runs(tmp_path):
    _, events = oracle.run(oracle.task(["import time\nprint('a'); time.sleep(0.6); print('b')"], tmp_path), tmp_path)
    assert [event["output"]["text"] for event in events if event["type"] == "output"] == ["a\n", "b\n"]


def test_sets_the_environment_of_the_task(run, tmp_path):
    result = run(f"import os\nprint(os.environ['COLOR'], os.getcwd().startswith({str(tmp_path / 'workspace')!r}))", env={"COLOR": "green"})
    assert text(result) == "green True\n"


def test_shows_the_notebooks_folder_for_the_workspace(run, tmp_path):
    result = run("import os\nprint(os.getcwd())\nos.getcwd()")
    assert text(result) == f"{tmp_path / 'notebook'}\n"
    assert result["cells"][0]["outputs"][1]["data"]["text/plain"] == repr(str(tmp_path / "notebook"))


def test_tells_of_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    document = oracle.task(["1"], tmp_path, workspace=str(tmp_path / "file" / "workspace"))
    result, _ = oracle.run(document, tmp_path)
    assert result["error"]["kind"] == "storage"
    assert str(tmp_path / "file") in result["error"]["message"]


def test_writes_the_result_it_sends(run, tmp_path):
    result = run("1")
    assert json.loads((tmp_path / "attempt" / "result.json").read_text()) == result
    assert [path.name for path in (tmp_path / "attempt").iterdir()] == ["result.json"]
