"""
Standard output and error of a task, caught at file-descriptor level.

Two kinds of writers exist: Python code that writes to `sys.stdout`, and everything below it (C code, subprocesses) that writes to
file descriptor 1. The first go into a buffer here; the second come through a pipe that is emptied before each write of the first,
so the order in which things were written holds. A buffer is sent on when its stream is flushed, when something is displayed,
when a cell ends, and when its oldest text is 0.2 s old: the moments at which a kernel sends, so that the outputs of a
cell are cut at the same places. What goes beyond the cell's allowance is never held.
"""

from __future__ import annotations

import _thread
import codecs
import io
import os
import select
import threading
import time
from collections.abc import Callable

from .allowance import Allowance

NAMES = ("stdout", "stderr")
HOLD = 0.2
TICK = 0.1
# What a pipe can hold at most, in reads: a program that writes without end is not waited for.
READS = 16


class OutStream(io.TextIOBase):
    """What `sys.stdout` and `sys.stderr` are while cells run. Like a kernel's it has no `buffer`."""

    encoding = "UTF-8"

    def __init__(self, name: str, streams: Streams):
        self.name = name
        self._streams = streams

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._streams.write(self.name, text)
        return len(text)

    def writelines(self, lines) -> None:
        for text in lines:
            self.write(text)

    def flush(self) -> None:
        self._streams.flush(self.name)

    def fileno(self) -> int:
        return self._streams.original[self.name]

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def close(self) -> None:
        """Stays open: code that closes `sys.stdout` must not silence the cells after it."""


class Streams:
    """Both streams of one process. Before `open` they write to the process's own; after it `sink(name, text)` receives the text."""

    def __init__(self) -> None:
        self.stdout = OutStream("stdout", self)
        self.stderr = OutStream("stderr", self)
        self.original = {"stdout": 1, "stderr": 2}
        self._sink: Callable[[str, str], None] | None = None
        self._owner = 0
        self._pending: dict[str, list[str]] = {name: [] for name in NAMES}
        self._since: dict[str, float] = {}
        self._pipes: dict[str, int] = {}
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}
        self._lock = threading.RLock()
        self._allowance = Allowance()

    def open(self, sink: Callable[[str, str], None], allowance: Allowance) -> None:
        """Catch file descriptors 1 and 2 from here on. Call in the process that runs the cells, after the fork."""
        self._sink, self._allowance = sink, allowance
        self._owner = os.getpid()
        decoder = codecs.getincrementaldecoder("utf-8")
        for fd, name in enumerate(NAMES, 1):
            read, write = os.pipe()
            self.original[name] = os.dup(fd)
            # `write` itself stays open, so that user code that closes descriptor 1 does not end the pipe.
            os.dup2(write, fd)
            os.set_blocking(read, False)
            self._pipes[name] = read
            self._decoders[name] = decoder("replace")
        # Not a threading.Thread: user code that counts or joins threads should not meet ours.
        _thread.start_new_thread(self._watch, ())

    def write(self, name: str, text: str) -> None:
        if os.getpid() != self._owner:
            # Before `open`, or in a process that user code forked: its descriptors lead where they should.
            data = memoryview(text.encode("utf-8", "surrogatepass"))
            while data:
                data = data[os.write(1 if name == "stdout" else 2, data) :]
            return
        with self._lock:
            self._drain()
            self._append(name, text)

    def flush(self, name: str) -> None:
        """Send what `name` holds. Text that other processes wrote to the descriptor before this moment is included."""
        if os.getpid() == self._owner:
            with self._lock:
                self._drain()
                self._send(name)

    def flush_all(self) -> None:
        for name in NAMES:
            self.flush(name)

    def discard(self) -> None:
        """Forget what was written and not yet sent."""
        with self._lock:
            self._drain()
            for name in NAMES:
                self._pending[name].clear()
            self._since.clear()

    def _append(self, name: str, text: str) -> None:
        text = self._allowance.take(name, text)
        if text:
            self._pending[name].append(text)
            self._since.setdefault(name, time.monotonic())

    def _send(self, name: str) -> None:
        pending = self._pending[name]
        if pending:
            self._pending[name] = []
            self._since.pop(name, None)
            if self._sink is not None:
                self._sink(name, "".join(pending))

    def _drain(self) -> None:
        for name, fd in self._pipes.items():
            for _ in range(READS):
                try:
                    data = os.read(fd, 65536)
                except BlockingIOError:
                    break
                except OSError:
                    data = b""
                if not data:
                    break
                self._append(name, self._decoders[name].decode(data))

    def _watch(self) -> None:
        """Empties the pipes, so that no writer blocks, and sends text that has waited long enough."""
        poll = select.poll()
        for fd in self._pipes.values():
            poll.register(fd, select.POLLIN)
        while True:
            poll.poll(TICK * 1000)
            with self._lock:
                self._drain()
                now = time.monotonic()
                for name in NAMES:
                    if now - self._since.get(name, now) >= HOLD:
                        self._send(name)
