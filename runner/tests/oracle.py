"""
What a real kernel prints, as the measure of what our shell prints.

`kernel` runs cells with nbclient and ipykernel, `ours` runs them as one task; both give the outputs of each cell in one shape. Only what
cannot be equal is evened out: addresses, process ids, durations, and where a stream is cut into chunks.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

RUNNER = Path(__file__).resolve().parents[1]

EVEN = [
    (re.compile(r"0x[0-9a-f]{6,}"), "0x…"),
    (re.compile(r"ipykernel_\d+"), "ipykernel_…"),
    (re.compile(r"pid=\d+"), "pid=…"),
    (re.compile(r"(user|sys|total|Wall time|CPU times)(:?) [^\n,]*"), r"\1\2 …"),
    (re.compile(r"[\d.]+ (ns|[uμµ]s|ms|s) ± [^\n]*"), "… per loop"),
]


def task(cells, folder: Path, **changes) -> dict:
    """A task document for a list of sources, or of cells as dictionaries."""
    return {
        "format": 1,
        "run": "run",
        "step": "step",
        "attempt": 1,
        "token": "token",
        "prelude": [],
        "parameters": {},
        "sharedCells": [],
        "inputs": {"values": {}, "channels": {}, "files": {}},
        "cells": [
            {"cell": index, "executionCount": index + 1, **(cell if isinstance(cell, dict) else {"source": cell})}
            for index, cell in enumerate(cells)
        ],
        "wanted": [],
        "definitions": [],
        "metrics": [],
        "freshRandom": True,
        "folder": str(made(folder / "notebook")),
        "workspace": str(folder / "workspace"),
        "artifacts": str(made(folder / "artifacts")),
        "attemptFolder": str(made(folder / "attempt")),
        "env": {},
        "limits": {},
        **changes,
    }


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def environment() -> dict:
    # Under PYTEST_CURRENT_TEST a kernel leaves the file descriptors alone.
    without = ("MPLBACKEND", "STEPWELL_EVENTS", "PYTEST_CURRENT_TEST")
    env = {key: value for key, value in os.environ.items() if key not in without}
    return {**env, "PYTHONPATH": os.environ.get("STEPWELL_RUNNER", str(RUNNER))}


def run(document: dict, folder: Path) -> tuple[dict, list[dict]]:
    """Run a task document in a process of its own; its result and its events."""
    path = folder / "task.json"
    path.write_text(json.dumps(document))
    done = subprocess.run(
        [sys.executable, "-m", "stepwell.task", str(path)], env=environment(), capture_output=True, check=False, timeout=120
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events and events[-1]["type"] == "result", done.stderr.decode()
    return events[-1]["result"], events


def ours(cells: list[str], folder: Path) -> list[list[dict]]:
    document = task(counted(cells), folder)
    result, _ = run(document, folder)
    assert result["status"] == "succeeded", result.get("error")
    return [even(cell["outputs"]) for cell in result["cells"]]


def counted(cells: list[str]) -> list[dict]:
    """Cells that may raise, with the numbers that a kernel gives them."""
    found, count = [], 0
    for source in cells:
        count += bool(source.strip())
        found.append({"source": source, "mayRaise": True, "executionCount": count})
    return found


def kernel(cells: list[str], folder: Path) -> list[list[dict]]:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    made(folder)
    client = NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(env={**environment(), "PYTHONPATH": ""})
    return [even(json.loads(json.dumps(cell.outputs))) for cell in notebook.cells]


def even(outputs: list[dict]) -> list[dict]:
    merged: list[dict] = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output["output_type"] == "stream" and last.get("output_type") == "stream" and last["name"] == output["name"]:
            last["text"] += output["text"]
        else:
            merged.append(dict(output))
    return [_even(output) for output in merged]


def _even(value):
    if isinstance(value, str):
        for pattern, replacement in EVEN:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, list):
        return [_even(item) for item in value]
    if isinstance(value, dict):
        return {key: _even(item) for key, item in value.items()}
    return value
