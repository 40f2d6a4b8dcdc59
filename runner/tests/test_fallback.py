"""Where an environment has no cloudpickle, the copy that came with Stepwell serves, and cells don't see where it came from."""

import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).parents[1]
LOOK = f"import sys; sys.path.insert(0, {str(RUNNER)!r}); import stepwell.fallback as f; print(f.cloudpickle.__file__, sys.path)"


def look(env):
    # -S: without site-packages, so that nothing is installed as far as this process knows.
    return subprocess.run([sys.executable, "-S", "-E", "-c", LOOK], env=env, capture_output=True, text=True, check=False)


def test_serves_its_own_copy(tmp_path):
    package = tmp_path / "cloudpickle"
    package.mkdir()
    (package / "__init__.py").write_text("from . import cloudpickle\n")
    (package / "cloudpickle.py").write_text("")
    done = look({"STEPWELL_PACKAGES": str(tmp_path)})
    assert done.stdout.count(str(tmp_path)) == 1, done.stderr
    assert done.stdout.startswith(str(package))


@pytest.mark.parametrize("env", [{}, {"STEPWELL_PACKAGES": "/nowhere"}])
def test_says_which_package_is_missing(env):
    assert "No module named 'cloudpickle'" in look(env).stderr
