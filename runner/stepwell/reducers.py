"""
Objects that pickle would carry over wrongly or not at all: a table from type to reducer.

A reducer is called with the object and the pickler and returns what `__reduce_ex__` returns, or NotImplemented for pickle's own
way, or raises `Refused`. What is refused is told to the user with the variable's name; it is never dropped in silence.
"""

from __future__ import annotations

import _thread
import functools
import io
import itertools
import sys
import types
import weakref

from . import frames, memory


class Refused(Exception):
    """An object that cannot leave its process. The message is a sentence without its full stop: "a generator cannot leave its process"."""


def refuse(what: str):
    def reducer(obj, pickler):
        raise Refused(f"{what} cannot leave its process")

    return reducer


def _open_file(obj, pickler):
    for name in ("stdout", "stderr", "stdin", "__stdout__", "__stderr__", "__stdin__"):
        if getattr(sys, name, None) is obj:
            return getattr, (sys, name)
    raise Refused("a closed file cannot leave its process" if obj.closed else "an open file cannot leave its process")


def _string_io(obj, pickler):
    if type(obj) not in (io.StringIO, io.BytesIO):
        return NotImplemented
    if obj.closed:
        return _closed, (type(obj),)
    return NotImplemented


def _closed(kind):
    made = kind()
    made.close()
    return made


def _memoryview(view, pickler):
    if view.obj is None or not view.contiguous:
        raise Refused("a memoryview of memory that is not contiguous cannot leave its process")
    whole = memoryview(view.obj)
    if whole.nbytes == view.nbytes and whole.format == view.format and whole.shape == view.shape and whole.readonly == view.readonly:
        return memoryview, (view.obj,)
    if whole.contiguous and type(view.obj) in (bytes, bytearray):
        from .bundle import address

        offset = address(view) - address(whole)
        return _part_of, (view.obj, offset, view.nbytes, view.format, view.shape, view.readonly)
    raise Refused("a memoryview of a part of an object cannot leave its process")


def _part_of(obj, offset, size, format, shape, readonly):
    view = memoryview(obj).cast("B")[offset : offset + size]
    if format != "B" or shape != (size,):
        view = view.cast(format, shape) if shape else view
    return view.toreadonly() if readonly else view


def _weak_reference(reference, pickler):
    if type(reference) is not weakref.ref or reference.__callback__ is not None:
        raise Refused("a weak reference with a callback cannot leave its process")
    target = reference()
    return (_dead_reference, ()) if target is None else (_alive_reference, (target,))


class _Gone:
    pass


def _dead_reference():
    return weakref.ref(_Gone())


def _alive_reference(target):
    from .pickling import keep

    keep(target)
    return weakref.ref(target)


def _weak_collection(obj, pickler):
    kind = type(obj)
    if kind is weakref.WeakSet:
        return _weak_from, (kind, list(obj))
    return _weak_from, (kind, list(obj.items()))


def _weak_from(kind, items):
    from .pickling import keep

    keep(items)
    return kind(items) if kind is weakref.WeakSet else kind(dict(items) if kind is weakref.WeakValueDictionary else _pairs(items))


def _pairs(items):
    return dict(items)


def _cached_function(function, pickler):
    info = function.cache_info()
    if info.currsize:
        raise Refused("a function whose cache has been filled cannot leave its process")
    name = pickler.defined_as(function)
    if name:
        return pickler.by_name(name)
    if getattr(function, "__module__", None) != "__main__" and "<" not in function.__qualname__:
        return NotImplemented
    parameters = function.cache_parameters()
    return _make_cached, (function.__wrapped__, parameters["maxsize"], parameters["typed"])


def _make_cached(function, maxsize, typed):
    return functools.lru_cache(maxsize, typed)(function)


def _exception(error, pickler):
    if error.__traceback__ is not None:
        raise Refused("an exception with its traceback cannot leave its process")
    if error.__cause__ is not None or error.__context__ is not None:
        raise Refused("an exception with the one that caused it cannot leave its process")
    return NotImplemented


def _data_matrix(matrix, pickler):
    """An xgboost.DMatrix: its data as a sparse matrix and everything that was set on it, if that makes an equal one."""
    import numpy

    parts = {
        "data": matrix.get_data(),
        "floats": {
            key: matrix.get_float_info(key)
            for key in ("label", "weight", "base_margin", "label_lower_bound", "label_upper_bound", "feature_weights")
        },
        "groups": matrix.get_uint_info("group_ptr"),
        "names": matrix.feature_names,
        "types": matrix.feature_types,
        "categories": None,
    }
    if type(matrix).__name__ != "DMatrix" or "c" in (matrix.feature_types or ()) or _has_categories(matrix):
        raise Refused("an xgboost matrix of this kind cannot leave its process")
    shape = (matrix.num_row(), matrix.num_col())
    if parts["data"].nnz != matrix.num_nonmissing() or parts["data"].shape != shape:
        raise Refused("an xgboost matrix whose data cannot be read back cannot leave its process")
    copy = _make_matrix(parts)
    same = (copy.num_row(), copy.num_col(), copy.num_nonmissing()) == (*shape, matrix.num_nonmissing())
    for key, value in parts["floats"].items():
        same = same and numpy.array_equal(copy.get_float_info(key), value, equal_nan=True)
    again = copy.get_data()
    for part in ("indptr", "indices", "data"):
        same = same and numpy.array_equal(getattr(again, part), getattr(parts["data"], part))
    if not same or copy.feature_names != matrix.feature_names or copy.feature_types != matrix.feature_types:
        raise Refused("an xgboost matrix that does not come back equal cannot leave its process")
    return _make_matrix, (parts,)


def _has_categories(matrix) -> bool:
    try:
        return bool(matrix.get_categories().to_arrow())
    except Exception:
        return False


def _make_matrix(parts):
    import numpy
    import xgboost

    matrix = xgboost.DMatrix(parts["data"], feature_names=parts["names"], feature_types=parts["types"])
    for key, value in parts["floats"].items():
        if value.size:
            if key == "base_margin" and value.size != matrix.num_row():
                value = value.reshape(matrix.num_row(), -1)
            if key == "label" and value.size != matrix.num_row():
                value = value.reshape(matrix.num_row(), -1)
            matrix.set_float_info(key, value)
    if parts["groups"].size:
        matrix.set_group(numpy.diff(parts["groups"]))
    return matrix


def _callbacks(registry, pickler):
    """Matplotlib's registries count up when they are pickled; looking at a figure must not change it."""
    reduced = registry.__reduce_ex__(5)
    if isinstance(reduced[2], dict) and isinstance(reduced[2].get("_cid_gen"), int):
        registry._cid_gen = itertools.count(reduced[2]["_cid_gen"])
    return reduced


def _frozen(obj, pickler):
    """Instances with slots whose class does not let attributes be set: their state is set past it."""
    reduced = obj.__reduce_ex__(5)
    if (
        isinstance(reduced, tuple)
        and len(reduced) > 2
        and isinstance(reduced[2], tuple)
        and len(reduced[2]) == 2
        and not hasattr(obj, "__setstate__")
    ):
        return (*reduced[:3], *(*reduced[3:], None, None)[:2], fill_frozen)
    return reduced


def fill_frozen(obj, state) -> None:
    attributes, slots = state
    if attributes:
        obj.__dict__.update(attributes)
    for name, value in (slots or {}).items():
        object.__setattr__(obj, name, value)


def _array(array, pickler):
    return memory.reduce_array(array, pickler)


def _subclassed_array(array, pickler):
    """Numpy forgets the attributes that an instance of a subclass has of its own."""
    reduced = array.__reduce__()
    attributes = getattr(array, "__dict__", None)
    return (*reduced[:2], (reduced[2], attributes), None, None, fill_array) if attributes else reduced


def fill_array(array, state) -> None:
    array.__setstate__(state[0])
    array.__dict__.update(state[1])


def _mapped_array(array, pickler):
    if getattr(array, "_mmap", None) is not None and array.mode in ("r+", "w+"):
        raise Refused("an array that writes to a file cannot leave its process")
    return NotImplemented


def keeps_pickling_of_arrays(kind: type) -> bool:
    numpy = sys.modules.get("numpy")
    if numpy is None or not issubclass(kind, numpy.ndarray):
        return False
    return all(getattr(kind, name) is getattr(numpy.ndarray, name) for name in ("__reduce__", "__reduce_ex__", "__setstate__"))


REDUCERS: dict[type, object] = {
    memoryview: _memoryview,
    weakref.ref: _weak_reference,
    weakref.WeakSet: _weak_collection,
    weakref.WeakValueDictionary: _weak_collection,
    weakref.WeakKeyDictionary: _weak_collection,
    functools._lru_cache_wrapper: _cached_function,
    types.GeneratorType: refuse("a generator"),
    types.CoroutineType: refuse("a coroutine"),
    types.AsyncGeneratorType: refuse("an asynchronous generator"),
    types.FrameType: refuse("a frame"),
    types.TracebackType: refuse("a traceback"),
    _thread.LockType: refuse("a lock"),
    _thread.RLock: refuse("a lock"),
}
# Pickles of iterators of itertools are deprecated and known to be wrong in places.
for _name, _kind in vars(itertools).items():
    if isinstance(_kind, type) and _kind not in (itertools.count, itertools.repeat):
        REDUCERS[_kind] = refuse(f"an iterator of itertools.{_name}")

# By module and name, for libraries that may not be loaded.
NAMED = {
    ("numpy", "ndarray"): _array,
    ("numpy", "memmap"): _mapped_array,
    ("numpy.core.memmap", "memmap"): _mapped_array,
    ("pandas.core.generic", "NDFrame"): frames.reduce_frame,
    ("pandas._libs.internals", "Block"): frames.reduce_block,
    ("pandas.core.indexes.base", "Index"): frames.reduce_index,
    ("pandas", "Index"): frames.reduce_index,
    ("pandas", "CategoricalDtype"): frames.reduce_categories,
    ("pandas.core.dtypes.dtypes", "CategoricalDtype"): frames.reduce_categories,
    ("pandas.arrays", "ArrowExtensionArray"): frames.reduce_arrow,
    ("pandas.core.arrays.arrow.array", "ArrowExtensionArray"): frames.reduce_arrow,
    ("matplotlib.cbook", "CallbackRegistry"): _callbacks,
    ("builtins", "BaseException"): _exception,
    ("xgboost.core", "DMatrix"): _data_matrix,
    ("_asyncio", "Task"): refuse("a task of asyncio"),
    ("_asyncio", "Future"): refuse("a future of asyncio"),
    ("_socket", "socket"): refuse("an open socket"),
    ("socket", "socket"): refuse("an open socket"),
    ("ssl", "SSLContext"): refuse("an SSL context"),
    ("sqlite3", "Connection"): refuse("an open database connection"),
    ("sqlite3", "Cursor"): refuse("an open database cursor"),
    ("threading", "Thread"): refuse("a thread"),
    ("subprocess", "Popen"): refuse("a running program"),
    ("mmap", "mmap"): refuse("a mapped file"),
    ("multiprocessing.pool", "Pool"): refuse("a pool of processes"),
    ("multiprocessing.pool", "ThreadPool"): refuse("a pool of threads"),
    ("concurrent.futures.thread", "ThreadPoolExecutor"): refuse("a pool of threads"),
    ("concurrent.futures.process", "ProcessPoolExecutor"): refuse("a pool of processes"),
}


def find(kind: type):
    """The reducer for a type, looked up once; subclasses of some types share theirs."""
    if kind in REDUCERS:
        return REDUCERS[kind]
    found = NAMED.get((kind.__module__, kind.__name__))
    if found is None:
        for base in kind.__mro__[1:]:
            found = NAMED.get((base.__module__, base.__name__)) if base.__name__ != "ndarray" else None
            if found is not None:
                break
    if found is None and keeps_pickling_of_arrays(kind):
        found = _subclassed_array
    if found is None and issubclass(kind, io.IOBase):
        found = _string_io if issubclass(kind, (io.StringIO, io.BytesIO)) else _open_file
    if (
        found is None
        and kind.__setattr__ is not object.__setattr__
        and kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__reduce__ is object.__reduce__
    ):
        if any("__slots__" in vars(base) for base in kind.__mro__[:-1]):
            found = _frozen
    REDUCERS[kind] = found
    return found
