"""
Failures in the words of the task document.

Everything that can stop a task becomes one `TaskError`: a kind (who has to do something about it) and one sentence. What the
user's code raised is told from what only we can repair; the traceback that travels is always the user's, never ours.
"""

from __future__ import annotations

import builtins
import re
import sys

from .compiling import cell_file


class TaskFailure(Exception):
    """Stops a task. `error` is the TaskError to report."""

    def __init__(self, kind: str, message: str, **details):
        super().__init__(message)
        self.error = {"kind": kind, "message": message, **{k: v for k, v in details.items() if v is not None}}


# What IPython calls the code under `%%time`.
TIMED = ("<timed exec>", "<timed eval>")
NOT_DEFINED = re.compile(r"(?:local variable |name )['\"]([^'\"]+)['\"] is not defined")
NO_MAIN_ATTRIBUTE = re.compile(r"Can't get attribute '([^'.]+)[^']*' on <module '__main__'")


def place(cell: int) -> str:
    """How a sentence names a cell: people count from one."""
    return f"Cell {cell + 1}"


def of_cell(error: BaseException, cell: int, source: str, namespace: dict, shown: dict | None) -> dict:
    """The TaskError for what a cell raised. `shown` is the error output that IPython made of it, if any."""
    shown = shown or {}
    ename, evalue = shown.get("ename", type(error).__name__), shown.get("evalue", _text(error))
    line = failing_line(error, source)
    details = {"cell": cell, **({} if line is None else {"line": line})}
    details.update(ename=ename, evalue=evalue, traceback=shown.get("traceback", []))
    missing = _missing_name(error, namespace)
    if missing is not None:
        return {"kind": "missing-name", "message": f"{place(cell)} uses '{missing}', which is not defined.", "name": missing, **details}
    if isinstance(error, MemoryError):
        return {"kind": "out-of-memory", "message": f"{place(cell)} ran out of memory.", **details}
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        message = f"{place(cell)} imports '{error.name}', but the package '{package}' is not installed in {sys.executable}."
        return {"kind": "user", "message": message, **details}
    return {"kind": "user", "message": f"{place(cell)} failed with {ename}{': ' if evalue else ''}{_first_line(evalue)}", **details}


def of_definition(error: BaseException, definition: dict, source: str, namespace: dict, shown: dict | None) -> dict:
    """The TaskError for travelling code that failed before the step's own cells ran; `source` is the cell it was taken from."""
    found = of_cell(error, definition["cell"], source, namespace, shown)
    names = ", ".join(f"'{name}'" for name in definition.get("names", ()))
    if found["kind"] == "user" and not isinstance(error, ModuleNotFoundError):
        what = f"{names} of cell {definition['cell'] + 1}" if names else f"The setup in cell {definition['cell'] + 1}"
        found["message"] = f"{what} could not be made ready for this step: {found['ename']}: {_first_line(found['evalue'])}"
    return found


def failing_line(error: BaseException, source: str) -> int | None:
    """Where in the cell it failed, counted from 0: the innermost place in its own text. None where the cell's text was never reached."""
    lines = source.splitlines()
    # IPython drops blank lines at the top before it compiles.
    dropped = next((at for at, text in enumerate(lines) if text.strip()), 0)
    file, timed = cell_file(source), source.lstrip().startswith("%%time")
    found, trace = None, error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name == file:
            found = trace.tb_lineno - 1 + dropped
        elif timed and name in TIMED:
            # Counted from the line below the magic.
            found = trace.tb_lineno + dropped
        trace = trace.tb_next
    if found is None and isinstance(error, SyntaxError) and error.lineno:
        found = error.lineno - 1 + dropped
    return found if found is not None and 0 <= found < len(lines) else None


def _missing_name(error: BaseException, namespace: dict) -> str | None:
    """The global that was looked up in vain, also when another exception was raised because of it."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        name = None
        if isinstance(current, NameError) and not isinstance(current, UnboundLocalError):
            found = NOT_DEFINED.search(_text(current))
            name = getattr(current, "name", None) or (found and found[1])
        elif isinstance(current, AttributeError):
            # What unpickling says when the class of an object is looked for in the notebook.
            found = NO_MAIN_ATTRIBUTE.search(_text(current))
            name = found and found[1]
        if isinstance(name, str) and name not in namespace and not hasattr(builtins, name):
            return name
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return None


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # a user's exception may have a broken __str__
        return ""


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 300 else line[:299] + "…"
