"""The cases of `cases.py`: each cell a step, through the command line; every cell must show what one IPython shell shows."""

import importlib.util
import json
import os
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from cases import CASES, Case, oracle
from compare import difference, form
from equal import ROOT, Ran, run, why

available = [case for case in CASES if all(importlib.util.find_spec(module) for module in case.needs)]
pytestmark = pytest.mark.skipif(not (ROOT / "lib" / "server").exists(), reason="not built")


@pytest.fixture(scope="module")
def answers():
    return dict(zip((case.name for case in available), oracle(available, sys.executable), strict=True))


@pytest.fixture(scope="module")
def runs(request):
    """Every selected case runs at once, as many side by side as there are cores; a test waits for its own."""
    with tempfile.TemporaryDirectory(prefix="stepwell-cases-") as temporary, ThreadPoolExecutor(os.cpu_count()) as pool:
        parameters = [getattr(item, "callspec", None) for item in request.session.items]
        selected = {p.params["case"].name for p in parameters if p and "case" in p.params}
        started: dict[str, Future] = {}
        for number, case in enumerate(case for case in available if case.name in selected):
            started[case.name] = pool.submit(as_pipeline, case, Path(temporary) / str(number))
        yield started
        for future in started.values():
            future.cancel()


def as_pipeline(case: Case, folder: Path) -> Ran:
    (folder / "home").mkdir(parents=True)
    (folder / "notebook").mkdir()
    for name, text in case.files.items():
        (folder / "notebook" / name).write_text(text)
    notebook = folder / "notebook" / "case.ipynb"
    notebook.write_text(json.dumps(case.notebook()))
    return run(notebook, folder / "home", "--no-reuse", interpreter=sys.executable, seconds=120)


def parameter(case: Case):
    return pytest.param(case, id=case.name, marks=[pytest.mark.xfail(reason=case.differs, strict=True)] if case.differs else [])


@pytest.mark.parametrize("case", [parameter(case) for case in available])
def test_gives_the_answer_of_one_shell(case, answers, runs):
    ran = runs[case.name].result()
    if case.stops and ran.code == 1:
        assert f"“{case.stops}”" in why(ran) or f"'{case.stops}'" in why(ran) or f"`{case.stops}`" in why(ran), why(ran)
        return
    assert ran.code == 0, why(ran)
    wrong = []
    for index, (source, expected, ours) in enumerate(zip(case.cells, answers[case.name], ran.notebook["cells"], strict=True)):
        found = difference(form({"source": source, "outputs": expected}), form(ours, (ran.folder,)), set())
        if found:
            wrong.append(f"cell {index}: {source}\n{found}")
    assert not wrong, "\n".join(wrong)
