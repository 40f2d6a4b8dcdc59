"""
Is a pipeline run equal to running the notebook from top to bottom? Runs each notebook of the corpus, cut into steps, through the command line, and
compares cell by cell with the baseline.

    python acceptance/equal.py [PATTERN] [--cut headings|threes|tagged] [--committed] [--workers N]

A notebook comes out as `equal`, `stopped` (the run ended with a problem that names the variable: allowed by the promise), `different` or `error`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from baseline import Baseline, baseline, fresh_copy, surroundings
from compare import difference, form, unsteady
from corpus import CACHE, Source, cut, cuts_of, python, sources

ROOT = Path(os.environ.get("STEPWELL_CHECKOUT", Path(__file__).resolve().parent.parent))
SECONDS = 400


@dataclass
class Verdict:
    """How one notebook, cut one way, came out. `seconds` is the pipeline's, `baseline` the notebook's."""

    name: str
    cut: str
    outcome: str
    seconds: float = 0.0
    baseline: float = 0.0
    steps: int = 0
    reruns: int = 0
    uncompared: int = 0
    detail: str = ""
    differing: list[int] = field(default_factory=list)

    def line(self) -> str:
        times = f"{self.baseline:6.1f} s → {self.seconds:6.1f} s" if self.seconds else ""
        return (
            f"{self.outcome:9}  {self.name} [{self.cut}]  {times}  steps {self.steps}, reruns {self.reruns}, not compared {self.uncompared}"
        )


@dataclass
class Ran:
    """What the command left behind."""

    code: int
    seconds: float
    said: str
    document: dict
    notebook: dict | None
    folder: str


def run(notebook: Path, home: Path, *options: str, interpreter: str | None = None, seconds: int = SECONDS) -> Ran:
    """`stepwell run` on a notebook, with a home of its own; nothing of it is left running."""
    out = home / "executed.ipynb"
    command = [
        str(ROOT / "bin" / "stepwell"),
        "run",
        str(notebook),
        "--out",
        str(out),
        "--python",
        interpreter or python(),
        "--json",
        *options,
    ]
    began = time.time()
    # A session of its own, so that a run that hangs can be ended with everything it started.
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**surroundings(), "STEPWELL_HOME": str(home)},
        cwd=home,
        start_new_session=True,
    )
    try:
        said, told = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            said, told = process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, told = process.communicate()
        told += f"\ntook more than {seconds} seconds"
    try:
        document = json.loads(said)
    except ValueError:
        document = {}
    executed = json.loads(out.read_text(encoding="utf-8")) if out.exists() else None
    return Ran(process.returncode, round(time.time() - began, 2), told or said, document, executed, str(notebook.parent))


def judge(source: Source, how: str, expected: Baseline | None = None) -> Verdict:
    expected = expected or baseline(source)
    verdict = Verdict(source.name, how, "no baseline", baseline=expected.seconds, detail=expected.failure)
    if expected.failure:
        return verdict
    with tempfile.TemporaryDirectory(prefix="run-", dir=CACHE) as temporary:
        notebook = fresh_copy(source, Path(temporary) / "notebook")
        notebook.write_text(json.dumps(cut(source.read(), how)), encoding="utf-8")
        home = Path(temporary) / "home"
        home.mkdir()
        ran = run(notebook, home, "--no-reuse")
        folders = (str(notebook.parent),)
    verdict.seconds = ran.seconds
    steps = ran.document.get("steps") or []
    steps = list(steps.values()) if isinstance(steps, dict) else steps
    verdict.steps = len(steps)
    verdict.reruns = sum(max(0, count(step.get("attempts")) - 1) for step in steps)
    if ran.code != 0 or ran.notebook is None:
        reason = why(ran)
        verdict.outcome = "stopped" if ran.code in (1, 2) and names_a_variable(reason, source) else "error"
        verdict.detail = reason
        return verdict
    compared(verdict, expected, ran.notebook, folders)
    return verdict


def count(attempts: object) -> int:
    return len(attempts) if isinstance(attempts, list) else int(attempts or 0)


def compared(verdict: Verdict, expected: Baseline, got: dict, folders: tuple[str, ...]) -> None:
    cells = zip(expected.first["cells"], expected.second["cells"], got["cells"], strict=True)
    shown = []
    for index, (first, second, ours) in enumerate(cells):
        if first["cell_type"] != "code" or "skip" in first["metadata"].get("tags", []):
            continue
        one, two = form(first, expected.folders), form(second, expected.folders)
        skip = unsteady(one, two)
        if skip is None:
            verdict.uncompared += 1
            continue
        verdict.uncompared += len(skip)
        found = difference(one, form(ours, folders), skip)
        if found:
            verdict.differing.append(index)
            shown.append(f"cell {index}:\n{found}")
    verdict.outcome = "different" if shown else "equal"
    verdict.detail = "\n".join(shown[:4])


def why(ran: Ran) -> str:
    problems = [p.get("message", "") for p in ran.document.get("problems") or []]
    errors = [json.dumps(ran.document.get(k)) for k in ("error", "reason") if ran.document.get(k)]
    steps = ran.document.get("steps") or []
    steps = list(steps.values()) if isinstance(steps, dict) else steps
    errors += [json.dumps(s["error"])[:2000] for s in steps if s.get("error")]
    return "\n".join([*problems, *errors, ran.said[-3000:], f"exit code {ran.code}"])


def names_a_variable(reason: str, source: Source) -> bool:
    """True when the run says that a named variable cannot cross; a Python error of the user's code that the notebook itself doesn't have is no such thing."""
    return re.search(r"['“\"`]\w+['”\"`].{0,80}(cannot|can't|could not) (cross|be saved|leave)|cannot-cross|lost-value", reason) is not None


def report(verdicts: list[Verdict]) -> str:
    tally: dict[str, int] = {}
    for verdict in verdicts:
        tally[verdict.outcome] = tally.get(verdict.outcome, 0) + 1
    slower = [v.seconds / v.baseline for v in verdicts if v.outcome == "equal" and v.baseline]
    middle = f"; median time as a pipeline {sorted(slower)[len(slower) // 2]:.2f} of the notebook's" if slower else ""
    return ", ".join(f"{n} {outcome}" for outcome, n in sorted(tally.items())) + middle


def key(source: Source, how: str) -> str:
    return hashlib.sha256(f"{source.name} {how}".encode()).hexdigest()[:12]


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares pipeline runs with top-to-bottom runs.")
    parser.add_argument("pattern", nargs="?", default="*")
    parser.add_argument("--cut")
    parser.add_argument("--committed", action="store_true", help="only the list that stands in the repository")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--under", type=float, default=float("inf"), help="only notebooks that take less than so many seconds from top to bottom"
    )
    chosen = parser.parse_args()
    work = [
        (s, how) for s in sources(chosen.pattern, private=not chosen.committed) for how in cuts_of(s.read()) if chosen.cut in (None, how)
    ]
    work = sorted((w for w in work if baseline(w[0]).seconds < chosen.under), key=lambda w: baseline(w[0]).seconds)
    folder = CACHE / "verdicts"
    folder.mkdir(exist_ok=True)
    verdicts = []
    with ThreadPoolExecutor(chosen.workers) as pool:
        for (source, how), verdict in zip(work, pool.map(lambda w: judge(*w), work), strict=True):
            verdicts.append(verdict)
            (folder / f"{key(source, how)}.json").write_text(json.dumps(asdict(verdict), indent=1))
            if verdict.outcome != "no baseline":
                print(verdict.line(), flush=True)
            if verdict.outcome in ("different", "error", "stopped"):
                print("    " + verdict.detail.replace("\n", "\n    "), flush=True)
    print(report(verdicts))
    return 0 if all(v.outcome in ("equal", "stopped", "no baseline") for v in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
