"""
Stepwell's runner: runs the steps of a notebook's pipeline.

For user code inside a step there is one function, `metric`. `%load_ext stepwell` adds the magic `%stepwell` to a live kernel, and
Jupyter finds its server extension here. Everything else serves `python -m stepwell.task` and `python -m stepwell.parent`, which
import this module first: it loads nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"

_metrics = None


def metric(name: str, value: float, step: int | None = None) -> None:
    """Report a number of this step's run, for example `metric("loss", 0.2, step=epoch)`. Outside a run it does nothing."""
    number = float(value)
    if _metrics is not None:
        _metrics(str(name), number, None if step is None else int(step))


def load_ipython_extension(shell) -> None:
    """`%load_ext stepwell`."""
    from .magics import StepwellMagics

    shell.register_magics(StepwellMagics)


def _jupyter_server_extension_points() -> list[dict]:
    from .jupyter.extension import StepwellExtension

    return [{"module": "stepwell.jupyter.extension", "app": StepwellExtension}]
