"""
The order of sets.

A set is iterated in the order of its hash table, and that depends on everything that was ever added to it: a set rebuilt from its
elements often comes out in another order, and a notebook that prints it would print something else. So for a set that would come
out differently the slots of its table are saved too, and put back after loading. What is put back is verified; where CPython's
layout is not the one known here, or text hashes differently in the two processes, the set stays as it was rebuilt.
"""

from __future__ import annotations

import ctypes
import struct
import sys

_ENTRY = 16
_HEAD = struct.Struct("<qqqQ")


def _known_layout() -> bool:
    """Whether sets of this Python look in memory as expected: fill, used, mask and table follow the object's head."""
    if sys.implementation.name != "cpython" or set.__basicsize__ != 200 or sys.byteorder != "little":
        return False
    probe = {3, 11, 19, 5}
    fill, used, mask, table = _HEAD.unpack(ctypes.string_at(id(probe) + 16, _HEAD.size))
    return (fill, used, mask) == (4, 4, 7) and table == id(probe) + 16 + 48


def _table(obj) -> tuple[int, int, int, int]:
    return _HEAD.unpack(ctypes.string_at(id(obj) + 16, _HEAD.size))


def _slots(obj) -> dict[int, tuple[int, bytes]]:
    """Address of each element → its slot and its entry."""
    _, used, mask, table = _table(obj)
    content = ctypes.string_at(table, (mask + 1) * _ENTRY)
    members = {id(each) for each in obj}
    found = {}
    for slot in range(mask + 1):
        entry = content[slot * _ENTRY : (slot + 1) * _ENTRY]
        key = int.from_bytes(entry[:8], "little")
        if key in members:
            found[key] = (slot, entry)
    return found


def comes_out_the_same(obj) -> bool:
    """Whether a set rebuilt from its elements is iterated in the same order."""
    if len(obj) < 2:
        return True
    rebuilt: set = set()
    rebuilt.update(tuple(obj))
    return all(one is other for one, other in zip(obj, rebuilt))


def layout(obj) -> tuple[int, list[int], list[int]] | None:
    """The size of a set's table, the slot of each element, in order, and the slots of removed ones; None when it cannot be told."""
    if not KNOWN:
        return None
    fill, used, mask, table = _table(obj)
    slots = _slots(obj)
    if used != len(obj) or len(slots) != used:
        return None
    taken = {slot for slot, _ in slots.values()}
    content = ctypes.string_at(table, (mask + 1) * _ENTRY)
    removed = [slot for slot in range(mask + 1) if slot not in taken and any(content[slot * _ENTRY : slot * _ENTRY + 8])]
    return (mask + 1, [slots[id(each)][0] for each in obj], removed) if fill == used + len(removed) else None


def restore(obj, order: list, size: int, slots: list[int], removed: list[int]) -> None:
    """Give a loaded set the order it had: `order` lists its elements, the rest is its `layout`."""
    if not KNOWN or len(order) != len(obj) or size > 1 << 26:
        return
    donor = _sized(order, size)
    _, used, mask, table = _table(donor)
    if mask + 1 != size or used != len(order):
        return
    entries = _slots(donor)
    fresh = bytearray(size * _ENTRY)
    for each, slot in zip(order, slots):
        fresh[slot * _ENTRY : (slot + 1) * _ENTRY] = entries[id(each)][1]
    for slot in removed:
        fresh[slot * _ENTRY : (slot + 1) * _ENTRY] = _REMOVED
    before = ctypes.string_at(table, size * _ENTRY)
    ctypes.memmove(table, bytes(fresh), size * _ENTRY)
    if all(one is other for one, other in zip(donor, order)) and all(each in donor for each in order):
        ctypes.memmove(id(donor) + 16, (used + len(removed)).to_bytes(8, "little"), 8)
        _swap(obj, donor)
    else:
        ctypes.memmove(table, before, size * _ENTRY)


def _sized(order: list, size: int) -> set:
    """A set of these elements whose table has `size` slots, if one can be made."""
    made = set()
    made.update(tuple(order))
    natural = _table(made)[2] + 1
    if natural > size:
        # A copy gets the smallest table that is more than twice its elements.
        count = min(len(order), size // 2 - 1)
        made = set(set(order[:count]))
        made.update(tuple(order[count:]))
    elif natural < size:
        fillers = dict.fromkeys(_Filler() for _ in range(size // 2 - 1 - len(order)))
        made.update(fillers)
        # One by one: removing many at once makes the table smaller.
        for filler in fillers:
            made.discard(filler)
    return made


class _Filler:
    pass


def _swap(obj, donor) -> None:
    """Exchange the tables of two sets. Small tables lie inside the object, so they are exchanged as bytes, and pointers to them set right."""
    start, length = 16, 4 * 8
    inside = 16 + 48
    one, other = _table(obj), _table(donor)
    small_one = ctypes.string_at(id(obj) + inside, 8 * _ENTRY)
    small_other = ctypes.string_at(id(donor) + inside, 8 * _ENTRY)
    new_one = (*other[:3], id(obj) + inside if other[3] == id(donor) + inside else other[3])
    new_other = (*one[:3], id(donor) + inside if one[3] == id(obj) + inside else one[3])
    ctypes.memmove(id(obj) + inside, small_other, 8 * _ENTRY)
    ctypes.memmove(id(donor) + inside, small_one, 8 * _ENTRY)
    ctypes.memmove(id(obj) + start, _HEAD.pack(*new_one), length)
    ctypes.memmove(id(donor) + start, _HEAD.pack(*new_other), length)


def _removed_entry() -> bytes:
    probe = {3, 5}
    probe.discard(3)
    return ctypes.string_at(_table(probe)[3] + 3 * _ENTRY, _ENTRY)


KNOWN = _known_layout()
_REMOVED = _removed_entry() if KNOWN else b""
