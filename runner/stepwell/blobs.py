"""
Blobs: content kept under its digest in a folder, `sha256/<two digits>/<other 62>`.

A blob is written to a temporary file, hashed on the way, and renamed to its digest, so that a process which is killed leaves no
half blob under a digest. Syncing to the disk comes later (`sync`), after the result was told. Who reads a blob trusts the digest
and checks only the size: a frame of 100 MB is mapped in a millisecond.
"""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Iterable

Part = bytes | bytearray | memoryview

# Parts from this size on are hashed in one thread while another writes: both leave Python's lock.
LARGE = 1 << 20
CHUNK = 4 << 20


class StorageProblem(Exception):
    """The folder of blobs cannot be used; the message is one sentence for a person."""


class Blobs:
    """Blobs in `folder`. Writing the same content twice is harmless."""

    def __init__(self, folder: str):
        self.folder = os.path.abspath(folder)
        self._unsynced: list[str] = []
        self._count = 0

    def path(self, digest: str) -> str:
        """Where the blob of a digest is, or would be."""
        kind, _, digits = digest.partition(":")
        if kind != "sha256" or len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
            raise ValueError(f"not a digest: {digest!r}")
        return os.path.join(self.folder, "sha256", digits[:2], digits[2:])

    def put(self, parts: Iterable[Part]) -> tuple[str, int]:
        """Write one blob made of `parts`, in order. Returns its digest and size."""
        temporary = None
        try:
            temporary, file = self._temporary()
            with file:
                digest, size = _write(file.fileno(), parts)
            target = self.path(digest)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            # Also when it is there already: that one may be damaged, or about to be collected as one that nobody has named for long.
            os.replace(temporary, target)
            self._unsynced.append(target)
            return digest, size
        except OSError as error:
            if temporary is not None:
                _remove(temporary)
            raise problem(error, self.folder) from error
        except BaseException:
            if temporary is not None:
                _remove(temporary)
            raise

    def read(self, digest: str) -> bytes:
        """The whole content of a small blob."""
        with open(self.path(digest), "rb") as file:
            return file.read()

    def sync(self) -> None:
        """Bring to the disk what this process wrote. Called after the result was told, before the process ends."""
        folders = set()
        for path in dict.fromkeys(self._unsynced):
            try:
                _sync(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise problem(error, self.folder) from error
            folders.add(os.path.dirname(path))
        for folder in sorted(folders):
            try:
                _sync(folder)
            except OSError:
                # Not every system can sync a folder.
                continue
        self._unsynced.clear()

    def _temporary(self):
        folder = os.path.join(self.folder, "tmp")
        self._count += 1
        path = os.path.join(folder, f"{os.getpid()}-{threading.get_ident():x}-{self._count}-{os.urandom(4).hex()}")
        try:
            return path, open(path, "xb", buffering=0)
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
            return path, open(path, "xb", buffering=0)


def problem(error: OSError, folder: str) -> StorageProblem:
    """What is wrong with a folder, in one sentence."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return StorageProblem(f"The disk that holds '{folder}' is full; free some space and run again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageProblem(f"'{folder}' cannot be written to; check its permissions or choose another folder.")
    return StorageProblem(f"'{folder}' could not be used: {error.strerror or error}.")


def _write(fd: int, parts: Iterable[Part]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for part in parts:
        view = memoryview(part).cast("B")
        size += view.nbytes
        if view.nbytes < LARGE:
            digest.update(view)
            _write_all(fd, view)
            continue
        hasher = threading.Thread(target=digest.update, args=(view,))
        hasher.start()
        try:
            _write_all(fd, view)
        finally:
            hasher.join()
    return f"sha256:{digest.hexdigest()}", size


def _write_all(fd: int, view: memoryview) -> None:
    done = 0
    while done < view.nbytes:
        done += os.write(fd, view[done : done + CHUNK])


def _sync(path: str) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
