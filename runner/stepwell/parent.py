"""
The warm parent of the local target: `python -m stepwell.parent`, JSON lines on standard input and output (see docs/running.md).

It imports what the notebook imports and then does nothing but fork. Spare children wait, each with its shell, its event loop and
its process group, so that a start is one write to a pipe. The parent itself never runs a cell or a thread. A guard,
forked before anything else, ends what runs here if the parent is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import platform
import select
import selectors
import signal
import socket
import sys
import tempfile
import time
import traceback

from . import environment, events, freshness, limits, shell, task

POLL = 0.05
GRACE = 2.0
# What a task that ended well has started may end by itself, and clean up, for so long.
LEAVE = 0.1
SPARES = 2
LOST = 8
CRASHED = 70


class Attempt:
    """A child that runs a task. Its process group has its pid."""

    def __init__(self, key: str, pid: int, document: dict):
        self.key = key
        self.pid = pid
        self.name = attempt_name(document)
        self.memory = document["limits"].get("memory")
        self.peak = 0
        self.reason: str | None = None
        self.end: dict | None = None
        self.leave = 0.0
        timeout = document["limits"].get("timeout")
        self.deadline = time.monotonic() + timeout if timeout else None


class Parent:
    def __init__(self, requests: int, answers: int, guard: int):
        self.requests = requests
        self.answers = answers
        self.guard = guard
        self.attempts: dict[int, Attempt] = {}
        self.prepared = False
        self.once = False
        # Pid → where to write its task, oldest first.
        self.spares: dict[int, int] = {}
        # Spares that ended by themselves: after some, new ones are made only when they are needed.
        self.lost = 0
        self.own: set[int] = set()
        self.buffer = b""

    # What the engine hears.

    def say(self, **message) -> None:
        data = memoryview(events.line(message))
        while data:
            data = data[os.write(self.answers, data) :]

    def prepare(self, message: dict) -> None:
        """Import, and get ready to fork. `once`: for one task alone, so nothing is done that only pays for the next."""
        began = time.perf_counter()
        once = self.once = message.get("once", False)
        folders = {} if once else freshness.folders()
        # Whoever creates many objects at once is better off without a collector; what exists now is never collected.
        gc.disable()
        self.shell = shell.make_shell()
        if not once:
            loop = asyncio.new_event_loop()
            task.rehearse(self.shell, loop)
            loop.close()
        folder = message.get("folder")
        # Modules ask for `get_ipython` while they load, and find it as they would in a cell.
        # And they find there what lies beside the notebook for them: a `matplotlibrc` is read when matplotlib is imported.
        with self.shell.builtin_trap, inside(folder):
            noisy = [name for name in message.get("modules", ()) if not local(name, folder) and is_noisy(name, self.shell)]
        environment.remember()
        watched = {} if once else folders | freshness.loose()
        # The guard, and what an import may have started: no attempt's.
        self.own = set(limits.children(os.getpid()))
        gc.freeze()
        gc.enable()
        self.prepared = True
        self.fork_spare()
        seconds = round(time.perf_counter() - began, 6)
        self.say(say="ready", python=platform.python_version(), seconds=seconds, noisy=noisy, watched=watched)

    # Children.

    def fork_spare(self) -> None:
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            for fd in (self.requests, self.answers, self.guard, ours.detach(), *self.spares.values()):
                os.close(fd)
            self.be_child(parent, theirs)
        theirs.close()
        self.spares[pid] = ours.detach()
        os.write(self.guard, b"+%d\n" % pid)

    def be_child(self, parent: int, wake: socket.socket) -> None:
        """A spare child: gets everything ready, waits for a task, runs it, and never returns."""
        try:
            limits.die_with_parent(parent)
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            task.rehearse(self.shell, loop, lambda: bool(select.select([wake], [], [], 0)[0]))
            data = receive(wake)
            wake.close()
            began = time.perf_counter()
            if not data:
                os._exit(0)
            message = json.loads(data)
            document = message["task"]
            os.environ["STEPWELL_ATTEMPT"] = attempt_name(document)
            if document["limits"].get("memory"):
                limits.hard_stop(document["limits"]["memory"])
            task.run(document, self.shell, connect(message["key"]), loop, began)
            task.leave(0)
        except BaseException:
            os.write(2, traceback.format_exc().encode("utf-8", "replace"))
        finally:
            os._exit(CRASHED)

    def start(self, message: dict) -> None:
        data = events.line(message)
        for _ in range(len(self.spares) + 1):
            if not self.spares:
                self.fork_spare()
            # The oldest has had the most time to get ready.
            pid = next(iter(self.spares))
            if self.wake(self.spares.pop(pid), data):
                break
        else:
            self.say(say="ended", key=message["key"], exit=CRASHED, signal=None, reason=None, peakMemory=0)
            return
        self.attempts[pid] = attempt = Attempt(message["key"], pid, message["task"])
        os.write(self.guard, f"+{pid} {attempt.name}\n".encode())
        self.say(say="started", key=message["key"], pid=pid, startTime=events.start_time(pid))

    def wake(self, fd: int, data: bytes) -> bool:
        """Hand a task to a spare child. False if it is no longer there."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(fd, view) :]
            return True
        except OSError:
            return False
        finally:
            os.close(fd)

    def stop(self, message: dict) -> None:
        for attempt in self.attempts.values():
            if attempt.key == message["key"]:
                limits.kill_group(attempt.pid, signal.SIGKILL if message.get("signal") == "kill" else signal.SIGTERM)

    # The loop.

    def serve(self) -> None:
        """Until the input ends or a signal asks for the end."""
        wake, woken = os.pipe()
        for fd in (wake, woken, self.requests):
            os.set_blocking(fd, False)
        ending = []
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
        with selectors.DefaultSelector() as selector:
            selector.register(wake, selectors.EVENT_READ)
            selector.register(self.requests, selectors.EVENT_READ)
            while not ending:
                # Whoever waits for an answer comes before the next spare.
                short = self.prepared and len(self.spares) < self.wanted_spares() and self.lost < LOST
                ready = selector.select(0 if short else self.patience())
                if short and not ready:
                    self.fork_spare()
                for key, _ in ready:
                    if key.fd == wake:
                        with contextlib.suppress(BlockingIOError):
                            os.read(wake, 4096)
                    elif not self.hear():
                        return
                self.reap()
                self.watch()

    def wanted_spares(self) -> int:
        """How many children are to wait for a task."""
        if self.once:
            return 0 if self.attempts else 1
        return SPARES

    def patience(self) -> float | None:
        """How long nothing needs to be looked at."""
        if any(attempt.memory or attempt.end for attempt in self.attempts.values()):
            return POLL if all(not attempt.end for attempt in self.attempts.values()) else 0.005
        deadlines = [attempt.deadline for attempt in self.attempts.values() if attempt.deadline]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def hear(self) -> bool:
        """Read requests; False at their end."""
        while True:
            try:
                data = os.read(self.requests, 1 << 20)
            except BlockingIOError:
                break
            if not data:
                return False
            self.buffer += data
        *lines, self.buffer = self.buffer.split(b"\n")
        for text in lines:
            if text.strip():
                self.obey(json.loads(text))
        return True

    def obey(self, message: dict) -> None:
        {"prepare": self.prepare, "start": self.start, "stop": self.stop}[message["do"]](message)

    def watch(self) -> None:
        """Limits of what runs."""
        now = time.monotonic()
        for attempt in list(self.attempts.values()):
            if attempt.end is not None:
                self.finish(attempt)
                continue
            if attempt.memory:
                used = limits.resident(attempt.pid)
                attempt.peak = max(attempt.peak, used)
                if used > attempt.memory and attempt.reason is None:
                    attempt.reason = "memory"
                    limits.kill_group(attempt.pid, signal.SIGKILL)
            if attempt.deadline is not None and now >= attempt.deadline:
                late = attempt.reason == "timeout"
                attempt.reason = attempt.reason or "timeout"
                attempt.deadline = now + GRACE
                limits.kill_group(attempt.pid, signal.SIGKILL if late else signal.SIGTERM)

    def reap(self) -> None:
        """Take leave of every process that has ended; its group goes with it."""
        while True:
            try:
                # The zombie keeps the group's number from being used again until the group has been killed.
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            attempt = self.attempts.get(ended.si_pid)
            if attempt is not None and (ended.si_code != os.CLD_EXITED or ended.si_status):
                limits.kill_group(attempt.pid, signal.SIGKILL)
            _, status, usage = os.wait4(ended.si_pid, 0)
            if attempt is not None:
                number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
                attempt.leave = time.monotonic() + LEAVE
                attempt.end = {
                    "exit": None if number else os.WEXITSTATUS(status),
                    "signal": number,
                    "peakMemory": max(attempt.peak, usage.ru_maxrss * 1024),
                }
                self.finish(attempt)
            elif ended.si_pid in self.spares:
                os.close(self.spares.pop(ended.si_pid))
                self.lost += 1

    def finish(self, attempt: Attempt) -> None:
        """Report an attempt whose process has ended, once nothing of it is left."""
        others = any(other.end is None for other in self.attempts.values())
        known = {*self.attempts, *self.spares, *self.own}
        left = [pid for pid in limits.children(os.getpid()) if pid not in known and belongs(pid, attempt.name, not others)]
        for pid in left:
            limits.kill(pid)
        # What these had started becomes a child of this process in turn, so look again.
        late = attempt.end["exit"] != 0 or time.monotonic() > attempt.leave
        if limits.kill_group(attempt.pid, signal.SIGKILL if late else 0) or left:
            return
        del self.attempts[attempt.pid]
        os.write(self.guard, b"-%d\n" % attempt.pid)
        self.say(say="ended", key=attempt.key, reason=attempt.reason, **attempt.end)

    def close(self) -> None:
        """End everything that runs here."""
        pids = [*self.attempts, *self.spares]
        for pid in pids:
            limits.kill_group(pid, signal.SIGKILL)
        names = [attempt.name for attempt in self.attempts.values()]
        until = time.monotonic() + GRACE
        while time.monotonic() < until:
            for pid in limits.children(os.getpid()):
                if pid not in (*pids, *self.own) and any(belongs(pid, name, True) for name in names):
                    limits.kill(pid)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if not [pid for pid in limits.children(os.getpid()) if pid not in self.own]:
                return
            time.sleep(0.005)


def attempt_name(document: dict) -> str:
    return f"{document['run']}/{document['step']}/{document['attempt']}"


def belongs(pid: int, name: str, alone: bool) -> bool:
    """Whether an orphan is what an attempt left behind. `alone`: no other attempt can have."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            found = [item for item in file.read().split(b"\0") if item.startswith(b"STEPWELL_ATTEMPT=")]
    except OSError:
        return False
    return found[0] == b"STEPWELL_ATTEMPT=" + name.encode() if found else alone


def receive(wake: socket.socket) -> bytes:
    """One line, of any length; nothing if the other end closes before."""
    parts = []
    while data := wake.recv(1 << 20):
        parts.append(data)
        if data.endswith(b"\n"):
            return b"".join(parts)
    return b""


def connect(key: str) -> int | None:
    """The engine's socket for event lines, or None where nobody listens."""
    address = os.environ.get("STEPWELL_EVENTS")
    if not address:
        return None
    try:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(address)
        connection.sendall(events.line({"key": key}))
        return connection.detach()
    except OSError:
        return None


def local(name: str, folder: str | None) -> bool:
    """Whether a module may come from the notebook's folder: such a module can change between runs, so nobody keeps it loaded."""
    if not folder:
        return False
    top = name.partition(".")[0]
    try:
        return any(entry == top or entry.startswith(top + ".") for entry in os.listdir(folder))
    except OSError:
        return False


@contextlib.contextmanager
def inside(folder: str | None):
    """The working directory meanwhile, if it can be entered."""
    here = os.getcwd()
    try:
        if folder:
            os.chdir(folder)
    except OSError:
        pass
    try:
        yield
    finally:
        os.chdir(here)


def is_noisy(name: str, kernel) -> bool:
    """Import a module; True if that printed or displayed something, which must then happen in the cell that imports it."""
    missed = kernel.outputs.missed
    kept = [os.dup(1), os.dup(2)]
    here = sys.path.index("") if "" in sys.path else None
    if here is not None:
        del sys.path[here]
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), 1)
        os.dup2(heard.fileno(), 2)
        try:
            importlib.import_module(name)
        except BaseException:  # the cell that imports it will fail by itself, with its own traceback
            pass
        finally:
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
            os.close(kept[0])
            os.close(kept[1])
            if here is not None:
                sys.path.insert(here, "")
        return os.fstat(heard.fileno()).st_size > 0 or kernel.outputs.missed > missed


def fork_guard() -> int:
    """
    A process that outlives this one by a moment: told the process groups and the names of attempts, it kills what is left of them
    when the parent's end of the pipe closes. Needed for what children started; children themselves die with their parent.
    """
    read, write = os.pipe()
    if os.fork():
        os.close(read)
        return write
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.closerange(3, read)
        os.closerange(read + 1, 256)
        groups: dict[int, str] = {}
        with os.fdopen(read, encoding="utf-8", errors="surrogateescape") as told:
            for text in told:
                group, _, name = text[1:].strip().partition(" ")
                groups[int(group)] = name
                if text[0] == "-":
                    del groups[int(group)]
        for group in groups:
            limits.kill_group(group, signal.SIGKILL)
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            if any(name and belongs(pid, name, False) for name in groups.values()):
                limits.kill(pid)
    finally:
        os._exit(0)


def restore_environment() -> None:
    """The variables that the engine changed to get this program going, as the user has them: a kernel would see those."""
    for name, value in json.loads(os.environ.pop("STEPWELL_RESTORE", "{}")).items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        sys.dont_write_bytecode = True


def main() -> None:
    restore_environment()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    # What is printed outside of cells belongs to the log.
    os.dup2(2, 1)
    guard = fork_guard()
    limits.adopt_orphans()
    parent = Parent(requests, answers, guard)
    try:
        parent.serve()
    finally:
        parent.close()
        os._exit(0)


if __name__ == "__main__":
    from stepwell.parent import main

    main()
