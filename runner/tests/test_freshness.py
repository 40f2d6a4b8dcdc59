"""What a warm parent says could overtake it."""

import os
import sys

from stepwell import freshness


def test_names_the_folders_of_packages_with_their_times():
    folders = freshness.folders()
    assert folders
    for path, time in folders.items():
        assert path.endswith(("site-packages", "dist-packages"))
        assert time == str(os.stat(path).st_mtime_ns)


def test_names_loaded_modules_that_no_package_manager_looks_after(tmp_path, monkeypatch):
    file = tmp_path / "a_tool.py"
    file.write_text("value = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import a_tool

    try:
        loose = freshness.loose()
        assert loose[a_tool.__file__] == str(file.stat().st_mtime_ns)
        assert os.__file__ not in loose
        assert freshness.__file__ not in loose
    finally:
        del sys.modules["a_tool"]
    assert str(file) not in freshness.loose()


def test_leaves_out_what_is_gone():
    assert freshness.times(["/no/such/folder"]) == {}
