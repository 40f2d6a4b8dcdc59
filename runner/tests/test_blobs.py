"""Blobs are whole or not there."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from stepwell.blobs import Blobs, StorageProblem


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("parts", [[], [b""], [b"a", b"", b"bc"], [bytes(3 << 20), b"x"], [memoryview(bytearray(5 << 20))]])
def test_keeps_content_under_its_digest(tmp_path, parts):
    store = Blobs(str(tmp_path))
    content = b"".join(bytes(part) for part in parts)
    digest, size = store.put(parts)
    assert digest == "sha256:" + hashlib.sha256(content).hexdigest() and size == len(content)
    assert store.read(digest) == content
    assert Path(store.path(digest)).relative_to(tmp_path).as_posix() == f"sha256/{digest[7:9]}/{digest[9:]}"
    store.put(parts)
    store.sync()
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("digest", ["sha256:../../etc", "sha256:" + "A" * 64, "md5:" + "0" * 64, "", "sha256:" + "0" * 63])
def test_refuses_what_is_no_digest(tmp_path, digest):
    with pytest.raises(ValueError):
        Blobs(str(tmp_path)).path(digest)


@pytest.mark.parametrize(
    "code, words",
    [(errno.ENOSPC, "is full"), (errno.EROFS, "cannot be written"), (errno.EACCES, "cannot be written"), (errno.EIO, "could not be used")],
)
def test_says_what_is_wrong_and_leaves_nothing(tmp_path, monkeypatch, code, words):
    store = Blobs(str(tmp_path))

    def fail(fd, content):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(StorageProblem, match=words):
        store.put([b"x" * 100])
    assert not files(tmp_path)


def test_leaves_nothing_when_a_part_cannot_be_made(tmp_path):
    def parts():
        yield b"abc"
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        Blobs(str(tmp_path)).put(parts())
    assert not files(tmp_path)


def test_a_killed_writer_leaves_no_blob(tmp_path):
    program = f"""
import sys, time; sys.path.insert(0, {str(Path(__file__).resolve().parent.parent)!r})
from stepwell.blobs import Blobs
def parts():
    yield bytes(1 << 20)
    print('writing', flush=True)
    time.sleep(60)
Blobs({str(tmp_path)!r}).put(parts())
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"writing\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert not (tmp_path / "sha256").exists()
    assert [path.parent.name for path in files(tmp_path)] == ["tmp"]
