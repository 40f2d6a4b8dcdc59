"""
Parts of pandas objects: what they share inside, and nobody can see, must not tie variables together.

Under copy-on-write a frame made from another holds the same memory until one of them is written to; pandas keeps account of that in
its blocks, and the account does not survive pickling. So every block gets an array of its own (written once, mapped twice).
"""

from __future__ import annotations

import copyreg


def reduce_frame(frame, pickler):
    """DataFrame and Series: their state names a list that belongs to the class."""
    reduced = frame.__reduce_ex__(5)
    if isinstance(reduced, tuple) and len(reduced) > 2 and isinstance(reduced[2], dict) and isinstance(reduced[2].get("_metadata"), list):
        reduced[2]["_metadata"] = list(reduced[2]["_metadata"])
    return reduced


def reduce_block(block, pickler):
    if not _copies_on_write():
        return NotImplemented
    known = pickler.memory.blocks.get(id(block))
    if known is None:
        values = _own(block.values, pickler.memory)
        known = pickler.memory.blocks[id(block)] = (block, values)
    make, (_, *rest) = block.__reduce__()[:2]
    return make, (known[1], *rest)


def reduce_index(index, pickler):
    """The data of an index is never written to, so it is no memory to share; the index itself is, for it has a name."""
    reduced = index.__reduce__()
    state = reduced[1][1] if len(reduced) > 1 and isinstance(reduced[1], tuple) and len(reduced[1]) == 2 else None
    if isinstance(state, dict):
        if "data" in state:
            known = pickler.memory.blocks.get(id(index))
            if known is None:
                known = pickler.memory.blocks[id(index)] = (index, _own(state["data"], pickler.memory, pickler.memory.seen.add))
            state["data"] = known[1]
        for part in (*state.get("levels", ()), *state.get("codes", ())):
            pickler.memory.silent.add(id(part))
            pickler.memory.seen.add(id(part))
    return reduced


def reduce_categories(kind, pickler):
    """The type of a categorical column."""
    if kind.categories is not None:
        pickler.memory.silent.add(id(kind.categories))
    return NotImplemented


def reduce_arrow(array, pickler):
    """pandas copies a column of Arrow's when it is pickled, to make it one piece; not needed when it is one."""
    if array._pa_array.num_chunks != 1:
        return NotImplemented
    chunk = array._pa_array.chunk(0)
    if chunk.offset or chunk.get_total_buffer_size() > 1.1 * chunk.nbytes + 1024:
        return NotImplemented
    return copyreg.__newobj__, (type(array),), {**array.__dict__, "_pa_array": chunk, "_cache": {}}


def _own(values, memory, note=None):
    """The same values in objects that no other block has. `note` is told of arrays; by default they are private."""
    import numpy

    if note is None:

        def note(address):
            pass

    def private(array):
        memory.private[id(array)] = array
        note(id(array))

    if type(values) is numpy.ndarray:
        fresh = values.view()
        private(fresh)
    elif hasattr(values, "_ndarray") and hasattr(values, "_from_backing_data"):
        fresh = values._from_backing_data(values._ndarray.view())
        private(fresh._ndarray)
    elif hasattr(values, "_pa_array"):
        # Arrow's memory is never written to.
        fresh = values.view()
    elif hasattr(values, "_data") and hasattr(values, "_mask"):
        fresh = values.view()
        private(fresh._data)
        private(fresh._mask)
    elif hasattr(values, "copy"):
        fresh = values.copy()
    else:
        fresh = values
    return fresh


def _copies_on_write() -> bool:
    import pandas

    if int(pandas.__version__.partition(".")[0]) >= 3:
        return True
    return pandas.get_option("mode.copy_on_write") is True
