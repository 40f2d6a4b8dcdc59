"""
cloudpickle: the environment's own or, where people's environment has none, the copy that came with Stepwell (`STEPWELL_PACKAGES`).
So an environment that can run a notebook in Jupyter can run its steps, with nothing to install. The folder is on the path for
this one import only; cells never see it.
"""

from __future__ import annotations

import os
import sys

try:
    import cloudpickle
except ModuleNotFoundError:
    folder = os.environ.get("STEPWELL_PACKAGES")
    if not folder:
        raise
    sys.path.append(folder)
    try:
        import cloudpickle
    finally:
        sys.path.remove(folder)

from cloudpickle import cloudpickle as cp

__all__ = ["cloudpickle", "cp"]
