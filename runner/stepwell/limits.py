"""
Memory, time and life of processes, as Linux tells and keeps them. On other systems what is missing is left out: no attempt
fails because it cannot be measured.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PAGE = os.sysconf("SC_PAGE_SIZE")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

# Resolved before any fork, so that a child pays nothing for it.
try:
    _prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
except (OSError, AttributeError):
    _prctl = None


def die_with_parent(parent: int) -> None:
    """The kernel kills this process when its parent ends. Exits at once if that has already happened."""
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Processes that outlive their parents below this one become its children, so that it finds them."""
    if _prctl is not None:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)


def children(pid: int) -> list[int]:
    """Processes that `pid` started and that still exist."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found += map(int, file.read().split())
    except OSError:
        pass
    return found


def descendants(pid: int) -> list[int]:
    found = children(pid)
    for child in found:
        found.extend(children(child))
    return found


def resident(pid: int) -> int:
    """Bytes of memory that a task's process and all processes below it use. Pages that those below share with it count once."""
    total = 0
    for process in (pid, *descendants(pid)):
        try:
            with open(f"/proc/{process}/statm") as file:
                _, pages, shared, *_ = map(int, file.read().split())
        except (OSError, ValueError):
            continue
        total += pages if process == pid else max(0, pages - shared)
    return total * PAGE


def peak_memory() -> int:
    """The most memory this process, or one process it started, has used. A fork starts anew from what it has at that moment."""
    own = 0
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith("VmHWM"):
                    own = int(line.split()[1]) * 1024
                    break
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    own = own or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    # A process started by fork and exec is born with our size as its peak, so only a larger one tells something.
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit)


def cpu_seconds() -> float:
    """Seconds of processor time of this process and of those it started and waited for."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def hard_stop(limit: int) -> None:
    """
    A last wall behind the watch over `limit`: one huge allocation fails with MemoryError before the watch can see it.
    Well above the limit, because memory that is reserved but never touched counts here and is harmless.
    """
    wall = 4 * limit + (4 << 30)
    try:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (wall if hard == resource.RLIM_INFINITY else min(wall, hard), hard))
    except (OSError, ValueError):
        pass


def kill_group(group: int, number: int) -> bool:
    """Signal a whole process group. False if it is gone."""
    try:
        os.killpg(group, number)
        return True
    except (ProcessLookupError, PermissionError):
        return False


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
