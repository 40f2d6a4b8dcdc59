"""
The folder where a step runs: the notebook's folder as it was, plus the files that steps above changed.

Small files are copied, large ones are links to the original that turn into copies as soon as Python is about to write to them
(`watching.py` sees that coming), so that nothing reaches the notebook's folder. What a step changed is found afterwards by comparing
sizes, times and inodes. The folder lies a few levels deep in the attempt's own, named as the notebook's and its parents are, so
that `../data` can be made to mean what it means to the notebook (`add_parents`).
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass

from . import freshness
from .blobs import Blobs, problem
from .sources import Sources
from .watching import Watch

# Showing the folder is done for every step, so what a step most likely leaves alone is not copied but linked, and whole folders once there is much.
COPIED, COPIED_FILES, COPIED_BYTES, ENTRIES = 1 << 20, 200, 16 << 20, 600
COPIED_BLOB = 256 << 20
LEVELS = 3
CHUNK = 4 << 20

# Never shown to a step, never taken from one.
HIDDEN = {"__pycache__", ".ipynb_checkpoints", ".stepwell"}
# Shown as one link each: large, and nothing that a pipeline hands on.
HEAVY = {
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".tox",
    ".nox",
    ".cache",
    ".conda",
    ".npm",
    ".local",
}
PARENTS = re.compile(r"\.\.|pardir|\.parents?\b|dirname")
ABOVE = re.compile(r"((?:\.\.[/\\])+)([^/\\'\"\s()\[\]{},;*?]+)?")


class BadPath(Exception):
    """A file name that would leave the workspace."""


@dataclass(slots=True)
class Known:
    """What was last seen at a path: `link` for a link that the workspace made."""

    size: int
    time: int
    inode: int
    mode: int
    link: str | None = None
    accessed: int = 0


class Workspace:
    """
    A workspace at `path` (inside `root`) that shows `folder`. Call `prepare`, `add`, `look`, `watch`, then `changed` and `used`. What is
    used that no step hands on is told to `sources`.
    """

    def __init__(self, folder: str, root: str, blobs: Blobs):
        self.folder = os.path.abspath(folder)
        self.root = os.path.abspath(root)
        self.blobs = blobs
        parts = [part for part in self.folder.split(os.sep) if part and ":" not in part]
        names = (["_"] * (LEVELS + 1) + parts)[-(LEVELS + 1) :]
        self.path = os.path.join(self.root, *names)
        self._known: dict[str, Known] = {}
        self._folders: dict[str, int] = {}
        # Real folders before the cells run, and after.
        self._before: set[str] = set()
        self._after: set[str] = set()
        self._prepared = False
        self.sources = Sources(self.folder, self.path, (self.root, os.path.abspath(blobs.folder)))
        self._watch: Watch | None = None
        self._read: set[str] = set()

    def prepare(self) -> None:
        """Make the folder and show the notebook's in it. Doing so twice changes nothing."""
        if self._prepared:
            return
        self._prepared = True
        try:
            os.makedirs(self.path, exist_ok=True)
            if os.path.isdir(self.folder):
                self._mirror()
            else:
                self._folders[""] = os.stat(self.path).st_mtime_ns
        except OSError as error:
            raise problem(error, self.root) from error

    def add(self, files: dict[str, dict | None]) -> None:
        """
        Put the files and folders of steps above in place; None removes one. Refuses names that would leave the workspace.
        """
        gone = []
        for name, state in files.items():
            path = self._inside(name)
            try:
                if state is None and os.path.isdir(path) and not os.path.islink(path):
                    gone.append(name)
                    continue
                if state is None and not os.path.lexists(path):
                    continue
                if state is not None and state.get("folder"):
                    if os.path.lexists(path) and not os.path.isdir(path):
                        os.unlink(path)
                    self._make_folders(name)
                    continue
                self._make_folders(os.path.dirname(name))
                if os.path.lexists(path):
                    if os.path.isdir(path) and not os.path.islink(path):
                        raise BadPath(f"'{name}' is a file for a step above and a folder here")
                    os.unlink(path)
                if state is None:
                    self._known.pop(name, None)
                    continue
                source = self.blobs.path(state["digest"])
                mode = state.get("mode", 0o644)
                if state["size"] <= COPIED_BLOB:
                    _copy(source, path, mode, None)
                    self._remember(name, os.lstat(path))
                else:
                    os.symlink(source, path)
                    self._remember(name, os.lstat(path), source)
            except OSError as error:
                raise problem(error, self.root) from error
        for name in sorted(gone, key=len, reverse=True):
            self._remove_folder(name)
        for name in list(self._folders):
            self._folders[name] = os.stat(os.path.join(self.path, name)).st_mtime_ns

    def add_parents(self, texts: list[str]) -> None:
        """Let relative paths that leave the folder (`../data/x.csv`) reach the real files, where `texts` (the cells) may hold such paths."""
        level, named = 0, set()
        for text in texts:
            if PARENTS.search(text):
                level = max(level, 1)
            for ups, name in ABOVE.findall(text):
                depth = len(ups) // 3
                level = max(level, depth)
                named.add((depth, name))
        for depth in range(1, min(level, LEVELS) + 1):
            real, here = self.folder, self.path
            for _ in range(depth):
                real, here = os.path.dirname(real), os.path.dirname(here)
            try:
                entries = os.listdir(real)
            except OSError:
                continue
            if len(entries) > 500:
                entries = [name for name in entries if (depth, name) in named]
            for name in entries:
                target = os.path.join(here, name)
                if name not in HIDDEN and not os.path.lexists(target):
                    try:
                        os.symlink(os.path.join(real, name), target)
                    except OSError:
                        continue

    def look(self, names: list[str]) -> None:
        """From now on, tell sources, and keep writes out of the notebook's folder. `names` are files that the step uses for certain."""
        self._watch = Watch(self.path, self.own, self.sources)
        self._watch.start()
        for name in names:
            path = os.path.normpath(os.path.join(self.folder, os.path.expanduser(name)))
            (self.sources.listed if os.path.isdir(path) else self.sources.read)(path)

    def watch(self) -> None:
        """From now on, see which files are used."""
        self._before |= set(self._folders) - {""}
        if self._watch is None:
            self.look([])
        self._watch.count()

    def changed(self) -> dict[str, dict]:
        """`file:<path>` → where its content is now, or that it was removed. Stops watching."""
        watch = self._watch
        if watch is not None:
            watch.stop()
        found: dict[str, dict] = {}
        here: set[str] = set()
        try:
            for name, entry in self._scan(""):
                here.add(name)
                state = self._changed(name, entry)
                if state is not None:
                    found[f"file:{name}"] = state
        except FileNotFoundError:
            # The step removed the folder it ran in.
            pass
        for name in self._known:
            if name not in here:
                found[f"file:{name}"] = {"removed": True}
        for name in self._before - self._after:
            found.setdefault(f"file:{name}", {"removed": True})
        made = self._after - self._before
        if made:
            digest, size = self.blobs.put([b""])
            found.update({f"file:{name}": {"digest": digest, "size": size, "folder": True} for name in made})
        return found

    def used(self) -> list[str]:
        """
        The files that the step read and did not make itself, `file:*` where it may have looked at any, and `@cwd` where it named one from
        the working directory. Call it after `changed`.
        """
        if self._watch is None:
            return []
        names = self._watch.read
        if self._watch.any:
            names = names | {"*"}
        else:
            # What Python did not see: reads by other programs and by libraries that open files themselves.
            names = names | (self._read - self._watch.own)
        for name in self._read - self._watch.own:
            self.sources.read(os.path.join(self.path, name))
        return sorted([f"file:{name}" for name in names] + (["@cwd"] if self._watch.relative else []))

    def own(self, path: str, empty: bool = False) -> None:
        """Make sure that writing to `path` stays in the workspace: a link becomes a copy (or an empty file), a linked folder a folder of links."""
        inner = os.path.relpath(path, self.path)
        folder = self.path
        for part in os.path.dirname(inner).split(os.sep):
            folder = os.path.join(folder, part) if part else folder
            if os.path.islink(folder) and os.path.isdir(folder) and self._is_ours(folder):
                self._open_folder(folder)
        if not os.path.islink(path):
            return
        target = os.path.realpath(path)
        if target.startswith(self.path + os.sep) or not os.path.isfile(target):
            return
        temporary = f"{path}.{os.getpid()}.stepwell"
        if empty:
            mode = stat.S_IMODE(os.stat(target).st_mode)
            os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL, mode))
        else:
            _copy(target, temporary, stat.S_IMODE(os.stat(target).st_mode), os.stat(target))
        os.replace(temporary, path)

    def _mirror(self) -> None:
        skipped = {os.path.realpath(self.root), os.path.realpath(self.blobs.folder)}
        # Stepwell's home, where both usually are: nothing in it is the notebook's.
        home = os.path.commonpath(skipped)
        if home.startswith(os.path.realpath(self.folder) + os.sep):
            skipped.add(home)
        budget = [COPIED_FILES, COPIED_BYTES, ENTRIES]
        waiting = [""]
        while waiting:
            inner = waiting.pop(0)
            here = os.path.join(self.path, inner) if inner else self.path
            try:
                entries = list(os.scandir(os.path.join(self.folder, inner)))
                if inner and len(entries) > budget[2] and not self._holds(inner, skipped):
                    os.symlink(os.path.join(self.folder, inner), here)
                    self._remember(inner, os.lstat(here), os.path.join(self.folder, inner))
                    continue
                os.makedirs(here, exist_ok=True)
            except OSError:
                continue
            for entry in entries:
                name = f"{inner}/{entry.name}" if inner else entry.name
                if entry.name in HIDDEN or entry.name.endswith(".pyc"):
                    continue
                target = os.path.join(here, entry.name)
                try:
                    if self._show(entry, name, target, budget, skipped):
                        waiting.append(name)
                except (PermissionError, FileNotFoundError):
                    # What cannot be read here could not be read by the notebook; what is gone is gone.
                    continue
            self._folders[inner] = 0
        for inner in self._folders:
            self._folders[inner] = os.stat(os.path.join(self.path, inner)).st_mtime_ns

    def _show(self, entry, name: str, target: str, budget: list[int], skipped: set[str]) -> bool:
        """Show one entry of the notebook's folder. True for a folder whose entries are to be shown too."""
        budget[2] -= 1
        if entry.is_symlink():
            os.symlink(os.path.realpath(entry.path), target)
            self._remember(name, os.lstat(target), entry.path)
            return False
        if entry.is_dir():
            if any(folder == os.path.realpath(entry.path) for folder in skipped):
                return False
            heavy = entry.name in HEAVY or os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))
            if heavy and not self._holds(name, skipped):
                os.symlink(entry.path, target)
                self._remember(name, os.lstat(target), entry.path)
                return False
            if heavy:
                os.makedirs(target, exist_ok=True)
            return not heavy
        if not entry.is_file():
            return False
        info = entry.stat()
        if info.st_size <= COPIED and budget[0] > 0 and budget[1] >= info.st_size:
            budget[0] -= 1
            budget[1] -= info.st_size
            self.sources.copied[name] = freshness.stamp_of(info)
            self._remember(name, _copy(entry.path, target, stat.S_IMODE(info.st_mode), info))
        else:
            os.symlink(entry.path, target)
            self._remember(name, os.lstat(target), entry.path)
        return False

    def _holds(self, inner: str, skipped: set[str]) -> bool:
        """Whether something that no step may see is inside the folder."""
        real = os.path.realpath(os.path.join(self.folder, inner)) + os.sep
        return any(folder.startswith(real) for folder in skipped)

    def _remember(self, name: str, info: os.stat_result, link: str | None = None) -> None:
        if link is not None:
            try:
                real = os.stat(link)
                self._known[name] = Known(real.st_size, real.st_mtime_ns, info.st_ino, real.st_mode, link, info.st_atime_ns)
            except OSError:
                self._known[name] = Known(0, 0, info.st_ino, 0, link, info.st_atime_ns)
            return
        self._known[name] = Known(info.st_size, info.st_mtime_ns, info.st_ino, info.st_mode, None, info.st_atime_ns)

    def _inside(self, name: str) -> str:
        parts = name.split("/")
        if (
            not name
            or "\0" in name
            or "\\" in name
            or os.path.isabs(name)
            or any(part in ("", ".", "..") for part in parts)
            or ":" in parts[0]
        ):
            raise BadPath(f"the file name {name!r} leaves the workspace")
        return os.path.join(self.path, *parts)

    def _make_folders(self, inner: str) -> None:
        """Real folders all the way: never through a link to somewhere else."""
        folder = self.path
        for part in inner.split("/") if inner else ():
            folder = os.path.join(folder, part)
            if os.path.islink(folder):
                if not os.path.isdir(folder):
                    os.unlink(folder)
                else:
                    self._open_folder(folder)
            os.makedirs(folder, exist_ok=True)
            self._before.add(os.path.relpath(folder, self.path).replace(os.sep, "/"))

    def _remove_folder(self, inner: str) -> None:
        """A folder that a step above removed: gone unless something is left in it here."""
        try:
            os.rmdir(os.path.join(self.path, inner))
        except OSError:
            return
        self._before.discard(inner)
        self._folders.pop(inner, None)

    def _is_ours(self, folder: str) -> bool:
        known = self._known.get(os.path.relpath(folder, self.path).replace(os.sep, "/"))
        return known is not None and known.link is not None or self._is_of_notebook(os.path.realpath(folder))

    def _is_of_notebook(self, path: str) -> bool:
        return (path + os.sep).startswith(os.path.realpath(self.folder) + os.sep)

    def _open_folder(self, folder: str) -> None:
        """Replace a link to a folder by a folder of links."""
        target = os.path.realpath(folder)
        temporary = f"{folder}.{os.getpid()}.stepwell"
        os.mkdir(temporary)
        inner = os.path.relpath(folder, self.path).replace(os.sep, "/")
        self._known.pop(inner, None)
        self._before.add(inner)
        for entry in os.scandir(target):
            link = os.path.join(temporary, entry.name)
            os.symlink(entry.path, link)
            self._remember(f"{inner}/{entry.name}", os.lstat(link), entry.path)
        os.unlink(folder)
        os.rename(temporary, folder)

    def _scan(self, inner: str):
        """Everything that can be handed on: files, and links, by name."""
        with os.scandir(os.path.join(self.path, inner) if inner else self.path) as entries:
            for entry in entries:
                name = f"{inner}/{entry.name}" if inner else entry.name
                if entry.name in HIDDEN or entry.name.endswith((".pyc", ".stepwell")):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    self._after.add(name)
                    yield from self._scan(name)
                else:
                    yield name, entry

    def _changed(self, name: str, entry) -> dict | None:
        known = self._known.get(name)
        try:
            info = entry.stat(follow_symlinks=False)
            # The kernel notes the first read after a change. Asked before anything below follows the link.
            if known is not None and info.st_ino == known.inode and info.st_atime_ns != known.accessed:
                self._read.add(name)
            if stat.S_ISLNK(info.st_mode):
                if not os.path.isfile(entry.path):
                    # A folder, or nothing: a link of the notebook's own stays what it is.
                    return None
                real = os.stat(entry.path)
                if known is not None and known.link is not None and (known.size, known.time) == (real.st_size, real.st_mtime_ns):
                    return None
                return self._take(entry.path, real)
            if not stat.S_ISREG(info.st_mode):
                return None
            if (
                known is not None
                and known.link is None
                and (known.size, known.time, known.inode, known.mode)
                == (
                    info.st_size,
                    info.st_mtime_ns,
                    info.st_ino,
                    info.st_mode,
                )
            ):
                return None
            return self._take(entry.path, info)
        except FileNotFoundError:
            return None

    def _take(self, path: str, info: os.stat_result) -> dict:
        with open(path, "rb", buffering=0) as file:
            digest, size = self.blobs.put(iter(lambda: file.read(CHUNK), b""))
        return {"digest": digest, "size": size, "mode": stat.S_IMODE(info.st_mode)}


def _copy(source: str, target: str, mode: int, times: os.stat_result | None) -> os.stat_result:
    """Copy a file; with `times`, it keeps when it was changed. Its access time is set before that, so that a read moves it."""
    reading = os.open(source, os.O_RDONLY)
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode | stat.S_IWUSR)
        try:
            while chunk := os.read(reading, CHUNK):
                done = 0
                while done < len(chunk):
                    done += os.write(writing, chunk[done:])
            if stat.S_IMODE(os.fstat(writing).st_mode) != mode:
                os.fchmod(writing, mode)
            changed = times.st_mtime_ns if times is not None else os.fstat(writing).st_mtime_ns
            os.utime(writing, ns=(changed - 10**9, changed))
            return os.fstat(writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)
