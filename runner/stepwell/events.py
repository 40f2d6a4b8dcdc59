"""
What a task says while it runs: one JSON document per line.

The one rule: a task never fails because nobody listens. What matters is in `result.json`; events are for those who watch, so a
broken connection silences them and nothing else.
"""

from __future__ import annotations

import math
import numbers
import os
import threading
import time
from binascii import b2a_base64
from collections.abc import Iterable
from datetime import date, datetime

# By name: the notebook may replace what the module holds.
from json import dumps, loads


def instant(seconds: float | None = None) -> str:
    """ISO 8601 in UTC with milliseconds."""
    seconds = time.time() if seconds is None else seconds
    whole, fraction = divmod(seconds, 1)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{int(fraction * 1000):03d}Z"


def start_time(pid: int | str = "self") -> int:
    """When a process started, in clock ticks since the machine did: with its pid it names the process for good."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


class Events:
    """Writes event lines to a file descriptor. Only the process that opened it writes: a fork made by user code stays silent."""

    def __init__(self, fd: int | None, token: str):
        self._fd = fd
        self._token = token
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def send(self, type: str, **fields) -> None:
        """One event; `fields` must be plain JSON."""
        if self._fd is None or os.getpid() != self._pid:
            return
        data = memoryview(line({"token": self._token, "at": instant(), "type": type, **fields}))
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:
                self._fd = None


def line(document) -> bytes:
    return (dumps(document, separators=(",", ":"), allow_nan=False) + "\n").encode()


def plain(value):
    """`value` as JSON can hold it; what a kernel does to display data that isn't JSON yet. Same object if it is."""
    try:
        dumps(value, allow_nan=False)
        return value
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return loads(dumps(value, allow_nan=False, default=_default))
    except (TypeError, ValueError):
        return loads(dumps(_clean(value), allow_nan=False, default=_default))


def _default(value):
    if isinstance(value, datetime):
        if value.tzinfo is None:
            value = value.astimezone()
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return b2a_base64(value, newline=False).decode("ascii")
    if isinstance(value, Iterable):
        return list(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise TypeError(f"{value!r} cannot be shown as JSON")


def _clean(value):
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else repr(value)
    if isinstance(value, (datetime, date, bytes)):
        return _default(value)
    if isinstance(value, dict):
        return {str(key): _clean(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [_clean(item) for item in value]
    return repr(value)
