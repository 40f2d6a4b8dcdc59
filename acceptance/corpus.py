"""
What the acceptance test runs: notebooks that nobody here wrote, fetched by name from the package index, and the ways of cutting them into steps.

Source distributions of Python packages carry their authors' own notebooks. They are downloaded into a cache folder outside the repository and
verified against the index's digest; nothing of them is ever committed. Only names and versions stand here.

    python acceptance/corpus.py list          the notebooks, after downloading what is missing
    python acceptance/corpus.py environment   make the Python environment that runs them
"""

from __future__ import annotations

import copy
import fnmatch
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("STEPWELL_ACCEPTANCE", "~/.cache/stepwell-acceptance")).expanduser()

# distribution==version -> paths inside it, without its leading folder
DISTRIBUTIONS: dict[str, list[str]] = {
    "kubeflow-kale==2.3.0": [
        "examples/base/candies_sharing.ipynb",
        "examples/iris/*/iris.ipynb",
        "examples/serving/sklearn/iris.ipynb",
        "kale/tests/assets/notebooks/pipeline_parameters_and_metrics.ipynb",
        "examples/composition/*.ipynb",
    ],
    "scikit-survival==0.28.0": ["doc/user_guide/*.ipynb"],
    "imbalanced-learn==0.14.2": ["doc/auto_examples/*/*.ipynb"],
    "nbclient==0.11.0": ["tests/files/*.ipynb"],
    "papermill==2.7.0": ["papermill/tests/notebooks/*.ipynb"],
    "nbval==0.11.0": ["tests/latex-example.ipynb"],
    "seaborn==0.13.2": ["doc/_tutorial/aesthetics.ipynb", "doc/_tutorial/error_bars.ipynb", "doc/_tutorial/properties.ipynb"],
    "statsmodels==0.15.0": [
        f"examples/notebooks/{name}.ipynb" for name in ("count_hurdle", "glm_weights", "ols", "discrete_choice_example")
    ],
    "iminuit==2.33.0": [f"doc/notebooks/{name}.ipynb" for name in ("basic", "template_fits", "scipy_and_constraints")],
    "river==0.26.1": [f"docs/{name}.ipynb" for name in ("recipes/cloning-and-mutating", "recipes/model-evaluation")],
    "mesa==3.3.1": ["docs/tutorials/2_collecting_data.ipynb"],
    "hist==2.12.1": ["docs/user-guide/notebooks/Histogram.ipynb"],
}

# What the notebooks import. Versions are left to the index: the baseline is taken in the same environment.
PACKAGES = [
    *(
        "ipykernel",
        "nbclient",
        "nbformat",
        "ipywidgets",
        "cloudpickle",
        "numpy",
        "pandas",
        "pyarrow",
        "matplotlib",
        "scipy",
        "seaborn",
        "sympy",
    ),
    *(
        "scikit-learn",
        "xgboost-cpu",
        "scikit-survival==0.28.0",
        "imbalanced-learn==0.14.2",
        "statsmodels==0.15.0",
        "iminuit==2.33.0",
        "river==0.26.1",
    ),
    *(
        "numba-stats",
        "jacobi",
        "boost-histogram",
        "hist==2.12.1",
        "mplhep",
        "uncertainties",
        "altair",
        "mesa==3.3.1",
        "networkx",
        "joblib",
        "papermill",
        "skore",
    ),
]


@dataclass(frozen=True)
class Source:
    """One notebook of one distribution, unpacked."""

    distribution: str
    path: Path
    inner: str

    @property
    def name(self) -> str:
        return f"{self.distribution.split('==')[0]}/{self.inner.removesuffix('.ipynb')}"

    def read(self) -> dict:
        return json.loads(self.path.read_text(encoding="utf-8"))


def wanted() -> dict[str, list[str]]:
    """The committed list and, where the file exists, a private one of the same form (`more.json` in the cache folder)."""
    more = CACHE / "more.json"
    return {**DISTRIBUTIONS, **(json.loads(more.read_text()) if more.exists() else {})}


def sources(pattern: str = "*", private: bool = True) -> list[Source]:
    """The notebooks whose name matches, downloading and unpacking their distributions when they are missing."""
    found = []
    for distribution, globs in (wanted() if private else DISTRIBUTIONS).items():
        folder = unpacked(distribution)
        inner = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.ipynb") if p.is_file())
        found += [Source(distribution, folder / p, p) for p in inner if any(fnmatch.fnmatch(p, g) for g in globs)]
    return [s for s in found if fnmatch.fnmatch(s.name, pattern) and is_python(s)]


def is_python(source: Source) -> bool:
    try:
        notebook = source.read()
    except ValueError:
        return False
    language = notebook.get("metadata", {}).get("kernelspec", {}).get("language") or "python"
    return "cells" in notebook and language == "python" and any(c["cell_type"] == "code" for c in notebook["cells"])


def unpacked(distribution: str) -> Path:
    folder = CACHE / "unpacked" / distribution
    if not folder.exists():
        archive = downloaded(distribution)
        temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
        if archive.name.endswith(".zip"):
            zipfile.ZipFile(archive).extractall(temporary)
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(temporary, filter="data")
        (top,) = temporary.iterdir()
        top.rename(folder)
        temporary.rmdir()
    return folder


def downloaded(distribution: str) -> Path:
    """The archive of a source distribution, fetched as pip would find it (its configuration, its index) but never built."""
    # `pip download --no-binary` builds metadata first, which fails where the build needs compilers; pip's finder alone does not.
    folder = CACHE / "archives"
    folder.mkdir(parents=True, exist_ok=True)
    program = """
import hashlib, pathlib, sys
from pip._internal.commands.download import DownloadCommand
command = DownloadCommand("download", "")
options, _ = command.parse_args(["x", "--no-deps", "--no-binary", ":all:"])
name, version = sys.argv[1].split("==")
with command.main_context():
    session = command.get_default_session(options)
    finder = command._build_package_finder(options, session)
    links = [c.link for c in finder.find_all_candidates(name) if str(c.version) == version and not c.link.is_wheel]
    if not links:
        sys.exit(f"no source distribution of {sys.argv[1]} on the index")
    target = pathlib.Path(sys.argv[2]) / links[0].filename
    if not target.exists():
        content = session.get(links[0].url_without_fragment).content
        if not links[0].hash or hashlib.new(links[0].hash_name, content).hexdigest() != links[0].hash:
            sys.exit(f"{links[0].filename} does not have the digest that the index names")
        target.with_suffix(".part").write_bytes(content)
        target.with_suffix(".part").rename(target)
    print(target)
"""
    done = subprocess.run([python(), "-c", program, distribution, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"could not fetch {distribution}: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return Path(done.stdout.strip().splitlines()[-1])


def python() -> str:
    """The interpreter that runs the notebooks, both ways; the environment is made when it is missing."""
    interpreter = CACHE / "env" / "bin" / "python"
    if not interpreter.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(CACHE / "env")], check=True)
        subprocess.run([str(interpreter), "-m", "pip", "install", "-q", *PACKAGES], check=True)
    return str(interpreter)


# ---- cutting a notebook into steps ----

CUTS = ("tagged", "headings", "threes")
KALE = re.compile(
    r"^(block|prev|imports?|functions?|skip|step|image|limit|label|annotation|secret|cache)(:|$)|^pipeline-(parameters|metrics)$"
)


def cuts_of(notebook: dict) -> list[str]:
    """The cuts that make sense: the notebook's own tags if it has any; otherwise headings, where they make two steps, and threes."""
    tags = [t for c in notebook["cells"] for t in c["metadata"].get("tags", [])]
    if any(t.startswith(("block:", "step:")) for t in tags):
        return ["tagged"]
    return [how for how in ("headings", "threes") if steps_in(cut(notebook, how)) > 1] or ["threes"]


def steps_in(notebook: dict) -> int:
    tags = {t for c in notebook["cells"] if c["cell_type"] == "code" for t in c["metadata"].get("tags", [])}
    return sum(t.startswith(("step:", "block:")) for t in tags)


def cut(notebook: dict, how: str) -> dict:
    """A copy whose code cells are tagged `step:s1`, `step:s2`, …: before each second-level heading, or every three code cells."""
    notebook = copy.deepcopy(notebook)
    if how == "tagged":
        return notebook
    step, cells, fresh = 1, 0, True
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and how == "headings" and has_heading(source) and not fresh:
            step, fresh = step + 1, True
        if cell["cell_type"] != "code" or not source.strip():
            continue
        if how == "threes" and cells and cells % 3 == 0:
            step += 1
        cells, fresh = cells + 1, False
        tags = [t for t in cell["metadata"].get("tags", []) if not KALE.match(t)]
        cell["metadata"]["tags"] = tags if "parameters" in tags else [*tags, f"step:s{step}"]
    return notebook


def has_heading(markdown: str) -> bool:
    outside = re.sub(r"```.*?```", "", markdown, flags=re.S)
    return re.search(r"^## ", outside, re.M) is not None


if __name__ == "__main__":
    if sys.argv[1:] == ["environment"]:
        print(python())
    else:
        for source in sources(*sys.argv[2:3]):
            print(source.name, ", ".join(cuts_of(source.read())))
