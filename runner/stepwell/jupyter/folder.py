"""
The private folder with the service's socket.

Only its owner may enter it. Its name says whose it is, so that what a killed Jupyter left behind can be told from what is in use.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import tempfile
from pathlib import Path

NAME = re.compile(r"stepwell-(\d+)-\w+")
# An address of a Unix socket has room for 104 bytes on macOS and 108 on Linux.
LONGEST = 100


def make() -> Path:
    """A new folder with mode 0700, made for this process; folders of processes that are gone are removed."""
    bases = [Path(place) for place in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp") if place]
    for base in bases:
        if len(os.fsencode(base)) + 40 > LONGEST or not os.access(base, os.W_OK | os.X_OK):
            continue
        _sweep(base)
        return Path(tempfile.mkdtemp(prefix=f"stepwell-{os.getpid()}-", dir=base))
    raise OSError(f"no folder is short enough and may be written: {', '.join(map(str, bases))}")


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _sweep(base: Path) -> None:
    for entry in os.scandir(base):
        found = NAME.fullmatch(entry.name)
        with contextlib.suppress(OSError):
            if found and entry.is_dir(follow_symlinks=False) and entry.stat().st_uid == os.getuid():
                if not _alive(int(found[1])) and not listened_to(Path(entry.path) / "service.sock"):
                    remove(Path(entry.path))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def listened_to(path: Path) -> bool:
    """Whether somebody accepts connections there. Looked at also when no process has the number: it may live in another container."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
