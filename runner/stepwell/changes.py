"""
Whether a value that a step was given has changed: a fingerprint taken when it was loaded against one taken at the end.

A fingerprint is the pickle stream's digest plus, for each buffer, either where it was mapped from (if none of its pages was
written since) or a digest of its bytes. The kernel knows which pages of a private mapping were written; asking it costs a
fraction of a millisecond for 100 MB. Calling something changed that isn't costs time; the other way round would cost the answer.
"""

from __future__ import annotations

import hashlib
import struct

from .bundle import Mapping, address

Fingerprint = tuple

_PRESENT, _SWAPPED, _OF_FILE = 1 << 63, 1 << 62, 1 << 61


def of(stream: bytes, buffers: list, mappings: list[Mapping]) -> Fingerprint:
    """The fingerprint of what was pickled as `stream` and `buffers`."""
    return (digest(stream), *[_of_buffer(buffer.raw(), mappings) for buffer in buffers])


def digest(content) -> bytes:
    return hashlib.blake2b(content, digest_size=20).digest()


def _of_buffer(view: memoryview, mappings: list[Mapping]) -> tuple:
    start = address(view)
    for mapping in mappings:
        if mapping.address <= start and start + view.nbytes <= mapping.address + mapping.size and mapping.memory() is not None:
            if not written(start, view.nbytes):
                return (mapping.path, mapping.offset + start - mapping.address, view.nbytes, view.readonly)
            break
    return (digest(view), view.nbytes, view.readonly)


def written(start: int, size: int) -> bool:
    """Whether a page of a private mapping was written since it was mapped. True when that cannot be known."""
    import mmap

    page = mmap.PAGESIZE
    first, last = start // page, (start + size - 1) // page
    try:
        with open("/proc/self/pagemap", "rb", buffering=0) as file:
            file.seek(first * 8)
            entries = file.read((last - first + 1) * 8)
    except OSError:
        return True
    if len(entries) != (last - first + 1) * 8:
        return True
    # A page that was never touched is nowhere; one that was only read is the file's; the rest are copies of our own.
    return any(entry & (_PRESENT | _SWAPPED) and not entry & _OF_FILE for entry in set(struct.unpack(f"<{len(entries) // 8}Q", entries)))
