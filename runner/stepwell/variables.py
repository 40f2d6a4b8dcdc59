"""
Which variables of the environment a step asks for. `os.environ` stays the object it is and gets a class that tells; what programs and
libraries in C ask the system for is not seen.
"""

from __future__ import annotations

import collections
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
# Code of `os.environ` itself, whoever calls it.
_DICTIONARIES = ("_collections_abc>", "_collections_abc.py", "<frozen os>", f"{os.sep}os.py")
_libraries = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib")})
_own = os.path.dirname(os.path.abspath(__file__)) + os.sep
_into: set[str] | None = None
# What is about to be copied by a library that starts a program: asking for these, in this order, is not asking.
_copied: collections.deque = collections.deque()


class Telling(os._Environ):
    def __getitem__(self, key):
        if _copied and _copied[0] == key:
            _copied.popleft()
        else:
            _copied.clear()
            _note(key)
        return super().__getitem__(key)

    def __iter__(self):
        keys = list(super().__iter__())
        _copied.clear()
        if _by_notebook(sys._getframe(1)):
            _note("*")
        else:
            _copied.extend(keys)
        return iter(keys)


def _by_notebook(frame) -> bool:
    """Whether code of the notebook, or of a module beside it, goes through the variables: not a library on the way to a program."""
    while frame is not None and frame.f_code.co_filename.endswith(_DICTIONARIES):
        frame = frame.f_back
    file = "" if frame is None else frame.f_code.co_filename
    return bool(file) and not file.startswith(("<frozen", _own, *_libraries)) and not freshness.is_installed(file)


def _note(name) -> None:
    if _into is not None and isinstance(name, str) and not VOLATILE.fullmatch(name):
        _into.add(name)


def tell(into: set[str] | None) -> None:
    """From now on the names of variables that are asked for go `into` the set (`*`: all of them); with None no more."""
    global _into
    _into = into
    if type(os.environ) is os._Environ:
        os.environ.__class__ = Telling
