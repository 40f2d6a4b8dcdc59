"""
Carries values between two real processes: `python crossing.py save FOLDER CASES` runs the first half of each case and saves its
variables, `… load FOLDER CASES` loads them in another process and runs the second half, which asserts. Used by test_values.py.
"""

from __future__ import annotations

import json
import sys
import traceback
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from stepwell import blobs, values  # noqa: E402


def namespace() -> dict:
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    return module.__dict__


def run(source: str, names: dict) -> None:
    exec(compile(source, "<cell>", "exec"), names)


def save(store: blobs.Blobs, case: dict) -> dict:
    names = namespace()
    run(case.get("source", ""), names)
    definitions = {name for name in names if not name.startswith("__")}
    loaded = values.load(store, {}, names, definitions)
    before = {name: id(value) for name, value in names.items()}
    run(case["make"], names)
    wanted = [name for name in names if not name.startswith("__") and name not in definitions] + case.get("wanted", [])
    return values.save(store, loaded, names, before, wanted, definitions)


def load(store: blobs.Blobs, case: dict, saved: dict) -> dict:
    names = namespace()
    run(case.get("source", ""), names)
    definitions = {name for name in names if not name.startswith("__")}
    given = {name: value for name, value in saved.items() if "lost" not in value}
    loaded = values.load(store, given, names, definitions)
    before = {name: id(value) for name, value in names.items()}
    names["saved"] = saved
    again = values.save(store, loaded, names, before, [*given, *case.get("wanted", [])], definitions)
    assert not again, f"seen as changed though nothing happened: {sorted(again)}"
    run(case["check"], names)
    return values.save(store, loaded, names, before, [*given, *case.get("wanted", [])], definitions)


def main() -> None:
    what, folder, path = sys.argv[1:]
    store = blobs.Blobs(f"{folder}/artifacts")
    cases = json.loads(Path(path).read_text())
    found = {}
    between = Path(folder, "saved.json")
    saved = json.loads(between.read_text()) if what == "load" else {}
    for name, case in cases.items():
        try:
            if what == "save":
                saved[name] = save(store, case)
            else:
                changed = load(store, case, saved.get(name) or {})
                found[name] = {"changed": sorted(changed)}
        except BaseException:
            found[name] = {"error": traceback.format_exc()}
    if what == "save":
        between.write_text(json.dumps(saved))
    Path(folder, f"{what}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
