"""
Outputs of cells: collected as nbclient collects a kernel's messages, and sent on as events.

`Outputs` is the collector; the publisher (`display`), the displayhook (results) and the quiet comms (widgets) feed it. Rules that
are easy to get wrong are nbclient's: showing something under a display id replaces what earlier cells show under it, and a
clear with `wait` happens when the next output comes.
"""

from __future__ import annotations

import contextvars
import os
import threading
import time

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from traitlets import Any

from .allowance import Allowance, shortened
from .events import Events, instant, plain

# Characters of a stream in one event.
CHUNK = 64 * 1024

# Which cell a piece of code belongs to: asyncio tasks inherit it, threads fall back to the cell that runs.
_origin: contextvars.ContextVar[int] = contextvars.ContextVar("cell")


class Outputs:
    """The outputs of every cell of a task. Nothing is kept between cells, during the prelude, or in a process forked by user code."""

    def __init__(self) -> None:
        self.cells: list[dict] = []
        self._events: Events | None = None
        self._current: dict | None = None
        self._by_id: dict[str, list[dict]] = {}
        self._ids: dict[int, list[str]] = {}
        self._clear_next = False
        self._diverted: list[str] = []
        self._lock = threading.RLock()
        self.allowance = Allowance()
        # Texts of the stream output that is last in the cell, put together when it is whole.
        self._parts: list[str] = []
        self._pid = 0
        self._began = 0.0
        # How often something was shown while nobody listened.
        self.missed = 0
        self._workspace, self._folder = "", ""

    def open(self, events: Events) -> None:
        self._events = events
        self._pid = os.getpid()

    def conceal(self, workspace: str, folder: str) -> None:
        """Show the notebook's folder where code shows the workspace that stands for it."""
        self._workspace, self._folder = workspace, folder

    def _revealed(self, value):
        if isinstance(value, str):
            return value.replace(self._workspace, self._folder) if self._workspace and self._workspace in value else value
        return [self._revealed(each) for each in value] if isinstance(value, list) else value

    def start(self, cell: int, execution_count: int) -> None:
        self._events.send("cell-started", cell=cell, executionCount=execution_count)
        self._began = time.perf_counter()
        self._clear_next = False
        self.allowance.begin()
        self._current = {
            "cell": cell,
            "executionCount": execution_count,
            "outputs": [],
            "started": instant(),
            "seconds": 0.0,
            "status": "ok",
        }
        self.cells.append(self._current)
        _origin.set(len(self.cells))

    def finish(self, status: str) -> None:
        with self._lock:
            if self.allowance.over is not None:
                self.stream(self.allowance.over, self.allowance.note())
            self._settle()
            current, self._current = self._current, None
        current["status"] = status
        current["seconds"] = round(time.perf_counter() - self._began, 6)
        self._events.send("cell-finished", cell=current["cell"], status=status, seconds=current["seconds"])

    @property
    def listening(self) -> bool:
        return self._current is not None and _origin.get(len(self.cells)) == len(self.cells) and os.getpid() == self._pid

    def stream(self, name: str, text: str) -> None:
        with self._lock:
            if not self.listening or self._diverted:
                return
            self._clear_if_due()
            text = self._revealed(text)
            outputs = self._current["outputs"]
            if not (outputs and outputs[-1]["output_type"] == "stream" and outputs[-1]["name"] == name):
                self._settle()
                outputs.append({"output_type": "stream", "name": name, "text": ""})
            self._parts.append(text)
            for at in range(0, len(text), CHUNK):
                part = {"output_type": "stream", "name": name, "text": text[at : at + CHUNK]}
                self._events.send("output", cell=self._current["cell"], output=part)

    def _settle(self) -> None:
        """The last stream output gets its text."""
        if self._parts:
            self._current["outputs"][-1]["text"] += "".join(self._parts)
            self._parts = []

    def show(self, output: dict, display_id: str | None = None) -> None:
        """Add a result, a display or an error to the cell that runs."""
        for part in ("evalue", "traceback"):
            if part in output:
                output[part] = self._revealed(output[part])
        if "data" in output:
            output["data"] = shortened({mime: self._revealed(data) for mime, data in output["data"].items()})
        with self._lock:
            if not self.listening:
                self.missed += 1
                return
            if display_id:
                self.update(display_id, output["data"], output["metadata"])
            if self._diverted:
                return
            self._clear_if_due()
            self._settle()
            if display_id:
                self._by_id.setdefault(display_id, []).append(output)
                self._ids.setdefault(len(self.cells), []).append(display_id)
            self._current["outputs"].append(output)
            named = {"displayId": display_id} if display_id else {}
            self._events.send("output", cell=self._current["cell"], output=output, **named)

    def update(self, display_id: str, data: dict, metadata: dict) -> None:
        """Replace what is shown under a display id, in any cell of this task."""
        with self._lock:
            if not self.listening:
                return
            shown = self._by_id.get(display_id, ())
            for output in shown:
                output["data"], output["metadata"] = data, metadata
            if shown:
                self._events.send("update-display", displayId=display_id, data=data, metadata=metadata)

    def clear(self, wait: bool) -> None:
        with self._lock:
            if not self.listening or self._diverted:
                return
            self._clear_next = wait or self._clear_next
            if not wait:
                self._clear()

    def divert(self, key: str, on: bool) -> None:
        """Outputs inside `with widgets.Output():` belong to the widget, not to the cell."""
        with self._lock:
            if on:
                self._diverted.append(key)
            elif key in self._diverted:
                self._diverted.remove(key)

    def _clear_if_due(self) -> None:
        if self._clear_next:
            self._clear_next = False
            self._clear()

    def _clear(self) -> None:
        outputs = self._current["outputs"]
        for display_id in self._ids.pop(len(self.cells), ()):
            self._by_id[display_id] = [output for output in self._by_id[display_id] if not any(output is mine for mine in outputs)]
        outputs.clear()
        self._parts = []
        self.allowance.begin()
        self._events.send("clear-output", cell=self._current["cell"])


class Hooks:
    """Functions of user code that see a message before it is sent and may change or swallow it; per thread, as in a kernel."""

    def __init__(self) -> None:
        self._local = threading.local()

    @property
    def list(self) -> list:
        if not hasattr(self._local, "hooks"):
            self._local.hooks = []
        return self._local.hooks

    def apply(self, kind: str, content: dict) -> dict | None:
        message: dict | None = {"header": {"msg_type": kind}, "msg_type": kind, "content": content, "metadata": {}}
        for hook in self.list:
            message = hook(message)
            if message is None:
                return None
        return message["content"]


class Publisher(DisplayPublisher):
    """Where `display` goes."""

    outputs = Any()
    streams = Any()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._message_hooks = Hooks()

    def publish(self, data, metadata=None, *, transient=None, update=False, **kwargs):
        self.streams.flush_all()
        metadata = {} if metadata is None else metadata
        self._validate_data(data, metadata)
        content = {"data": data, "metadata": metadata, "transient": {} if transient is None else transient}
        content = self._message_hooks.apply("update_display_data" if update else "display_data", content)
        if content is None:
            return
        data, metadata = plain(content["data"]), plain(content["metadata"])
        display_id = (content.get("transient") or {}).get("display_id")
        if not update:
            self.outputs.show({"output_type": "display_data", "data": data, "metadata": metadata}, display_id)
        elif display_id:
            self.outputs.update(display_id, data, metadata)

    def clear_output(self, wait=False):
        self.streams.flush_all()
        if self._message_hooks.apply("clear_output", {"wait": wait}) is not None:
            self.outputs.clear(wait)

    def register_hook(self, hook):
        self._message_hooks.list.append(hook)

    def unregister_hook(self, hook):
        return _remove(self._message_hooks.list, hook)


class ResultHook(DisplayHook):
    """Where the value of a cell's last expression goes."""

    outputs = Any()
    streams = Any()
    # The result being formatted; an error meanwhile is an error of the cell.
    pending = Any(None, allow_none=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._message_hooks = Hooks()

    def start_displayhook(self):
        self.pending = {"data": {}, "metadata": {}}

    def write_output_prompt(self):
        self.pending["execution_count"] = self.prompt_count

    def write_format_data(self, format_dict, md_dict=None):
        self.pending["data"] = format_dict
        self.pending["metadata"] = {} if md_dict is None else md_dict

    def finish_displayhook(self):
        self.streams.flush_all()
        content, self.pending = self.pending, None
        if content and content["data"]:
            content = self._message_hooks.apply("execute_result", content)
            if content is not None:
                shown = {"data": plain(content["data"]), "metadata": plain(content["metadata"])}
                self.outputs.show({"output_type": "execute_result", **shown, "execution_count": content["execution_count"]})

    def register_hook(self, hook):
        self._message_hooks.list.append(hook)

    def unregister_hook(self, hook):
        return _remove(self._message_hooks.list, hook)


def _remove(hooks: list, hook) -> bool:
    try:
        hooks.remove(hook)
        return True
    except ValueError:
        return False


def quiet_comms(outputs: Outputs) -> None:
    """Let widgets be made and shown with nobody at the other end."""
    try:
        import comm
        from comm.base_comm import BaseComm, CommManager
    except ImportError:
        return

    class QuietComm(BaseComm):
        _is_output = False

        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            state = (data or {}).get("state") or {}
            if state.get("_model_name") == "OutputModel":
                self._is_output = True
            if self._is_output and "msg_id" in state and msg_type == "comm_msg":
                outputs.divert(self.comm_id, bool(state["msg_id"]))

    manager = CommManager()
    comm.create_comm = QuietComm
    comm.get_comm_manager = lambda: manager
