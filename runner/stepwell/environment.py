"""
Which packages a step really loaded, with their versions.

Asking `importlib.metadata` costs a tenth of a second, so the folder names of the installed distributions are read once, before any
fork, and a step only compares them with the modules it has loaded.
"""

from __future__ import annotations

import itertools
import os
import platform
import re
import sys
from collections.abc import Iterable

_distributions: dict[str, tuple[str, str]] | None = None
# Where they were found, the first that counts first.
_folders: list[str] = []
# Of the modules that were loaded when `remember` was called: how many there were, and their distributions.
_before = 0
_found: set[tuple[str, str]] = set()


def remember() -> None:
    """Look through what is loaded now, so that a fork need only look at what it loads itself."""
    global _before
    _found.update(_among(list(sys.modules)))
    _before = len(sys.modules)


def prepare() -> dict[str, tuple[str, str]]:
    """Top-level module → (distribution, version). Cheap after the first call."""
    global _distributions
    if _distributions is None:
        _distributions = {}
        _folders[:] = [path for path in sys.path if path.rstrip("/").endswith(("site-packages", "dist-packages"))]
        for folder in reversed(_folders):
            try:
                _distributions.update(_read(folder))
            except OSError:
                continue
    return _distributions


def loaded() -> dict:
    """Python, its version and the distributions of all modules loaded now, with the folders that distributions were looked for in."""
    new = itertools.islice(reversed(sys.modules), max(0, len(sys.modules) - _before))
    packages = dict(sorted(_found | _among(new)))
    return {"python": platform.python_version(), "executable": sys.executable, "folders": _folders, "packages": packages}


def _among(names: Iterable[str]) -> set[tuple[str, str]]:
    known = prepare()
    return {known[top] for top in {name.partition(".")[0] for name in names} if top in known}


def _read(folder: str) -> dict[str, tuple[str, str]]:
    entries = set(os.listdir(folder))
    found: dict[str, tuple[str, str]] = {}
    for entry in entries:
        if not entry.endswith(".dist-info"):
            continue
        name, _, version = entry[: -len(".dist-info")].partition("-")
        info = (name.replace("_", "-"), version)
        for guess in (name, name.lower(), name.replace(".", "_")):
            if guess in entries or guess + ".py" in entries:
                found[guess] = info
                break
        else:
            for top in _tops(os.path.join(folder, entry)):
                found.setdefault(top, info)
    return found


def _tops(info: str) -> set[str]:
    """Modules of a distribution that is not called like its module (`scikit-learn`)."""
    for file, pattern in (("top_level.txt", r"^(\w+)$"), ("RECORD", r"^(\w+)(?:/__init__)?\.py,")):
        try:
            with open(os.path.join(info, file), encoding="utf-8") as text:
                tops = set(re.findall(pattern, text.read(), re.MULTILINE))
        except (OSError, UnicodeDecodeError):
            continue
        if tops:
            return tops
    return set()
