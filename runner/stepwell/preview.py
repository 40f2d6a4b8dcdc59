"""
What people see of a value without loading it: one line, and the head of a table.

Bounded in time and size, and never a reason to fail: a value whose own methods raise is shown by its type.
"""

from __future__ import annotations

import reprlib
import sys

ROWS, COLUMNS, CELL, TEXT = 10, 30, 80, 200

_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = CELL
_short.maxlist = _short.maxtuple = _short.maxset = _short.maxdict = 6
_short.maxlevel = 3


def type_name(kind: type) -> str:
    """`pandas.DataFrame`, `int`: the type as people import it."""
    module, name = kind.__module__, kind.__qualname__
    if module in ("builtins", "__main__"):
        return name
    top = module.partition(".")[0]
    return f"{top}.{name}" if getattr(sys.modules.get(top), name, None) is kind else f"{module}.{name}"


def of(value, plain: bytes | None = None) -> dict:
    """The preview of a value. `plain` is its JSON, if it has one."""
    try:
        found = _of(value)
    except Exception:
        found = {"text": type_name(type(value)).rpartition(".")[2]}
    found["text"] = _cut(found["text"], TEXT)
    if plain is not None and len(plain) <= 2000:
        found["json"] = value
    return found


def _of(value) -> dict:
    kind = type(value)
    name = kind.__name__
    module = kind.__module__.partition(".")[0]
    if module == "pandas" and name == "DataFrame":
        return _frame(value)
    if module == "pandas" and name in ("Series", "Index", "RangeIndex"):
        rows = [[_cut(str(each), CELL)] for each in value[:ROWS]]
        return {"text": f"{name} of {len(value):,}", "shape": [len(value)], "dtype": str(value.dtype), "rows": rows}
    if module == "pyarrow" and name == "Table":
        columns = [{"name": field.name, "dtype": str(field.type)} for field in value.schema][:COLUMNS]
        return {
            "text": f"Table {value.num_rows:,} × {value.num_columns:,}",
            "shape": [value.num_rows, value.num_columns],
            "columns": columns,
        }
    if hasattr(value, "shape") and hasattr(value, "dtype") and isinstance(value.shape, tuple):
        shape = [int(each) for each in value.shape]
        size = " × ".join(f"{each:,}" for each in shape)
        if not shape:
            return {"text": f"{name} {_cut(str(value), CELL)}", "shape": [], "dtype": str(value.dtype)}
        return {"text": f"{name} {size} {value.dtype}", "shape": shape, "dtype": str(value.dtype)}
    if kind in (bool, int, float, complex, str, bytes) or value is None:
        return {"text": _short.repr(value)}
    if kind in (list, tuple, dict, set, frozenset):
        return {"text": f"{name} of {len(value):,}: {_short.repr(value)}" if _is_cheap(value) else f"{name} of {len(value):,}"}
    if module == "__main__" or module in ("matplotlib", "xgboost", "torch"):
        return {"text": name}
    if module == "sklearn":
        return {"text": _cut(" ".join(repr(value).split()), TEXT)}
    return {"text": name}


def _is_cheap(value) -> bool:
    """Only plain parts are shown: the repr of other objects may take long or raise."""
    parts = list(value.items() if isinstance(value, dict) else value)[:6] if len(value) <= 1000 else []
    flat = [each for part in parts for each in (part if isinstance(part, tuple) else (part,))]
    return bool(flat) and all(type(each) in (bool, int, float, str, type(None)) for each in flat)


def _frame(frame) -> dict:
    rows, columns = frame.shape
    head = frame.iloc[:ROWS, :COLUMNS]
    return {
        "text": f"DataFrame {rows:,} × {columns:,}",
        "shape": [rows, columns],
        "columns": [{"name": _cut(str(name), CELL), "dtype": str(kind)} for name, kind in zip(head.columns, head.dtypes)],
        "rows": [[_cut(str(cell), CELL) for cell in row] for row in head.itertuples(index=False, name=None)],
    }


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
