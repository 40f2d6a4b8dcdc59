"""
Which variables of the environment a step asks for. `os.environ` stays the object it is and gets a class that tells; what programs and
libraries in C ask the system for is not seen.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig

from . import freshness

# They differ from terminal to terminal, or are Stepwell's and IPython's own.
VOLATILE = re.compile(
    r"(STEPWELL_.*|_|PWD|OLDPWD|SHLVL|LINES|COLUMNS|TERM.*|COLORTERM|WINDOWID|SSH_.*|XDG_SESSION_.*|DBUS_.*|JPY_.*|JUPYTER_.*"
    r"|PYDEVD_.*|PYTHONPATH|PYTHONDONTWRITEBYTECODE|CLICOLOR.*|FORCE_COLOR|NO_COLOR|PAGER|IPYTHONDIR|KMP_DUPLICATE_LIB_OK|KMP_INIT_AT_FORK)"
)
_libraries = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib")})
_into: set[str] | None = None


class Telling(os._Environ):
    def __getitem__(self, key):
        _note(key)
        return super().__getitem__(key)

    def __iter__(self):
        # A library that starts a program hands it all of them; the notebook's own code looks through them.
        file = sys._getframe(1).f_code.co_filename
        if not file.startswith(("<frozen", *_libraries)) and not freshness.is_installed(file):
            _note("*")
        return super().__iter__()


def _note(name) -> None:
    if _into is not None and isinstance(name, str) and not VOLATILE.fullmatch(name):
        _into.add(name)


def tell(into: set[str] | None) -> None:
    """From now on the names of variables that are asked for go `into` the set (`*`: all of them); with None no more."""
    global _into
    _into = into
    if type(os.environ) is os._Environ:
        os.environ.__class__ = Telling
