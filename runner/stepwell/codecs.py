"""
How one value becomes a blob: `json` where plain JSON says everything about it, else `pickle5`, a bundle (`bundle.py`).

JSON can be read without Python, so parameters, scores and lists of names go that way; but only what comes back equal, type by
type: exact types, finite floats, integers that every reader of JSON keeps, text that UTF-8 can hold, no object twice.
"""

from __future__ import annotations

import math

# By name: the notebook may replace what the module holds.
from json import dumps, loads

JSON, PICKLE = "json", "pickle5"
LIMIT, DEPTH = 64 * 1024, 64
_LARGEST = 2**53


class _NotPlain(Exception):
    pass


def as_json(value) -> tuple[bytes, list[int]] | None:
    """The JSON of a plain value and the addresses of its lists and dicts; None when JSON would lose something."""
    containers: set[int] = set()
    try:
        _check(value, containers, [LIMIT], 0)
        text = dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        content = text.encode()
    except (_NotPlain, UnicodeEncodeError, RecursionError):
        return None
    return (content, list(containers)) if len(content) <= LIMIT else None


def from_json(content: bytes):
    return loads(content)


def _check(value, containers: set[int], budget: list[int], depth: int) -> None:
    kind = type(value)
    budget[0] -= 1
    if kind is str:
        budget[0] -= len(value)
    elif kind is int:
        if not -_LARGEST <= value <= _LARGEST:
            raise _NotPlain
    elif kind is float:
        if not math.isfinite(value):
            raise _NotPlain
    elif kind is list or kind is dict:
        if id(value) in containers or depth > DEPTH:
            raise _NotPlain
        containers.add(id(value))
        if len(value) > budget[0]:
            raise _NotPlain
        if kind is list:
            for each in value:
                _check(each, containers, budget, depth + 1)
        else:
            for key, each in value.items():
                if type(key) is not str:
                    raise _NotPlain
                budget[0] -= len(key)
                _check(each, containers, budget, depth + 1)
    elif value is not None and kind is not bool:
        raise _NotPlain
    if budget[0] < 0:
        raise _NotPlain
