"""
The flow of one task: restore, run, save, tell.

`python -m stepwell.task TASK.json` runs one task document in this process and exits; a child of the warm parent calls `run` with the
shell it was born with. Whatever happens, `result.json` is written, last and atomically; only a killed process leaves none.
"""

from __future__ import annotations

import asyncio
import atexit
import errno
import json
import math
import os
import re
import sys
import threading
import time
import traceback

import stepwell

from . import blobs as blobs_
from . import channels as channels_
from . import compiling, environment, errors, limits, values
from .events import Events, line, start_time
from .shell import attach, run_cell, show_error
from .shell import rehearse as rehearse_cells
from .workspace import Workspace

FORMAT = 1
DUNDER = re.compile(r"__\w+__")
# Channels that decide what is found and imported, and so come before the first import.
PLACE = ("@environ", "@cwd", "@path")


class Task:
    """One task document being run. `run` goes through its parts in order; each part fills in what the result will say."""

    def __init__(self, document: dict, shell, events: Events, began: float):
        self.document = document
        self.shell = shell
        self.events = events
        self.blobs = blobs_.Blobs(document["artifacts"])
        self.workspace = Workspace(document["folder"], document["workspace"], self.blobs)
        self.metrics: list[dict] = []
        self.seconds = {"start": 0.0, "inputs": 0.0, "user": 0.0, "outputs": 0.0}
        self._since = began

    def run(self, loop: asyncio.AbstractEventLoop) -> dict:
        """Run everything; returns the result, which has been written and sent."""
        self.events.send("started", pid=os.getpid(), startTime=start_time())
        found: dict = {"provided": {}, "used": [], "defined": []}
        error = None
        try:
            self._prepare()
            self._lap("start")
            found, error = loop.run_until_complete(self._steps(found))
        except errors.TaskFailure as failure:
            error = failure.error
        except Exception as failure:
            error = self._crash(failure)
        return self._tell(found, error)

    async def _steps(self, found: dict) -> tuple[dict, dict | None]:
        """From prelude to saving, as one asyncio task: print options of NumPy and the context of decimal live in a task's context."""
        # Modules that load now find `get_ipython`, as they would in a cell.
        with self.shell.builtin_trap:
            error = await self._prelude()
            if error is None:
                self._restore()
        if error is None:
            self._lap("inputs")
            self.events.send("inputs-restored", seconds=self.seconds["inputs"])
            error = await self._cells(self.document["cells"])
            self._lap("user")
        if error is None:
            with self.shell.builtin_trap:
                found = self._save()
            self._lap("outputs")
        return found, error

    def _prepare(self) -> None:
        """Where the step runs, before any code of the notebook."""
        document = self.document
        os.environ.update(document["env"])
        self.workspace.prepare()
        self.workspace.add(document["inputs"]["files"])
        self.workspace.add_parents(
            [cell["source"] for cell in (*document["cells"], *document["prelude"], *document.get("sharedCells", ()))]
        )
        os.chdir(self.workspace.path)
        self.shell.outputs.conceal(self.workspace.path, document["folder"])
        place = {name: state for name, state in document["inputs"]["channels"].items() if name in PLACE}
        channels_.restore(place, self.blobs, self.shell, self.workspace, False)

    async def _prelude(self) -> dict | None:
        """What exists before the step: definitions that travelled here or, in the first step, the shared cells themselves."""
        document, namespace = self.document, self.shell.user_ns
        namespace.update(document["parameters"])
        cells = {cell["cell"]: cell for cell in (*document.get("sources", ()), *document["cells"])}
        for definition in document["prelude"]:
            await self._define(definition, cells)
        self._forget_shown()
        shared = document.get("sharedCells")
        if shared:
            error = await self._cells(shared)
            namespace.update(document["parameters"])
            return error
        return None

    def _forget_shown(self) -> None:
        """What the prelude prints and plots was shown once, in the step it comes from."""
        self.shell.streams.discard()
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            pyplot.close("all")

    def _restore(self) -> None:
        """All channels, then values; what exists then is what the step starts from."""
        document, namespace = self.document, self.shell.user_ns
        self.channels = channels_.restore(document["inputs"]["channels"], self.blobs, self.shell, self.workspace, document["freshRandom"])
        try:
            self.loaded = values.load(self.blobs, document["inputs"]["values"], namespace, set(document["definitions"]), document["wanted"])
        except values.CannotLoad as failure:
            message = f"'{failure.name}' could not be given to step '{document['step']}': {failure.reason}."
            kind = "lost-value" if failure.missing is None else "missing-name"
            raise errors.TaskFailure(kind, message, name=failure.missing or failure.name) from failure
        self.before = {name: id(value) for name, value in namespace.items()}
        self.workspace.watch()
        self.channels.begin()

    async def _define(self, definition: dict, cells: dict) -> None:
        try:
            awaited = eval(compiling.compile_definition(self.shell, definition, cells), self.shell.user_ns)
            if asyncio.iscoroutine(awaited):
                await awaited
        except (Exception, SystemExit) as failure:
            shown = show_error(self.shell, failure)
            source = cells.get(definition["cell"], definition)["source"]
            raise errors.TaskFailure(**errors.of_definition(failure, definition, source, self.shell.user_ns, shown)) from failure

    async def _cells(self, cells: list[dict]) -> dict | None:
        """Run cells in order; returns the error that ended them."""
        shell, outputs = self.shell, self.shell.outputs
        stepwell._metrics = self._metric
        for index, cell in enumerate(cells):
            outputs.start(cell["cell"], cell["executionCount"])
            error = None
            try:
                if cell["source"].strip():
                    error = await run_cell(shell, cell["source"], cell["executionCount"])
            finally:
                shell.streams.flush_all()
                outputs.finish("ok" if error is None else "error")
            if error is not None and not cell.get("mayRaise"):
                return errors.of_cell(error, cell["cell"], cell["source"], shell.user_ns, shell._last_traceback)
            if shell.exit_now and any(later["source"].strip() for later in cells[index + 1 :]):
                message = f"{errors.place(cell['cell'])} ended the notebook with exit(), so the cells below it did not run."
                return {"kind": "user", "message": message, "cell": cell["cell"]}
            # Tasks that a cell left behind go on between cells.
            await asyncio.sleep(0)
        return None

    def _metric(self, name: str, value: float, step: int | None) -> None:
        if math.isfinite(value):
            metric = {"name": name, "value": value, **({} if step is None else {"step": step})}
            self.metrics.append(metric)
            self.events.send("metric", **metric)

    def _save(self) -> dict:
        document, namespace = self.document, self.shell.user_ns
        self.channels.end()
        for name in document["metrics"]:
            try:
                self._metric(name, float(namespace[name]), None)
            except (KeyError, TypeError, ValueError):
                continue
        defined = [name for name, value in namespace.items() if not self._is_ours(name, value)]
        wanted = document["wanted"]
        if "*" in wanted:
            wanted = defined
        provided = {
            **values.save(self.blobs, self.loaded, namespace, self.before, wanted, set(document["definitions"])),
            **self.channels.changed(self.blobs),
            **self.workspace.changed(),
        }
        # Shared cells run in every step; what they show depends on nothing above.
        shown = self.shell.outputs.cells[len(document.get("sharedCells", ())) :]
        self.channels.displayed = any(cell["outputs"] for cell in shown)
        used = sorted({*self.channels.used(), *self.workspace.used()})
        return {"provided": provided, "used": used, "defined": sorted(defined)}

    def _is_ours(self, name: str, value) -> bool:
        """Names that IPython keeps in the namespace for its own purposes, unless the user has taken them over."""
        hidden, hook = self.shell.user_ns_hidden, self.shell.displayhook
        if name in ("_", "__", "___"):
            return value is getattr(hook, name) or (isinstance(value, str) and value == "")
        return bool(DUNDER.fullmatch(name)) or (name in hidden and hidden[name] is value)

    def _lap(self, part: str) -> None:
        now = time.perf_counter()
        self.seconds[part] = round(now - self._since, 6)
        self._since = now

    def _crash(self, failure: Exception) -> dict:
        """Our own failure, or the machine's: a sentence for the user, the details for the log."""
        os.write(self.shell.streams.original["stderr"], traceback.format_exc().encode("utf-8", "replace"))
        if isinstance(failure, MemoryError):
            return {
                "kind": "out-of-memory",
                "message": f"Step '{self.document['step']}' ran out of memory while its values were handed over.",
            }
        if isinstance(failure, blobs_.StorageProblem):
            return {"kind": "storage", "message": str(failure)}
        if isinstance(failure, OSError):
            what = (
                "the disk is full" if failure.errno == errno.ENOSPC else f"{failure.strerror or failure} ({failure.filename or 'no file'})"
            )
            return {"kind": "storage", "message": f"Step '{self.document['step']}' could not read or write its files: {what}."}
        return {
            "kind": "platform",
            "message": f"Step '{self.document['step']}' failed inside Stepwell: {type(failure).__name__}: {failure}",
        }

    def _tell(self, found: dict, error: dict | None) -> dict:
        document = self.document
        result = {
            "format": FORMAT,
            **{key: document[key] for key in ("run", "step", "attempt", "token")},
            "status": "succeeded" if error is None else "failed",
            **found,
            "cells": self.shell.outputs.cells,
            "metrics": self.metrics,
            **({} if error is None else {"error": error}),
            "seconds": self.seconds,
            "peakMemory": limits.peak_memory(),
            "cpuSeconds": round(limits.cpu_seconds(), 6),
            "environment": environment.loaded(),
        }
        self.result_file = os.path.join(document["attemptFolder"], "result.json")
        try:
            os.makedirs(document["attemptFolder"], exist_ok=True)
            with open(f"{self.result_file}.{os.getpid()}.tmp", "wb") as file:
                file.write(line(result))
            os.rename(file.name, self.result_file)
        except OSError as failure:
            result.update(status="failed", error=self._crash(failure))
        self.events.send("result", result=result)
        return result

    def sync(self) -> None:
        """Bring to the disk what the task wrote. After the result was told: nobody who waits for that waits for the disk."""
        self.blobs.sync()
        try:
            with open(self.result_file, "rb") as file:
                os.fsync(file.fileno())
        except OSError:
            pass


def run(document: dict, shell, fd: int | None, loop: asyncio.AbstractEventLoop, began: float) -> dict:
    """Run a task document; events go to `fd`. Returns the result after everything it names is on the disk."""
    events = Events(fd, document["token"])
    attach(shell, events)
    task = Task(document, shell, events, began)
    result = task.run(loop)
    task.sync()
    return result


def rehearse(shell, loop: asyncio.AbstractEventLoop, enough=lambda: False) -> None:
    """Do what every task does, without effect, in a process that waits for one; see `shell.rehearse`."""
    rehearse_cells(shell, loop, enough)
    start = {"environ": {}, "path": [], "warnings": []}
    for kind in channels_.KINDS:
        if enough():
            return
        try:
            kind(shell, os.getcwd(), start).read()
        except Exception:  # it will say so when it matters
            continue
    environment.loaded()
    limits.peak_memory()


def leave(code: int) -> None:
    """End the process: what user code asked to be done at exit is done, but not for long, and threads are not waited for."""
    watchdog = threading.Timer(2.0, os._exit, (code,))
    watchdog.daemon = True
    try:
        watchdog.start()
        for function in reversed(getattr(threading, "_threading_atexits", [])):
            function()
        atexit._run_exitfuncs()
    finally:
        os._exit(code)


def main() -> None:
    began = time.perf_counter()
    if len(sys.argv) != 2:
        print("usage: python -m stepwell.task TASK.json", file=sys.stderr)
        raise SystemExit(2)
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    from .shell import make_shell

    events = os.dup(1)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    os.environ["STEPWELL_ATTEMPT"] = f"{document['run']}/{document['step']}/{document['attempt']}"
    os.environ.update(document["env"])
    if document["limits"].get("memory"):
        limits.hard_stop(document["limits"]["memory"])
    # What is printed outside of cells belongs to the log, not among the events.
    os.dup2(2, 1)
    result = run(document, make_shell(), events, loop, began)
    leave(0 if result["status"] == "succeeded" else 1)


if __name__ == "__main__":
    from stepwell.task import main

    main()
