"""
The magic `%stepwell`: runs of pipelines, looked at from a live kernel.

    %stepwell runs                       the latest runs of this notebook
    %stepwell inputs STEP [--run ID]     what the step was given, loaded into this kernel
    %stepwell outputs STEP [--run ID]    what the step gave to those below, likewise

It asks the command line, which knows where runs are kept, and loads the values with the runner's own codecs; so a step that failed can be
debugged with exactly what went into it. What goes wrong is one sentence, not a traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shlex
import subprocess

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

from . import compiling, installation, values
from .blobs import Blobs

PATIENCE = 60


@magics_class
class StepwellMagics(Magics):
    @line_magic
    def stepwell(self, line: str) -> None:
        """`%stepwell runs`, `%stepwell inputs STEP [--run ID]`, `%stepwell outputs STEP [--run ID]`."""
        wish = _parse(line)
        if wish.what == "runs":
            print(_table(_runs(wish.limit)))
        elif wish.what == "inputs":
            self._load_inputs(_ask("inputs", _chosen(wish.run), wish.step, "--json"))
        else:
            self._load_outputs(_ask("outputs", _chosen(wish.run), wish.step, "--json"))

    def _load_inputs(self, found: dict) -> None:
        namespace, before = self.shell.user_ns, set(self.shell.user_ns)
        failed = self._prepare(found)
        namespace.update(found["parameters"])
        rows, lost = _load(found, found["inputs"]["values"], namespace, set(found["definitions"]))
        parameters = [(name, "parameter", repr(value)) for name, value in found["parameters"].items()]
        made = sorted(
            name for name in set(namespace) - before - {row[0] for row in (*rows, *parameters)} if not name.startswith("_") or name == "_"
        )
        _tell(f"Inputs of {_named(found)}", [*parameters, *rows], [*failed, *lost])
        if made:
            print(f"And the code it uses: {', '.join(made)}")
        files = found["inputs"]["files"]
        if files:
            print(f"Not loaded: files of steps above ({', '.join(sorted(files))}).")
        if found["inputs"]["channels"]:
            print("Random generators, environment and options stay as they are in this kernel.")

    def _load_outputs(self, found: dict) -> None:
        saved = {name: one for name, one in found["provided"].items() if not name.startswith(("@", "file:"))}
        kept = {name: one for name, one in saved.items() if "digest" in one}
        rows, lost = _load(found, kept, self.shell.user_ns, set())
        lost += [f"{name} ({one['type']}): {one['lost']}" for name, one in saved.items() if "lost" in one]
        _tell(f"Outputs of {_named(found)}", rows, lost)

    def _prepare(self, found: dict) -> list[str]:
        """Run what comes before a step's cells, silently; returns what failed."""
        failed = []
        cells = {cell["cell"]: cell for cell in found["sources"]}
        self.shell.user_ns.update(found["parameters"])
        shared = [{"names": [], "source": cell["source"], "cell": cell["cell"], "line": 0} for cell in found["sharedCells"]]
        for definition in (*found["prelude"], *shared):
            try:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    exec(_compiled(self.shell, definition, cells), self.shell.user_ns)
            except Exception as error:
                what = ", ".join(definition["names"]) or f"setup of cell {definition['cell'] + 1}"
                failed.append(f"{what}: {type(error).__name__}: {error}")
        return failed


def _compiled(shell, definition: dict, cells: dict):
    """As it is compiled in a step, so that tracebacks show the cell that it comes from."""
    try:
        return compiling.compile_definition(shell, definition, cells)
    except TypeError:
        # A shell that is no kernel's.
        return compile(shell.transform_cell(definition["source"]), f"cell {definition['cell'] + 1}", "exec")


def _load(found: dict, saved: dict, namespace: dict, definitions: set[str]) -> tuple[list[tuple], list[str]]:
    """Each blob apart: one that cannot be loaded loses its own names and no others. Returns rows to show, and what was lost."""
    blobs = Blobs(found["artifacts"])
    groups: dict[str, dict] = {}
    for name, one in saved.items():
        groups.setdefault(one["digest"], {})[name] = one
    lost = []
    for group in groups.values():
        try:
            values.load(blobs, group, namespace, definitions, [])
        except values.CannotLoad as error:
            lost += [f"{name} ({one['type']}): {error.reason}" for name, one in group.items()]
            for name in group:
                saved = {other: one for other, one in saved.items() if other != name}
    return [(name, one["type"], (one.get("preview") or {}).get("text", "")) for name, one in saved.items()], lost


def _tell(title: str, rows: list[tuple], lost: list[str]) -> None:
    print(f"{title}: {_table(rows, indent='  ') if rows else 'nothing'}")
    for one in lost:
        print(f"Not loaded: {one}")


def _named(found: dict) -> str:
    joined = f", which ran as one with others ({found['unit']})" if "unit" in found else ""
    return f"step '{found['step']}' of run {found['run']} ({found['status']}){joined}"


def _table(rows: list[tuple], indent: str = "") -> str:
    if not rows:
        return "There has been no run of this notebook yet."
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join(f"{indent}{line}" for line in (["", *lines] if indent else lines)).lstrip(" ")


def _runs(limit: int) -> list[tuple]:
    """The latest first. In a notebook that Jupyter names, its own; else those of notebooks in this folder."""
    notebook = os.environ.get("JPY_SESSION_NAME", "")
    if os.path.isabs(notebook) and os.path.isfile(notebook):
        found = _ask("runs", "--json", "--limit", str(limit), "--notebook", notebook)
    else:
        here = os.path.realpath(os.getcwd())
        found = [run for run in _ask("runs", "--json", "--limit", "1000") if os.path.realpath(run["folder"]) == here][:limit]
    return [(run["id"], run["status"], run["created"][:19].replace("T", " "), os.path.basename(run["notebookPath"])) for run in found]


def _chosen(run: str) -> str:
    if run != "last":
        return run
    runs = _runs(1)
    if not runs:
        raise UsageError('There has been no run of this notebook yet; "%stepwell inputs STEP --run ID" names another one\'s.')
    return runs[0][0]


def _ask(*arguments: str):
    """What the command line answers, or a `UsageError` with its sentence."""
    try:
        asked = subprocess.run(
            [*installation.command(), *arguments], capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE, check=False
        )
    except installation.NotInstalled as error:
        raise UsageError(str(error))
    except subprocess.TimeoutExpired:
        raise UsageError(f"Stepwell did not answer within {PATIENCE} seconds.")
    if asked.returncode != 0:
        raise UsageError(asked.stderr.strip() or f"Stepwell ended with exit code {asked.returncode}.")
    return json.loads(asked.stdout)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise UsageError(f"%stepwell: {message}. {self.usage}")


USAGE = "Use %stepwell runs, %stepwell inputs STEP [--run ID], or %stepwell outputs STEP [--run ID]."


def _parse(line: str) -> argparse.Namespace:
    parser = _Parser(add_help=False, allow_abbrev=False, usage=USAGE)
    parser.add_argument("what", choices=("runs", "inputs", "outputs"))
    parser.add_argument("step", nargs="?")
    parser.add_argument("--run", default="last")
    parser.add_argument("--limit", type=int, default=10)
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"%stepwell: {error}. {USAGE}")
    wish = parser.parse_args(words)
    if (wish.step is None) != (wish.what == "runs"):
        raise UsageError(f"%stepwell {wish.what}: {'name no step here' if wish.step else 'name the step'}. {USAGE}")
    # A name that begins with a dash must not become an option of the command.
    if any(str(word).startswith("-") for word in (wish.step or "", wish.run)):
        raise UsageError(f"%stepwell: names of steps and runs do not begin with a dash. {USAGE}")
    return wish
