"""
What a warm parent has taken in and could be overtaken by: the folders that packages are installed into, which change when one is
installed, upgraded or removed, and the files of loaded modules that lie elsewhere (a project's own code, an editable install).

Told with their modification times, so that whoever keeps the parent can see with a few `stat` calls that it has become stale.
"""

from __future__ import annotations

import os
import sys
import sysconfig

# By name: the notebook may replace what the module holds.
INSTALLED = ("site-packages", "dist-packages")

# Stamps of loose modules as they were when they were first told, which in a fork is before it was forked.
_stamps: dict[str, str | None] = {}


def folders() -> dict[str, str]:
    """Folders of packages on the path. To be asked for before anything is imported from them."""
    return times(path for path in sys.path if os.path.basename(path.rstrip("/")) in INSTALLED)


def loose() -> dict[str, str]:
    """Files of loaded modules that no package manager looks after; Stepwell's own and the standard library's are not among them."""
    found = loose_stamps()
    return times(sorted(found))


def loose_stamps() -> dict[str, str | None]:
    """The same files with their stamps."""
    own = os.path.dirname(os.path.abspath(__file__))
    library = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
    found = set()
    for module in list(sys.modules.values()):
        # Not `getattr`: a module that loads itself when it is looked at should not do so for us.
        file = getattr(module, "__dict__", {}).get("__file__")
        if not isinstance(file, str) or not os.path.isabs(file) or within(file, own):
            continue
        if not is_installed(file) and not any(within(file, folder) for folder in library):
            found.add(file)
    for file in found:
        if file not in _stamps:
            _stamps[file] = stamp(file)
    return {file: _stamps[file] for file in found}


def is_installed(file: str) -> bool:
    return any(f"{os.sep}{name}{os.sep}" in file for name in INSTALLED)


def within(file: str, folder: str) -> bool:
    return file.startswith(folder + os.sep)


def times(paths) -> dict[str, str]:
    """Modification times in nanoseconds, as text: JSON's readers round numbers of that size."""
    known = {}
    for path in paths:
        try:
            known[path] = str(os.stat(path).st_mtime_ns)
        except OSError:
            continue
    return known


def stamp(path: str) -> str | None:
    """Size, modification, change and inode of a file as text, equal as long as nobody touches it; None where nothing is."""
    try:
        return stamp_of(os.stat(path))
    except (OSError, ValueError):
        return None


def stamp_of(info: os.stat_result) -> str:
    return f"{info.st_size}:{info.st_mtime_ns}:{info.st_ctime_ns}:{info.st_ino}"
