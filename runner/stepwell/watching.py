"""
What a step does with files, seen through Python's audit events: those of the workspace, which other steps may provide, and all others,
which are told as sources.

The hook is called before the thing happens: in time to turn a link into a copy when something is about to be written. It stays in the
process for good and costs next to nothing for events that aren't about files of the workspace.
"""

from __future__ import annotations

import os
import sys
import threading

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Their first argument names what will be changed.
CHANGING = {"os.truncate", "os.chmod", "os.chown", "os.utime", "os.mkdir", "os.rmdir", "os.remove", "os.setxattr", "os.removexattr"}
LISTING = {
    "os.listdir",
    "os.scandir",
    "os.walk",
    "os.fwalk",
    "glob.glob",
    "glob.glob/2",
    "pathlib.Path.glob",
    "pathlib.Path.rglob",
    "os.listdrives",
}
RUNNING = {"subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.spawn", "os.startfile", "pty.spawn"}
# Programs that libraries run to know the machine.
HARMLESS = {
    "lscpu",
    "uname",
    "ldconfig",
    "nvidia-smi",
    "fc-list",
    "sysctl",
    "hostname",
    "getconf",
    "lsb_release",
    "which",
    "whoami",
    "id",
    "ldd",
}
# How a shell line of a cell starts its program.
TERMINAL = "os.forkpty"
EVENTS = {TERMINAL, "open", "os.chdir", "sqlite3.connect", "os.rename", "os.link", "os.symlink", *CHANGING, *LISTING, *RUNNING}

_current: Watch | None = None
_installed = False


class Watch:
    """
    Events on files below `path`. `own(path, empty)` is called before a file is written to. Until `counts` is true only `sources` hear of
    what is read.
    """

    def __init__(self, path: str, own, sources):
        self.path = path
        self.sources = sources
        self.counts = False
        self._inside = tuple({path + os.sep, os.path.realpath(path) + os.sep})
        self._own = own
        self._pid = os.getpid()
        self._busy = threading.local()
        # Files read, files this step made before it read them, and whether it may have read any.
        self.read: set[str] = set()
        self.own: set[str] = set()
        self.any = False
        # Whether it named a file by a path that depends on the working directory.
        self.relative = False

    def start(self) -> None:
        global _current, _installed
        _current = self
        if not _installed:
            sys.addaudithook(_hook)
            _installed = True

    def count(self) -> None:
        """The cells begin: what is used from now on is the step's own doing."""
        self.counts = True
        self.relative = False

    def stop(self) -> None:
        global _current
        if _current is self:
            _current = None

    def saw(self, event: str, args: tuple) -> None:
        if event == "open":
            path, _, flags = args
            inner = self._inner(path)
            flags = flags if isinstance(flags, int) else 0
            if inner is not None:
                self._opened(inner, flags)
            else:
                self._outside(path, flags)
        elif event in LISTING:
            if self._lists(event, args[0] if args else None) and self.counts:
                self.any = True
        elif event in RUNNING:
            if os.path.basename(str(args[0])) not in HARMLESS:
                self.sources.programs.add(os.path.basename(str(args[0]))[:100])
                if self.counts:
                    self.any = self.relative = True
        elif event == TERMINAL:
            self.sources.programs.add("a shell line")
        elif event == "os.chdir":
            inner = self._inner(args[0])
            if inner is not None:
                self._note(inner)
        elif event == "sqlite3.connect":
            inner = self._inner(args[0])
            if inner is not None:
                self._own(os.path.join(self.path, inner), False)
                self._note(inner)
            else:
                self._outside(args[0], os.O_RDWR)
        elif event in ("os.rename", "os.link", "os.symlink"):
            for path in args[:2]:
                self._change(path, keep_link=True)
        else:
            self._change(args[0], keep_link=event in ("os.remove", "os.rmdir", "os.mkdir"))

    def saw_in_worker(self, event: str, args: tuple) -> None:
        """In a process that the step forked: what it reads is told; what it writes in the workspace is found afterwards."""
        if event == "open":
            path, _, flags = args
            flags = flags if isinstance(flags, int) else 0
            inner = self._inner(path)
            if inner is None:
                self._outside(path, flags)
            elif not flags & WRITES and inner.replace(os.sep, "/") not in self.own:
                self.sources.read(os.path.join(self.path, inner))
        elif event in ("os.listdir", "os.scandir"):
            full = self._absolute(args[0]) if args and args[0] is not None else os.getcwd()
            if full is not None:
                self.sources.listed(full)

    def _opened(self, inner: str, flags: int) -> None:
        if flags & WRITES:
            fresh = bool(flags & os.O_TRUNC)
            self._own(os.path.join(self.path, inner), fresh)
            if (fresh or not os.path.exists(os.path.join(self.path, inner))) and inner not in self.read:
                self.own.add(inner)
            elif flags & os.O_RDWR:
                self._note(inner)
            elif flags & os.O_APPEND or not fresh:
                # What was there before stays in the file.
                self._note(inner)
        else:
            self._note(inner)

    def _note(self, inner: str) -> None:
        name = inner.replace(os.sep, "/")
        if name not in self.own and not name.endswith(".pyc"):
            if self.counts:
                self.read.add(name)
            self.sources.read(os.path.join(self.path, inner))

    def _outside(self, path, flags: int) -> None:
        """A file that is no step's to hand on."""
        text = None if isinstance(path, int) else self._absolute(path)
        if text is None:
            return
        if flags & WRITES:
            self.sources.write(text, bool(flags & (os.O_TRUNC | os.O_EXCL)) or not os.path.exists(text))
        else:
            self.sources.read(text)

    def _change(self, path, keep_link: bool) -> None:
        inner = self._inner(path)
        if inner is None:
            text = None if isinstance(path, int) else self._absolute(path)
            if text is not None and not os.path.isdir(text):
                self.sources.write(text, True)
            return
        full = os.path.join(self.path, inner)
        if keep_link:
            # Only the folders above matter: the link itself may go or move.
            full = os.path.join(os.path.dirname(full), ".")
        self._own(full, False)

    def _lists(self, event: str, path) -> bool:
        frame = sys._getframe(3)
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return False
        if path is None or path in ("", b""):
            self.relative = True
            path = os.getcwd()
        text = path
        if isinstance(text, int):
            return True
        full = self._absolute(text)
        if full is not None and event in ("os.listdir", "os.scandir"):
            self.sources.listed(full)
        inner = self._inner(text)
        return inner is not None or self._absolute(text) in (self.path, os.path.realpath(self.path))

    def _absolute(self, path) -> str | None:
        try:
            text = os.fsdecode(path)
        except TypeError:
            return None
        if text.startswith(os.sep) or os.path.isabs(text):
            return os.path.normpath(text)
        self.relative = True
        return os.path.normpath(os.path.join(os.getcwd(), text))

    def _inner(self, path) -> str | None:
        """The path from the workspace, or None for one that isn't in it."""
        if isinstance(path, int):
            return None
        if type(path) is str and path.startswith(os.sep) and not path.startswith(self._inside):
            return None
        text = self._absolute(path)
        if text is not None:
            for inside in self._inside:
                if text.startswith(inside):
                    return text[len(inside) :]
        return None


def _hook(event: str, args: tuple) -> None:
    watch = _current
    if watch is None or event not in EVENTS or getattr(watch._busy, "on", False):
        return
    watch._busy.on = True
    try:
        if os.getpid() == watch._pid:
            watch.saw(event, args)
        else:
            watch.sources.from_worker(lambda: watch.saw_in_worker(event, args))
    except Exception:
        # The event goes on and raises what there is to raise.
        pass
    finally:
        watch._busy.on = False
