"""
What a step used that no step above gave it: files and folders of this machine, variables of the environment, programs.

Files are told with their stamps (size, times, inode) from before the step could read them, so that whoever keeps the step's outputs
can tell later whether it would read the same again. Files that Python and its packages are made of are not told: their versions are.
"""

from __future__ import annotations

import os
import sysconfig

# By name: the notebook may replace what the module holds.
from json import dumps, loads

from . import freshness

# Where nothing lies that a person would call data.
SYSTEM = ("/proc", "/sys", "/dev", "/run", "/usr/share/zoneinfo", "/usr/share/locale", "/usr/lib/locale", "/usr/share/fonts")
# What programs keep for themselves in the home folder.
KEPT = (".ipython", ".jupyter", ".local/share/jupyter", ".cache/matplotlib", ".cache/fontconfig", ".cache/pip", ".fontconfig")


class Sources:
    """
    What one step has used. Names of files are paths from the notebook's folder where they lie in it, and absolute elsewhere. `workspace`
    shows that folder; `hidden` are folders of the task's own.
    """

    def __init__(self, folder: str, workspace: str, hidden: tuple[str, ...]):
        self.folder = folder
        # Beside the workspace, so that no step above or below ever sees it.
        self.workers = workspace + ".workers"
        # Of files that were copied from the folder: their stamps at that time.
        self.copied: dict[str, str] = {}
        self.files: dict[str, str | None] = {}
        self.folders: dict[str, str | None] = {}
        self.wrote: set[str] = set()
        self.programs: set[str] = set()
        self.variables: set[str] = set()
        self._inside = tuple({os.path.abspath(workspace) + os.sep, os.path.realpath(workspace) + os.sep})
        self._folder = os.path.realpath(folder) + os.sep
        library = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
        kept = [os.path.join(os.path.expanduser("~"), name) for name in KEPT]
        own = os.path.dirname(os.path.abspath(__file__))
        self._hidden = tuple({each.rstrip(os.sep) + os.sep for each in (*SYSTEM, *kept, *library, own, *hidden) if each})

    def read(self, path: str, known: str | None = None) -> None:
        """A file is about to be read. `path` is absolute; `known` is its stamp when the step could first have read it."""
        name = self._name(path)
        if name is not None and name not in self.files and name not in self.wrote:
            self.files[name] = self.copied.get(name) or known or freshness.stamp(os.path.join(self.folder, name))

    def listed(self, path: str) -> None:
        """The names in a folder are about to be read."""
        name = self._name(path)
        if name is not None and name not in self.folders:
            self.folders[name] = freshness.stamp(os.path.join(self.folder, name))

    def write(self, path: str, fresh: bool) -> None:
        """A file outside of the workspace is about to be written; `fresh`: what it held does not matter."""
        name = self._name(path)
        if name is not None:
            if not fresh:
                self.read(path)
            self.wrote.add(name)

    def modules(self) -> None:
        """Code that was imported and that no package manager looks after."""
        for path, stamp in freshness.loose_stamps().items():
            self.read(path, stamp)

    def from_worker(self, event) -> None:
        """In a process that the step forked: what `event()` adds here is written down, for the step's own process to read."""
        before = [set(each) for each in (self.files, self.folders, self.wrote)]
        event()
        files, folders, wrote = (set(each) - known for each, known in zip((self.files, self.folders, self.wrote), before))
        if files or folders or wrote:
            news = {"files": {name: self.files[name] for name in files}, "folders": {name: self.folders[name] for name in folders}}
            # One write each: lines of several workers do not mix.
            line = dumps({**news, "wrote": sorted(wrote)}).encode() + b"\n"
            with open(self.workers, "ab", buffering=0) as file:
                file.write(line)

    def _gather(self) -> None:
        try:
            with open(self.workers, "rb") as file:
                lines = file.read().splitlines()
        except OSError:
            return
        for line in lines:
            news = loads(line)
            self.wrote.update(news["wrote"])
            for kind in ("files", "folders"):
                for name, known in news[kind].items():
                    if name not in self.wrote:
                        getattr(self, kind).setdefault(name, known)

    def told(self) -> dict:
        self._gather()
        return {
            "files": dict(sorted(self.files.items())),
            "folders": dict(sorted(self.folders.items())),
            "wrote": sorted(self.wrote),
            "programs": sorted(self.programs),
            "variables": sorted(self.variables),
        }

    def _name(self, path: str) -> str | None:
        """None for what is not told."""
        if path.endswith(".pyc") or freshness.is_installed(path):
            return None
        for inside in self._inside:
            if path.startswith(inside):
                return path[len(inside) :].replace(os.sep, "/")
            if path + os.sep == inside:
                return "."
        real = os.path.realpath(path)
        if (path + os.sep).startswith(self._hidden) or (real + os.sep).startswith(self._hidden) or freshness.is_installed(real):
            return None
        if real.startswith(self._folder):
            return real[len(self._folder) :].replace(os.sep, "/")
        return "." if real + os.sep == self._folder else real
