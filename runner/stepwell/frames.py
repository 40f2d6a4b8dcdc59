"""
Parts of pandas objects: what they share inside, and nobody can see, must not tie variables together.

Under copy-on-write a frame made from another holds the same memory until one of them is written to; pandas keeps account of that in
its blocks, and the account does not survive pickling. So every block gets an array of its own (written once, mapped twice).
"""

from __future__ import annotations


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
    """The data of an index is never written to, so it is no memory to share."""
    import numpy

    reduced = index.__reduce__()
    if len(reduced) > 1 and isinstance(reduced[1], tuple) and len(reduced[1]) == 2 and isinstance(reduced[1][1], dict):
        state = reduced[1][1]
        data = state.get("data")
        if type(data) is numpy.ndarray:
            known = pickler.memory.blocks.setdefault(id(index), (index, data.view()))[1]
            pickler.memory.seen.add(id(known))
            state["data"] = known
        elif data is not None and hasattr(data, "_ndarray"):
            known = pickler.memory.blocks.setdefault(id(index), (index, data._from_backing_data(data._ndarray.view())))[1]
            pickler.memory.seen.add(id(known._ndarray))
            state["data"] = known
    return reduced


def _own(values, memory):
    """The same values in objects that no other block has."""
    import numpy

    if type(values) is numpy.ndarray:
        fresh = values.view()
        memory.private[id(fresh)] = fresh
        return fresh
    if hasattr(values, "_ndarray") and hasattr(values, "_from_backing_data"):
        fresh = values._from_backing_data(values._ndarray.view())
        memory.private[id(fresh._ndarray)] = fresh._ndarray
        return fresh
    if hasattr(values, "_pa_array"):
        # Arrow's memory is never written to.
        return values.view()
    if hasattr(values, "_data") and hasattr(values, "_mask"):
        fresh = values.view()
        memory.private.update({id(part): part for part in (fresh._data, fresh._mask)})
        return fresh
    return values.copy()


def _copies_on_write() -> bool:
    import pandas

    if int(pandas.__version__.partition(".")[0]) >= 3:
        return True
    return pandas.get_option("mode.copy_on_write") is True
