"""
The first process of a pod: `python -m stepwell.pod`.

Its standard output is lines of `<number> <event>`, written by nobody else, so that whoever reads the log again knows where to go on. Lines
with the number 0 are its own. The end is also written where Kubernetes shows it (`/dev/termination-log`). What takes long to load is
loaded after the parent that will run the step has been started, so that both get ready at once.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading

from . import events

TERMINATION = "/dev/termination-log"


class Voice:
    """The numbered lines of the log."""

    def __init__(self, fd: int):
        self._fd = fd
        self._number = 0
        self._lock = threading.Lock()

    def event(self, line: bytes) -> None:
        with self._lock:
            self._number += 1
            self._write(b"%d %s\n" % (self._number, line))

    def say(self, **message) -> None:
        with self._lock:
            self._write(b"0 " + events.line(message))

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]


def start_parent(address: str) -> subprocess.Popen:
    env = {name: value for name, value in os.environ.items() if not name.startswith("STEPWELL_") or name == "STEPWELL_PACKAGES"}
    parent = subprocess.Popen(
        [sys.executable, "-m", "stepwell.parent"],
        cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
        env={**env, "STEPWELL_EVENTS": address},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    # One task comes and no other: there is nothing to rehearse for.
    parent.stdin.write(events.line({"do": "prepare", "once": True}))
    parent.stdin.flush()
    return parent


def main() -> None:
    voice = Voice(os.dup(1))
    # What anybody prints here goes where it disturbs no line.
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    work = os.environ.get("STEPWELL_WORK") or os.path.join("/tmp", f"stepwell-{os.getpid()}")
    os.makedirs(work, exist_ok=True)
    address = os.path.join(work, "events")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    parent = start_parent(address)
    voice.say(say="began", at=events.instant())

    from .remote import Remote

    remote = Remote(voice, work, parent, listener)
    signal.signal(signal.SIGTERM, lambda *_: remote.stop())
    end = remote.end()
    try:
        with open(os.environ.get("STEPWELL_TERMINATION", TERMINATION), "wb") as file:
            file.write(events.line(end)[:4000])
    except OSError:
        pass
    voice.say(say="ended", **end)
    # Whatever is left ends with this process, where it is the first one.
    parent.kill()
    os._exit(0 if end.get("result") else 1)


if __name__ == "__main__":
    from stepwell.pod import main

    main()
