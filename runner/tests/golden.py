"""
The golden documents that both languages test against: `task.json`, and the `events.jsonl` and `result.json` that running it gives.

`python runner/tests/golden.py` writes the latter two anew. What differs from run to run is fixed: times, sizes, numbers of
processes, versions; the folder is called `/stepwell`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import oracle

HERE = Path(__file__).parent
FOLDER = "/stepwell"
# What the task is given: contents of blobs.
BLOBS = ["41", "name,score\nann,3\nbob,4\n"]
FIXED = {
    "at": "2026-01-01T00:00:00.000Z",
    "pid": 1234,
    "startTime": 5678,
    "peakMemory": 104857600,
    "cpuSeconds": 0.25,
    "mode": 420,
    "traceback": ["Traceback"],
    "environment": {"python": "3.11.7", "executable": "/usr/bin/python3", "folders": [], "packages": {"ipython": "9.0.0"}},
    "sources": {"files": {"data.csv": "23:1:1:7"}, "folders": {}, "wrote": [], "programs": [], "variables": ["HOME"]},
}


def run(folder: Path) -> tuple[dict, list[dict]]:
    """Run the golden task in `folder`; its result and events, with what differs made equal."""
    document = json.loads((HERE / "task.json").read_text().replace(FOLDER, str(folder)))
    for content in BLOBS:
        put(folder / "artifacts", content.encode())
    oracle.made(folder / "notebook")
    result, events = oracle.run(document, folder)
    return fixed(result, folder), [fixed(event, folder) for event in events]


def put(artifacts: Path, content: bytes) -> str:
    sys.path.insert(0, oracle.environment()["PYTHONPATH"])
    try:
        from stepwell.blobs import Blobs
    finally:
        del sys.path[0]
    return Blobs(str(artifacts)).put([content])[0]


def fixed(value, folder: Path):
    if isinstance(value, str):
        return value.replace(str(folder), FOLDER)
    if isinstance(value, list):
        return [fixed(item, folder) for item in value]
    if not isinstance(value, dict):
        return value
    same = {}
    for key, item in value.items():
        if key in FIXED:
            same[key] = FIXED[key]
        elif key == "started":
            same[key] = FIXED["at"]
        elif key == "seconds":
            same[key] = dict.fromkeys(item, 0.5) if isinstance(item, dict) else 0.5
        else:
            same[key] = fixed(item, folder)
    return same


def write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        result, events = run(Path(folder))
    (HERE / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    (HERE / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


if __name__ == "__main__":
    write()
