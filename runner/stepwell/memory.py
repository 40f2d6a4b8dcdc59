"""
Memory that several arrays hold: found while pickling, written once, rebuilt as shared.

Every array that is pickled says which addresses it covers. Where spans of different arrays overlap, they are views of one piece of
memory; on a second pass each is written as a view of one owner. So a view stays a view: what is written through one is seen
through the other. Blocks of pandas under copy-on-write are the exception, see `Memory.add`.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field


@dataclass
class Span:
    low: int
    high: int
    array: object
    # True: sharing cannot be seen through it (copy-on-write), so it groups nothing by itself.
    private: bool = False


@dataclass
class Memory:
    """The spans seen by one or several passes, and the plan for a second pass."""

    spans: list[Span] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    # id of an array → (owner, offset of its first element from the owner's start)
    views: dict[int, tuple[object, int]] = field(default_factory=dict)
    kept: list = field(default_factory=list)
    # id of an array that pandas protects by copy-on-write → that array; id of a block → what stands for its values.
    private: dict[int, object] = field(default_factory=dict)
    blocks: dict[int, tuple[object, object]] = field(default_factory=dict)

    # Objects that cannot be changed though their types could: parts of types of columns.
    silent: set[int] = field(default_factory=set)

    def add(self, array) -> None:
        """
        Note which memory an array covers. Sharing between blocks of pandas cannot be seen under copy-on-write, as long as pandas knows of
        it; a loaded frame does not, so blocks never share with one another. An array of the user's that looks into one block shares with it.
        """
        if id(array) in self.seen or not array.size:
            return
        low, high = bounds(array)
        self.seen.add(id(array))
        self.spans.append(Span(low, high, array, id(array) in self.private))

    def clusters(self) -> list[list[Span]]:
        """Spans that overlap, where somebody could tell."""
        found = []
        for cluster in _overlapping(self.spans):
            blocks = [span for span in cluster if span.private]
            if len(blocks) > 1:
                # Whoever writes to one of them gets a copy, so nobody sees it through another.
                found += _overlapping([span for span in cluster if not span.private])
            else:
                found.append(cluster)
        return [cluster for cluster in found if len(cluster) > 1]

    def plan(self) -> bool:
        """Decide who owns what. True if anything is shared, so that a second pass is needed."""
        for cluster in self.clusters():
            low, high = cluster[0].low, max(span.high for span in cluster)
            owner = _owner(cluster, low, high)
            for span in cluster:
                if span.array is not owner:
                    self.views[id(span.array)] = (owner, _first(span.array) - low)
            self.kept.append([span.array for span in cluster])
        return bool(self.views)


def _overlapping(spans: list[Span]) -> list[list[Span]]:
    found: list[list[Span]] = []
    end = -1
    for span in sorted(spans, key=lambda span: (span.low, -span.high)):
        if span.low < end:
            found[-1].append(span)
            end = max(end, span.high)
        else:
            found.append([span])
            end = span.high
    return found


def bounds(array) -> tuple[int, int]:
    """First address of an array's memory and the one after its last."""
    first = last = _first(array)
    for length, stride in zip(array.shape, array.strides):
        step = (length - 1) * stride
        if step < 0:
            first += step
        else:
            last += step
    return first, last + array.itemsize


def _first(array) -> int:
    return array.__array_interface__["data"][0]


def _owner(cluster: list[Span], low: int, high: int):
    """An array of the cluster that spans all of it, else a new one over the same memory."""
    for span in cluster:
        array = span.array
        if (span.low, span.high) == (low, high) and array.flags.c_contiguous and array.flags.writeable and not array.dtype.hasobject:
            return array
    if cluster[0].array.dtype.hasobject:
        return _base(cluster[0].array)
    import ctypes

    import numpy

    segment = numpy.frombuffer((ctypes.c_char * (high - low)).from_address(low), dtype="u1")
    if not any(span.array.flags.writeable for span in cluster):
        segment.flags.writeable = False
    return segment


def _base(array):
    import numpy

    while isinstance(array.base, numpy.ndarray):
        array = array.base
    return array


def reduce_array(array, pickler):
    """Reducer for exact `numpy.ndarray`."""
    view = pickler.memory.views.get(id(array))
    if view is not None:
        owner, offset = view
        if owner.dtype.hasobject:
            offset = _first(array) - _first(owner)
        return make_view, (owner, offset, array.shape, array.strides, array.dtype, array.flags.writeable)
    if not array.size:
        return _flagged(array, NotImplemented)
    if array.dtype.hasobject:
        pickler.memory.add(array)
        return _flagged(array, NotImplemented)
    pickler.memory.add(array)
    if array.flags.c_contiguous or array.flags.f_contiguous:
        return NotImplemented
    # Sums of floats depend on the order of axes in memory: keep it.
    order = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
    packed = array.transpose(order).copy(order="C")
    pickler.memory.kept.append(packed)
    return make_transposed, (
        pickle.PickleBuffer(packed),
        array.dtype,
        packed.shape,
        [order.index(axis) for axis in range(array.ndim)],
        array.flags.writeable,
    )


def _flagged(array, reduced):
    if array.flags.writeable:
        return reduced
    return make_readonly, (array.copy(order="K"),)


def make_view(owner, offset, shape, strides, dtype, writeable):
    import numpy

    if owner.flags.f_contiguous and not owner.flags.c_contiguous:
        owner = owner.T
    view = numpy.ndarray(shape, dtype, owner, offset, strides)
    if not writeable:
        view.flags.writeable = False
    return view


def make_transposed(buffer, dtype, shape, axes, writeable):
    import numpy

    array = numpy.frombuffer(buffer, dtype=dtype).reshape(shape).transpose(axes)
    if not writeable:
        array.flags.writeable = False
    return array


def make_readonly(array):
    array.flags.writeable = False
    return array
