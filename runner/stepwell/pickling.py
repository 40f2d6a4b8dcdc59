"""
How objects of a notebook become a stream and come back.

The stream is pickle's, protocol 5. Four things differ from what `pickle` and `cloudpickle` do alone:

* What the notebook defines under a name that travels as source is written as that name, so that classes and functions are the
  same ones in the next step. Other functions of the notebook go by value, but their globals are the live namespace, never a copy.
* The names such functions look up when they are called are collected (`needs`).
* What pickle would carry over wrongly in silence (an open file as its text, a view as a copy) is refused or done right.
* Big memory is handed out as buffers instead of being copied into the stream.
"""

from __future__ import annotations

import builtins
import io
import linecache
import os
import pickle
import sys
import tempfile
import types

from . import memory, reducers
from .fallback import cloudpickle, cp
from .sharing import atoms

# Smaller buffers go into the stream.
IN_BAND = 4096

# Packages whose objects come back if they can be written.
PROVEN = {*sys.stdlib_module_names, "numpy", "pandas", "pyarrow", "scipy", "sklearn", "xgboost", "matplotlib", "stepwell"} - {"__main__"}

_live: dict | None = None
_kept: list = []


class Pickler(cloudpickle.Pickler):
    """Writes objects of `namespace`. `definitions` are the names that travel as source."""

    def __init__(self, file, namespace: dict, definitions: set[str], buffers: list | None = None):
        super().__init__(file, protocol=5, buffer_callback=None if buffers is None else self._take)
        self.namespace = namespace
        self.definitions = definitions
        self.buffers = buffers
        self.needs: set[str] = set()
        self.memory = memory.Memory()
        self._cells: set[int] = set()
        self._seen: list | None = None
        # Objects of subclasses of sets were written; plain ones are not told here.
        self.met_sets = False
        # Objects were written of classes that have not proven to come back.
        self.unproven = False

    def _take(self, buffer: pickle.PickleBuffer) -> bool:
        if buffer.raw().nbytes < IN_BAND:
            return True
        self.buffers.append(buffer)
        return False

    def seen(self) -> list[tuple[int, object]]:
        """Address and object of everything written so far that can be shared, each once."""
        if self._seen is None:
            self._seen = [
                (address, obj) for address, (_, obj) in self.memo.copy().items() if not atoms[type(obj)] or type(obj) is frozenset
            ]
        return self._seen

    def reducer_override(self, obj):
        kind = type(obj)
        if kind is types.FunctionType:
            return self._function(obj)
        if kind is types.CodeType:
            return self._code(obj)
        if kind is types.CellType:
            # Filled by the function that it belongs to.
            return (types.CellType, ()) if id(obj) in self._cells else NotImplemented
        if issubclass(kind, type):
            name = self.defined_as(obj)
            return self.by_name(name) if name else super().reducer_override(obj)
        if not self.unproven and kind.__module__.partition(".")[0] not in PROVEN:
            self.unproven = True
        if issubclass(kind, (set, frozenset)):
            self.met_sets = True
        reducer = reducers.find(kind)
        return NotImplemented if reducer is None else reducer(obj, self)

    def defined_as(self, obj) -> str | None:
        """The dotted name under which the notebook's source makes `obj`, if it does."""
        if getattr(obj, "__module__", None) != "__main__":
            return None
        name = getattr(obj, "__qualname__", "")
        if "<" in name:
            return None
        top, *rest = name.split(".")
        if top not in self.definitions:
            return None
        found = self.namespace.get(top)
        for part in rest:
            found = getattr(found, part, None)
        return name if found is obj else None

    def by_reference(self, function) -> bool:
        """Whether a function was written as a name."""
        return bool(self.defined_as(function)) or cp._should_pickle_by_reference(function)

    def by_name(self, name: str):
        self.needs.add(name.partition(".")[0])
        return named, (name,)

    def _function(self, function: types.FunctionType):
        name = self.defined_as(function)
        if name:
            return self.by_name(name)
        if function.__globals__ is not self.namespace:
            return super().reducer_override(function)
        self.needs.update(global_names(function.__code__, self.namespace))
        state = {
            "__name__": function.__name__,
            "__qualname__": function.__qualname__,
            "__defaults__": function.__defaults__,
            "__kwdefaults__": function.__kwdefaults__,
            "__annotations__": function.__annotations__,
            "__module__": function.__module__,
            "__doc__": function.__doc__,
        }
        if getattr(function, "__type_params__", ()):
            state["__type_params__"] = function.__type_params__
        cells = function.__closure__ or ()
        self._cells.update(map(id, cells))
        contents = [(cell, cell.cell_contents) for cell in cells if not _is_empty(cell)]
        arguments = (function.__code__, function.__name__, cells or None)
        return _make_function, arguments, (state, function.__dict__, contents), None, None, _fill_function

    def _code(self, code: types.CodeType):
        """Code of a cell has the process in its file name, and a source that only this process knows."""
        if not code.co_filename.startswith(_cell_folder()):
            return NotImplemented
        cached = linecache.cache.get(code.co_filename)
        lines = cached[2] if cached and len(cached) == 4 else None
        portable = _renamed(code, code.co_filename, os.path.basename(code.co_filename))
        return _make_code, (portable, None if lines is None else "".join(lines))


def _cell_folder() -> str:
    return os.path.join(tempfile.gettempdir(), f"ipykernel_{os.getpid()}") + os.sep


def _renamed(code: types.CodeType, old: str, new: str) -> types.CodeType:
    constants = tuple(_renamed(each, old, new) if isinstance(each, types.CodeType) else each for each in code.co_consts)
    return code.replace(co_consts=constants, co_filename=new if code.co_filename == old else code.co_filename)


def _is_empty(cell: types.CellType) -> bool:
    try:
        cell.cell_contents
    except ValueError:
        return True
    return False


def global_names(code: types.CodeType, namespace: dict) -> set[str]:
    """The global names that running `code` may look up, functions inside it too; builtins only where the notebook has its own."""
    found = {name for name in cp._extract_code_globals(code) if name in namespace or not hasattr(builtins, name)}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= global_names(constant, namespace)
    return found


def dump(value, namespace: dict, definitions: set[str], memory=None) -> tuple[bytes, list[pickle.PickleBuffer], Pickler]:
    """Pickle one object. Returns the stream, its buffers, and the pickler, which remembers what it saw."""
    buffers: list[pickle.PickleBuffer] = []
    with io.BytesIO() as file:
        pickler = Pickler(file, namespace, definitions, buffers)
        if memory is not None:
            pickler.memory = memory
        pickler.dump(value)
        return file.getvalue(), buffers, pickler


class MissingName(Exception):
    """A value needs a definition of the notebook that isn't there."""

    def __init__(self, name: str):
        super().__init__(f"it needs '{name}', which is not defined")
        self.name = name


def load(stream, buffers: list, namespace: dict) -> tuple[object, list]:
    """The object of a stream, and what must be kept alive beside it. Functions in it see `namespace`."""
    global _live, _kept
    before = _live, _kept
    _live, _kept = namespace, []
    try:
        return pickle.loads(stream, buffers=buffers), _kept
    finally:
        _live, _kept = before


def keep(obj) -> None:
    """Called while loading: hold an object that only weak references point to."""
    _kept.append(obj)


def named(name: str):
    """Called while loading: what the notebook defines under a dotted name."""
    top, *rest = name.split(".")
    try:
        found = _live[top]
        for part in rest:
            found = getattr(found, part)
    except (KeyError, AttributeError):
        raise MissingName(top) from None
    return found


def _make_function(code, name, cells):
    namespace = _live if _live is not None else sys.modules["__main__"].__dict__
    return types.FunctionType(code, namespace, name, None, cells)


def _fill_function(function, state) -> None:
    slots, attributes, contents = state
    for name, value in slots.items():
        setattr(function, name, value)
    function.__dict__.update(attributes)
    for cell, value in contents:
        cell.cell_contents = value


def _make_code(code, source):
    name = _cell_folder() + code.co_filename
    if source is not None and name not in linecache.cache:
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return _renamed(code, code.co_filename, name)
