"""What a step used that no step gave it is told, with the stamps from before it could read it."""

import os
import sys

import oracle
import pytest


@pytest.fixture
def sources(tmp_path):
    """Runs cells in a folder with `files`; what the result says of its sources."""

    def sources(*cells, files=None, **changes):
        document = oracle.task(cells, tmp_path, **changes)
        for name, text in (files or {}).items():
            path = os.path.join(document["folder"], name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
        result, _ = oracle.run(document, tmp_path)
        assert result["status"] == "succeeded", result.get("error")
        return {**result["sources"], "folder": document["folder"]}

    return sources


def stamp(path):
    info = os.stat(path)
    return f"{info.st_size}:{info.st_mtime_ns}:{info.st_ctime_ns}:{info.st_ino}"


def test_files_of_the_folder_are_told_with_the_stamps_of_the_originals(sources):
    told = sources("open('a.txt').read(); open('b/c.txt').read()", files={"a.txt": "a", "b/c.txt": "c", "d.txt": "d"})
    assert {name: told["files"][name] for name in ("a.txt", "b/c.txt")} == {
        name: stamp(os.path.join(told["folder"], name)) for name in ("a.txt", "b/c.txt")
    }
    assert "d.txt" not in told["files"]


def test_a_large_file_is_told_too(sources):
    told = sources("len(open('a.bin').read())", files={"a.bin": "a" * (2 << 20)})
    assert told["files"]["a.bin"] == stamp(os.path.join(told["folder"], "a.bin"))


def test_files_elsewhere_are_told_by_their_whole_paths(sources, tmp_path):
    far = tmp_path / "far.txt"
    far.write_text("far")
    told = sources(f"open({str(far)!r}).read()")
    assert told["files"][str(far)] == stamp(far)


def test_what_is_not_there_is_told_as_nothing(sources):
    told = sources("try: open('none.txt')\nexcept OSError: pass")
    assert told["files"]["none.txt"] is None


def test_modules_beside_the_notebook_are_told_also_when_the_prelude_imports_them(sources):
    prelude = [{"names": ["helper"], "kind": "import", "source": "import helper", "cell": 0, "line": 0}]
    told = sources("helper.x", files={"helper.py": "x = 1\n"}, prelude=prelude)
    assert told["files"]["helper.py"] == stamp(os.path.join(told["folder"], "helper.py"))


def test_files_of_packages_and_of_the_task_itself_are_not_told(sources, tmp_path):
    told = sources("import json.tool, numpy\nopen(numpy.__file__).read(); open('own.txt', 'w').write('x'); open('own.txt').read()")
    assert [name for name in told["files"] if "site-packages" in name or name == "own.txt" or name.startswith(str(tmp_path))] == []
    assert told["wrote"] == []


def test_what_it_writes_elsewhere_is_told(sources, tmp_path):
    far = tmp_path / "out.txt"
    told = sources(f"open({str(far)!r}, 'w').write('x'); open({str(far)!r}).read()")
    assert told["wrote"] == [str(far)]
    assert str(far) not in told["files"]


def test_what_it_adds_to_it_has_read_before(sources, tmp_path):
    far = tmp_path / "log.txt"
    far.write_text("before")
    before = stamp(far)
    told = sources(f"open({str(far)!r}, 'a').write('x')")
    assert (told["files"][str(far)], told["wrote"]) == (before, [str(far)])


def test_listed_folders_are_told(sources):
    told = sources("import os, glob\nos.listdir('in'); glob.glob('deep/**/*.txt', recursive=True)", files={"in/a": "", "deep/er/b.txt": ""})
    assert {"in", "deep", "deep/er"} <= set(told["folders"])


@pytest.mark.parametrize("cell", ["import subprocess\nsubprocess.run(['true'])", "import os\nos.system('true')", "!true", "%%bash\ntrue"])
def test_programs_are_told(sources, cell):
    assert len(sources(cell)["programs"]) == 1


def test_variables_that_are_asked_for_are_told(sources):
    told = sources("import os\nos.environ.get('SW_ONE'); os.getenv('SW_TWO'); 'SW_THREE' in os.environ; os.environ['SW_FOUR'] = 'x'")
    assert {"SW_ONE", "SW_TWO", "SW_THREE"} <= set(told["variables"])
    assert "SW_FOUR" not in told["variables"]
    assert "*" not in told["variables"]


def test_looking_through_all_variables_is_told(sources):
    assert "*" in sources("import os\nlen(dict(os.environ))")["variables"]


def test_a_copy_that_a_library_makes_is_not_looking_through_them(sources):
    assert "*" not in sources("import subprocess\nsubprocess.run(['true'], env=None)\nimport numpy")["variables"]


def test_files_that_the_task_names_are_told_unseen(sources):
    told = sources("pass", files={"a.txt": "a"}, looksAt=["a.txt", "none.txt"])
    assert told["files"] == {"a.txt": stamp(os.path.join(told["folder"], "a.txt")), "none.txt": None}


def test_environ_stays_what_it_is(sources):
    sources(
        "import os, copy\nassert type(os.environ).__mro__[1].__name__ == '_Environ'\n"
        "os.environ['SW_X'] = '1'; assert os.environ.copy()['SW_X'] == '1'; del os.environ['SW_X']; assert 'SW_X' not in os.environ"
    )


def test_python_says_where_it_is(tmp_path):
    result, _ = oracle.run(oracle.task(["import numpy"], tmp_path), tmp_path)
    assert result["environment"]["executable"] == sys.executable
    assert "numpy" in result["environment"]["packages"]
    assert any(os.path.exists(os.path.join(folder, "numpy")) for folder in result["environment"]["folders"])


def test_what_forked_workers_read_is_told(sources, tmp_path):
    far = tmp_path / "far.txt"
    far.write_text("far")
    told = sources(
        "import multiprocessing, os\n"
        f"def work(path):\n    os.listdir('in')\n    open({str(tmp_path / 'out.txt')!r}, 'w').write('x')\n    return open(path).read()\n"
        f"with multiprocessing.get_context('fork').Pool(2) as pool:\n    pool.map(work, ['a.txt', {str(far)!r}])",
        files={"a.txt": "a", "in/b.txt": "b"},
    )
    assert told["files"]["a.txt"] == stamp(os.path.join(told["folder"], "a.txt"))
    assert told["files"][str(far)] == stamp(far)
    assert "in" in told["folders"]
    assert told["wrote"] == [str(tmp_path / "out.txt")]
