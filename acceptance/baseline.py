"""
The answer to compare with: a notebook run from top to bottom by nbclient in a fresh copy of its folder. Taken twice, because what differs between two
such runs is nobody's fault; kept on disk by the digest of the notebook and of the environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from corpus import CACHE, Source, python

SECONDS = 150
LARGEST_FILE = 20_000_000

RUN = """
import json, sys, time, nbformat
from nbclient import NotebookClient
source, folder, target = sys.argv[1:4]
notebook = nbformat.read(source, as_version=4)
began = time.time()
NotebookClient(notebook, timeout=int(sys.argv[4]), kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
nbformat.write(notebook, target)
print(json.dumps({"seconds": time.time() - began}))
"""


@dataclass
class Baseline:
    """Two runs from top to bottom, or why there is none."""

    first: dict | None
    second: dict | None
    seconds: float
    folders: tuple[str, ...]
    failure: str = ""


@cache
def environment() -> str:
    """Digest of the versions that decide how things are shown; a package added beside them changes nothing."""
    frozen = subprocess.run([python(), "-m", "pip", "freeze", "--all"], capture_output=True, text=True, check=True).stdout
    deciding = ("ipython", "ipykernel", "nbclient", "matplotlib", "numpy", "pandas", "scipy", "scikit-learn", "statsmodels", "seaborn")
    lines = [line for line in frozen.splitlines() if line.split("==")[0].lower() in deciding]
    return hashlib.sha256("\n".join([sys.version, *lines]).encode()).hexdigest()[:12]


def fresh_copy(source: Source, into: Path) -> Path:
    """A copy of the notebook's folder, without very large files and checkpoints; returns the notebook in it."""
    folder = source.path.parent

    def leave_out(where: str, names: list[str]) -> list[str]:
        paths = [Path(where) / n for n in names]
        return [
            p.name for p in paths if p.name in (".ipynb_checkpoints", "__pycache__") or (p.is_file() and p.stat().st_size > LARGEST_FILE)
        ]

    target = into / folder.name
    shutil.copytree(folder, target, ignore=leave_out)
    return target / source.path.name


def surroundings() -> dict[str, str]:
    """The environment of both ways of running: the environment's programs first, nothing of the calling Python, no colours."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MPLBACKEND", "PYTHONDONTWRITEBYTECODE")
    rest = {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith(("STEPWELL_", "PYTEST_"))}
    return {**rest, "PATH": f"{Path(python()).parent}{os.pathsep}{rest.get('PATH', '')}"}


def place(source: Source) -> Path:
    digest = hashlib.sha256(source.path.read_bytes()).hexdigest()[:16]
    return CACHE / "baselines" / f"{digest}-{environment()}"


def is_taken(source: Source) -> bool:
    return (place(source) / "facts.json").exists()


def baseline(source: Source) -> Baseline:
    kept = place(source)
    if not (kept / "facts.json").exists():
        take(source, kept)
    facts = json.loads((kept / "facts.json").read_text())
    if facts["failure"]:
        return Baseline(None, None, facts["seconds"], (), facts["failure"])
    first, second = (json.loads((kept / f"{n}.ipynb").read_text(encoding="utf-8")) for n in (1, 2))
    return Baseline(first, second, facts["seconds"], tuple(facts["folders"]))


def take(source: Source, kept: Path) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    facts = {"name": source.name, "failure": "", "seconds": 0.0, "folders": []}
    for n in (1, 2):
        with tempfile.TemporaryDirectory(prefix="baseline-", dir=CACHE) as temporary:
            notebook = fresh_copy(source, Path(temporary))
            began = time.time()
            command = [python(), "-c", RUN, str(notebook), str(notebook.parent), str(kept / f"{n}.ipynb"), str(SECONDS)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, env=surroundings(), timeout=SECONDS + 30, check=False)
            except subprocess.TimeoutExpired:
                facts["failure"] = f"takes more than {SECONDS} seconds"
                break
            facts["folders"].append(str(notebook.parent))
            facts["seconds"] = round(time.time() - began, 2)
            if done.returncode:
                facts["failure"] = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                break
    (kept / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    from corpus import sources

    for source in sources(*sys.argv[1:2]):
        taken = baseline(source)
        print(f"{source.name}  {taken.seconds:.1f} s  {taken.failure or 'ok'}", flush=True)
