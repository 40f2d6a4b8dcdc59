"""A workspace shows the notebook's folder, keeps writes out of it, and tells what changed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from stepwell.blobs import Blobs
from stepwell.workspace import BadPath, Workspace


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "project" / "notebooks"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "small.csv").write_text("a,b\n1,2\n")
    (folder / "data" / "large.bin").write_bytes(b"z" * (2 << 20))
    (folder / "other.txt").write_text("other")
    (folder / "helpers.py").write_text("X = 1\n")
    (folder / ".git").mkdir()
    (folder / "__pycache__").mkdir()
    (folder / "linked.txt").symlink_to(folder / "other.txt")
    (tmp_path / "project" / "shared").mkdir()
    (tmp_path / "project" / "shared" / "x.csv").write_text("x")
    return folder


@pytest.fixture
def workspace(folder, tmp_path):
    before = os.getcwd()
    made = Workspace(str(folder), str(tmp_path / "attempt"), Blobs(str(tmp_path / "artifacts")))
    made.prepare()
    os.chdir(made.path)
    yield made
    made.changed()
    os.chdir(before)


def content(folder: Path) -> dict[str, tuple]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(folder.rglob("*")) if path.is_file()}


def test_shows_the_folder(workspace, folder):
    assert os.path.basename(os.getcwd()) == "notebooks"
    assert sorted(os.listdir(".")) == [".git", "data", "helpers.py", "linked.txt", "other.txt"]
    assert open("data/small.csv").read() == "a,b\n1,2\n" and os.path.getsize("data/large.bin") == 2 << 20
    assert os.stat("other.txt").st_mtime_ns == (folder / "other.txt").stat().st_mtime_ns


def test_tells_nothing_where_nothing_happened(workspace):
    workspace.watch()
    assert workspace.changed() == {} and workspace.used() == []


# what a step does → what it changed
WRITES = {
    "new file": ("open('new.txt', 'w').write('n')", {"new.txt": b"n"}),
    "new folder": ("os.makedirs('a/b'); open('a/b/c', 'wb').write(b'c')", {"a": b"", "a/b": b"", "a/b/c": b"c"}),
    "small file": ("open('other.txt', 'a').write('!')", {"other.txt": b"other!"}),
    "small file, same size": ("open('other.txt', 'w').write('OTHER')", {"other.txt": b"OTHER"}),
    "large file": ("f = open('data/large.bin', 'r+b'); f.write(b'a'); f.close()", {"data/large.bin": b"a" + b"z" * ((2 << 20) - 1)}),
    "large file, appended": ("open('data/large.bin', 'ab').write(b'!')", {"data/large.bin": b"z" * (2 << 20) + b"!"}),
    "large file, written anew": ("open('data/large.bin', 'wb').write(b'n')", {"data/large.bin": b"n"}),
    "large file, cut": ("os.truncate('data/large.bin', 3)", {"data/large.bin": b"zzz"}),
    "through os.open": ("fd = os.open('data/large.bin', os.O_WRONLY | os.O_TRUNC); os.close(fd)", {"data/large.bin": b""}),
    "link": ("open('linked.txt', 'w').write('new')", {"linked.txt": b"new"}),
    "removed": ("os.remove('other.txt')", {"other.txt": None}),
    "removed large": ("os.remove('data/large.bin')", {"data/large.bin": None}),
    "renamed": ("os.rename('other.txt', 'that.txt')", {"other.txt": None, "that.txt": b"other"}),
    "renamed large": (
        "import shutil; shutil.move('data/large.bin', 'l.bin'); open('l.bin', 'ab').write(b'1')",
        {"data/large.bin": None, "l.bin": b"z" * (2 << 20) + b"1"},
    ),
    "folder removed": ("import shutil; shutil.rmtree('data')", {"data": None, "data/small.csv": None, "data/large.bin": None}),
    "by absolute path": ("open(os.path.abspath('data/large.bin'), 'wb').write(b'x')", {"data/large.bin": b"x"}),
    "by pathlib": ("import pathlib; pathlib.Path('data/large.bin').write_text('x')", {"data/large.bin": b"x"}),
    "by a program": ("os.system('echo hi > said.txt')", {"said.txt": b"hi\n"}),
    "bytecode": ("os.makedirs('__pycache__'); open('__pycache__/a.pyc', 'wb').write(b'')", {}),
    "database": (
        "import sqlite3; c = sqlite3.connect('d.db'); c.execute('create table t (a)'); c.commit(); c.close(); os.truncate('d.db', 0)",
        {"d.db": b""},
    ),
    "mode": ("os.chmod('other.txt', 0o755)", {"other.txt": b"other"}),
}


@pytest.mark.parametrize("name", WRITES)
def test_keeps_writes_in_the_workspace(workspace, folder, name):
    before = content(folder)
    workspace.watch()
    exec(WRITES[name][0], {"os": os})
    changed = workspace.changed()
    found = {key[5:]: None if "removed" in state else workspace.blobs.read(state["digest"]) for key, state in changed.items()}
    assert found == WRITES[name][1]
    assert content(folder) == before


# what a step does → what it used
READS = {
    "read": ("open('data/small.csv').read()", ["file:data/small.csv"]),
    "read through a link": ("open('data/large.bin', 'rb').read(1)", ["file:data/large.bin"]),
    "missing": ("try: open('no.csv')\nexcept OSError: pass", ["file:no.csv"]),
    "outside": ("open(os.devnull).read()", []),
    "made and read": ("open('n', 'w').write('x'); open('n').read()", []),
    "appended": ("open('other.txt', 'a').write('x')", ["file:other.txt"]),
    "written anew": ("open('other.txt', 'w').write('x')", []),
    "listed": ("os.listdir('data')", ["file:*"]),
    "globbed": ("import glob; glob.glob('*.csv')", ["file:*"]),
    "listed elsewhere": ("os.listdir('/')", []),
    "by a program": ("import subprocess; subprocess.run(['true'])", ["file:*"]),
    "imported": (
        "import sys; sys.path.insert(0, os.getcwd()); sys.dont_write_bytecode = True; import helpers; sys.path.pop(0); del sys.modules['helpers']",
        ["file:helpers.py"],
    ),
}


@pytest.mark.parametrize("name", READS)
def test_tells_what_was_used(workspace, name):
    workspace.watch()
    exec(READS[name][0], {"os": os})
    workspace.changed()
    assert [used for used in workspace.used() if used != "@cwd"] == READS[name][1]


@pytest.mark.parametrize(
    ("code", "depends"),
    [
        ("open('other.txt').read()", True),
        ("open('made.txt', 'w').write('x')", True),
        ("os.listdir()", True),
        ("os.system('true')", True),
        ("open(os.path.join(here, 'other.txt')).read()", False),
        ("os.listdir(here)", False),
        ("1 + 1", False),
    ],
)
def test_tells_whether_the_working_directory_mattered(workspace, code, depends):
    here = os.getcwd()
    workspace.watch()
    exec(code, {"os": os, "here": here})
    workspace.changed()
    assert ("@cwd" in workspace.used()) is depends


def test_hands_folders_on(workspace):
    digest, size = workspace.blobs.put([b""])
    folder = {"digest": digest, "size": size, "folder": True}
    workspace.add({"a": folder, "a/b": folder})
    workspace.watch()
    os.rmdir("a/b")
    os.mkdir("c")
    assert workspace.changed() == {"file:a/b": {"removed": True}, "file:c": folder}


def test_removes_folders_of_steps_above_when_nothing_is_left_in_them(workspace):
    os.makedirs("a/b")
    os.makedirs("c")
    open("c/kept", "w").close()
    workspace.add({"a": None, "a/b": None, "c": None})
    assert not os.path.exists("a") and os.path.exists("c/kept")


def test_takes_files_from_steps_above(workspace):
    digest, size = workspace.blobs.put([b"hello"])
    workspace.add(
        {"up/x.sh": {"digest": digest, "size": size, "mode": 0o755}, "other.txt": {"digest": digest, "size": size}, "helpers.py": None}
    )
    assert (
        open("up/x.sh").read() == open("other.txt").read() == "hello" and os.access("up/x.sh", os.X_OK) and not os.path.exists("helpers.py")
    )
    workspace.watch()
    open("up/x.sh", "a").write("!")
    assert list(workspace.changed()) == ["file:up/x.sh"]
    assert workspace.blobs.read(digest) == b"hello"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", "a//b", "a\\b", "./a", "c:x", "a\0b", ".."])
def test_refuses_names_that_leave_it(workspace, name):
    digest, size = workspace.blobs.put([b"x"])
    with pytest.raises(BadPath):
        workspace.add({name: {"digest": digest, "size": size}})


def test_does_not_write_through_a_link_to_a_folder(workspace, folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.symlink(elsewhere, "link")
    digest, size = workspace.blobs.put([b"x"])
    workspace.add({"link/a.txt": {"digest": digest, "size": size}, ".git/b": {"digest": digest, "size": size}})
    assert not list(elsewhere.iterdir()) and not list((folder / ".git").iterdir()) and open("link/a.txt").read() == "x"


def test_reaches_what_lies_above(workspace):
    workspace.add_parents(["pd.read_csv('../shared/x.csv')"])
    assert open("../shared/x.csv").read() == "x"


def test_shows_nothing_of_itself(folder):
    blobs = Blobs(str(folder / ".stepwell" / "artifacts"))
    made = Workspace(str(folder), str(folder / "runs" / "1"), blobs)
    made.prepare()
    assert not list(Path(made.path).rglob("attempt")) and not (Path(made.path) / "runs" / "1").exists()


def test_links_when_there_are_many_files(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(2100):
        (folder / f"{number}.txt").write_text("x")
    made = Workspace(str(folder), str(tmp_path / "attempt"), Blobs(str(tmp_path / "artifacts")))
    made.prepare()
    entries = list(Path(made.path).iterdir())
    assert len(entries) == 2100 and sum(path.is_symlink() for path in entries) == 1900
    assert made.changed() == {}


def test_hides_a_home_that_lies_in_the_notebooks_folder(tmp_path):
    folder = tmp_path / "project"
    home = folder / "home"
    (home / "runs" / "r1" / "old").mkdir(parents=True)
    (home / "stepwell.db").write_text("x")
    (folder / "data.csv").write_text("1")
    made = Workspace(str(folder), str(home / "runs" / "r2" / "s" / "1" / "workspace"), Blobs(str(home / "artifacts")))
    made.prepare()
    assert sorted(os.listdir(made.path)) == ["data.csv"]
