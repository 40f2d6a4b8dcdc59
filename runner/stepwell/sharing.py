"""
Which names share an object, so that they cross together.

Two names share when pickling one comes across a mutable object that pickling the other comes across too, or when arrays of
both hold the same memory. What pickle saw is in its memo, which also keeps what it made on the way alive, so that addresses stay
unique as long as the picklers do.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import logging
import pathlib
import re
import types
import uuid

# Objects of these types cannot be changed, or stand for something outside of the notebook: sharing them means nothing.
ATOMS = frozenset(
    {
        type(None), bool, int, float, complex, str, bytes, tuple, frozenset, range, slice, type(...), type(NotImplemented),
        type, types.ModuleType, types.BuiltinFunctionType, types.CodeType, types.MethodDescriptorType, types.WrapperDescriptorType,
        types.GetSetDescriptorType, types.MemberDescriptorType, types.GenericAlias, types.UnionType,
        datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone,
        decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern, logging.RootLogger, logging.Logger,
        pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath, pathlib.WindowsPath,
    }
)  # fmt: skip
ATOM_BASES = (type, enum.Enum, types.ModuleType)


class Groups:
    """Names joined by what they share."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._owner: dict[int, str] = {}

    def add(self, name: str) -> None:
        self._parent.setdefault(name, name)

    def find(self, name: str) -> str:
        while self._parent[name] != name:
            self._parent[name] = self._parent[self._parent[name]]
            name = self._parent[name]
        return name

    def join(self, one: str, other: str) -> None:
        one, other = self.find(one), self.find(other)
        if one != other:
            self._parent[max(one, other)] = min(one, other)

    def saw(self, name: str, address: int) -> None:
        """`name` reaches the mutable object at an address."""
        owner = self._owner.setdefault(address, name)
        if owner is not name:
            self.join(owner, name)

    def saw_memo(self, name: str, pickler) -> None:
        """`name` reaches what its pickler memoized, apart from functions and classes that went by name."""
        owners, silent = self._owner, pickler.memory.silent
        for address, obj in pickler.seen():
            if address in silent or type(obj) is frozenset:
                continue
            owner = owners.setdefault(address, name)
            if owner is not name and self.find(owner) != self.find(name) and not _stands_for_itself(obj, pickler):
                self.join(owner, name)

    def all(self) -> list[list[str]]:
        found: dict[str, list[str]] = {}
        for name in self._parent:
            found.setdefault(self.find(name), []).append(name)
        return [sorted(names) for names in found.values()]


class _Atoms(dict):
    """Type → whether sharing an object of it can never be noticed; worked out once."""

    def __missing__(self, kind: type) -> bool:
        found = self[kind] = _is_atom(kind)
        return found


atoms = _Atoms()


def _is_atom(kind: type) -> bool:
    if kind in ATOMS or issubclass(kind, ATOM_BASES):
        return True
    top = kind.__module__.partition(".")[0]
    if top == "numpy":
        import numpy

        return issubclass(kind, (numpy.dtype, numpy.generic, numpy.ufunc))
    if top == "pyarrow":
        return not any(part in kind.__name__ for part in ("Builder", "Reader", "Writer", "Stream", "File"))
    # Types of columns: pandas and its extensions make them once and never change them.
    return any(base.__name__ == "ExtensionDtype" for base in kind.__mro__)


def _stands_for_itself(obj, pickler) -> bool:
    """Objects that are written as a name: functions of modules, singletons of libraries."""
    if isinstance(obj, types.FunctionType):
        return pickler.by_reference(obj)
    try:
        reduced = obj.__reduce_ex__(5) if not isinstance(obj, (list, dict, set, bytearray)) else None
    except Exception:
        return False
    return isinstance(reduced, str)
