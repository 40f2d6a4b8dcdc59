"""
The file format of values: one JSON header, one pickle stream, and the buffers that the stream refers to.

    "stepwell-bundle 1\n"  length of the header (8 bytes, little-endian)  header  padding  pickle  padding  buffer  padding ...

Buffers start at multiples of 64 bytes, large ones at multiples of a page, so that a reader maps them privately into memory:
an array loaded that way is writable, costs nothing until it is touched, and only pages that were written are ever copied.
Memory that several arrays of a stream hold is written once.
"""

from __future__ import annotations

import mmap
import os
import pickle
import struct
import weakref
from dataclasses import dataclass, field

# By name: the notebook may replace what the module holds.
from json import dumps, loads

MAGIC = b"stepwell-bundle 1\n"
SMALL_ALIGNMENT, PAGE = 64, 4096
# Buffers from this size on are mapped; smaller ones are read.
MAPPED = 1 << 16


class Broken(Exception):
    """The blob is not what its name says; the message ends a sentence."""


@dataclass
class Mapping:
    """A buffer that is mapped privately: `address` in this process, and where it lies in its file."""

    address: int
    size: int
    path: str
    offset: int
    memory: weakref.ref


@dataclass
class Opened:
    header: dict
    pickle: bytes | memoryview
    buffers: list
    mappings: list[Mapping] = field(default_factory=list)


def parts(header: dict, stream: bytes, buffers: list[pickle.PickleBuffer]) -> list:
    """What to write, in order. `header` is completed with where things are."""
    views = [buffer.raw() for buffer in buffers]
    places: list[list[int]] = []
    known: dict[tuple[int, int], int] = {}
    unique: list[memoryview] = []
    for view in views:
        key = (address(view), view.nbytes)
        if view.nbytes < SMALL_ALIGNMENT or key not in known:
            known[key] = len(unique)
            unique.append(view)
        places.append([known[key], 1 if view.readonly else 0])
    header = {**header, "buffers": places, "sizes": [view.nbytes for view in unique], "pickle": len(stream)}
    encoded = dumps(header, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()
    start = len(MAGIC) + 8 + len(encoded)
    found: list = [MAGIC + struct.pack("<Q", len(encoded)) + encoded]
    at = start
    for content in (stream, *unique):
        size = len(stream) if content is stream else content.nbytes
        padding = _align(at, size) - at
        if padding:
            found.append(bytes(padding))
        found.append(content)
        at += padding + size
    return found


def open_bundle(path: str, size: int) -> Opened:
    """Map a blob. Fails if it isn't `size` bytes long or isn't a bundle."""
    with open(path, "rb") as file:
        actual = os.fstat(file.fileno()).st_size
        if actual != size:
            raise Broken(f"its blob has {actual:,} bytes instead of {size:,}")
        if size == 0:
            raise Broken("its blob is empty")
        head = file.read(len(MAGIC) + 8)
        if head[: len(MAGIC)] != MAGIC:
            raise Broken("its blob is not a bundle of values")
        length = struct.unpack("<Q", head[len(MAGIC) :])[0]
        header = loads(file.read(length))
        at = len(head) + length
        stream_at = _align(at, header["pickle"])
        stream = _read(file, stream_at, header["pickle"])
        at = stream_at + header["pickle"]
        offsets = []
        for part in header["sizes"]:
            at = _align(at, part)
            offsets.append(at)
            at += part
        opened = Opened(header, stream, [])
        for index, readonly in header["buffers"]:
            opened.buffers.append(_buffer(file, path, offsets[index], header["sizes"][index], bool(readonly), opened.mappings))
        return opened


def _buffer(file, path: str, offset: int, size: int, readonly: bool, mappings: list[Mapping]):
    if size < MAPPED:
        content = _read(file, offset, size)
        return content if readonly else bytearray(content)
    start = offset - offset % mmap.ALLOCATIONGRANULARITY
    memory = mmap.mmap(file.fileno(), size + offset - start, access=mmap.ACCESS_COPY, offset=start)
    view = memoryview(memory)[offset - start : offset - start + size]
    mappings.append(Mapping(address(view), size, path, offset, weakref.ref(memory)))
    return view.toreadonly() if readonly else view


def _read(file, offset: int, size: int) -> bytes:
    file.seek(offset)
    content = file.read(size)
    if len(content) != size:
        raise Broken("its blob ends too early")
    return content


def _align(at: int, size: int) -> int:
    step = PAGE if size >= MAPPED else SMALL_ALIGNMENT
    return -(-at // step) * step


def address(view) -> int:
    """Where the memory of a buffer is; 0 when it has none."""
    import ctypes

    class Buffer(ctypes.Structure):
        _fields_ = [
            ("buf", ctypes.c_void_p),
            ("obj", ctypes.py_object),
            ("len", ctypes.c_ssize_t),
            ("itemsize", ctypes.c_ssize_t),
            ("readonly", ctypes.c_int),
            ("ndim", ctypes.c_int),
            ("rest", ctypes.c_void_p * 5),
        ]

    found = Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(view), ctypes.byref(found), 0)
    try:
        return found.buf or 0
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(found))
