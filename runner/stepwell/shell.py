"""
The shell that runs cells: IPython in this process, arranged as a kernel arranges it.

Libraries ask the shell what it is before they decide how to show things, so its class has the name, its instance the attributes,
and the process the settings that a kernel has; and all of it exists before the first import of the notebook.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import getpass
import importlib.util
import io
import linecache
import os
import signal
import sys
import tempfile
import threading
import types
import uuid
import warnings
from subprocess import CalledProcessError

from IPython.core import page
from IPython.core.autocall import ZMQExitAutocall
from IPython.core.error import StdinNotImplementedError, UsageError
from IPython.core.interactiveshell import InteractiveShell, InteractiveShellABC
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.display import Javascript, display
from IPython.utils.process import system
from traitlets import Any, CBool, Instance, Type, default
from traitlets.config import Config

from .compiling import CellCompiler
from .display import Outputs, Publisher, ResultHook, quiet_comms
from .events import plain
from .streams import Streams

INLINE = "module://matplotlib_inline.backend_inline"
# Frames between us and a coroutine.
LOOP = {asyncio.base_events.__file__, asyncio.futures.__file__, asyncio.tasks.__file__}
TOOLKITS = ("inline", "nbagg", "webagg", "notebook", "ipympl", "widget", None)
TOOLKITS += ("qt", "qt5", "qt6", "wx", "tk", "gtk", "gtk3", "osx", "macosx", "asyncio")


class Session:
    """What code finds at `get_ipython().kernel.session`: messages that show something are shown, whatever the socket; nobody hears others."""

    def __init__(self, shell):
        self.shell = shell
        self.session = str(uuid.uuid4())

    def send(self, stream, msg_or_type, content=None, parent=None, **_):
        message = msg_or_type if isinstance(msg_or_type, dict) else {"msg_type": msg_or_type, "content": content}
        kind, content = message["msg_type"], message.get("content") or {}
        outputs = self.shell.outputs
        # As in a kernel, what was printed before is not flushed first.
        named = (content.get("transient") or {}).get("display_id")
        if kind == "stream":
            outputs.stream(content["name"], outputs.allowance.take(content["name"], content["text"]))
        elif kind == "update_display_data":
            outputs.update(named, plain(content["data"]), plain(content.get("metadata") or {}))
        elif kind == "clear_output":
            outputs.clear(bool(content.get("wait")))
        elif kind in ("display_data", "execute_result"):
            count = {"execution_count": content.get("execution_count")} if kind == "execute_result" else {}
            shown = {"output_type": kind, "data": plain(content["data"]), "metadata": plain(content.get("metadata") or {}), **count}
            outputs.show(shown, named)
        return message


class Kernel:
    """What code finds at `get_ipython().kernel`."""

    def __init__(self, shell):
        self.shell = shell
        self.session = Session(shell)
        self.iopub_socket = None
        self.eventloop = None
        self.ident = str(uuid.uuid4())
        self._header = {"header": {"msg_id": self.ident, "msg_type": "execute_request", "session": self.ident}, "metadata": {}}

    def get_parent(self, channel=None):
        return self._header

    @property
    def _parent_header(self):
        return self._header

    @property
    def io_loop(self):
        return asyncio.get_event_loop()

    @property
    def comm_manager(self):
        import comm

        return comm.get_comm_manager()

    def raw_input(self, prompt=""):
        raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")

    def getpass(self, prompt="", stream=None):
        raise StdinNotImplementedError("getpass was called, but this frontend does not support input requests.")


@magics_class
class KernelMagics(Magics):
    """Magics that a kernel has and plain IPython lacks."""

    @line_magic
    def autosave(self, line):
        try:
            interval = int(line)
        except ValueError as error:
            raise UsageError(f"%autosave requires an integer, got {line!r}") from error
        display(Javascript(f"IPython.notebook.set_autosave_interval({1000 * interval})"), include=["application/javascript"])
        print(f"Autosaving every {interval} seconds" if interval else "Autosave disabled")


class ZMQInteractiveShell(InteractiveShell):
    """Named as the kernel's shell is: this name is what libraries look for."""

    displayhook_class = Type(ResultHook)
    display_pub_class = Type(Publisher)
    kernel = Any()
    readline_use = CBool(False)
    autoindent = CBool(False)
    exiter = Instance(ZMQExitAutocall)
    keepkernel_on_exit = None

    def __init__(self, *args, **kwargs):
        self._last_traceback = None
        self._failed_while_displaying = False
        super().__init__(*args, **kwargs)
        warnings.filterwarnings("ignore", message=".*Trio's signal handling code might have collided.*", category=RuntimeWarning)

    @default("exiter")
    def _default_exiter(self):
        return ZMQExitAutocall(self)

    def init_environment(self):
        os.environ.update(TERM="xterm-color", CLICOLOR="1", FORCE_COLOR="1", CLICOLOR_FORCE="1", PAGER="cat", GIT_PAGER="cat")

    def init_virtualenv(self):
        """A kernel runs in the environment it is installed in."""

    def init_hooks(self):
        super().init_hooks()
        self.set_hook("show_in_pager", page.as_hook(self._page), 99)

    @property
    def parent_header(self):
        return self.kernel.get_parent()

    def _page(self, text, start=0, screen_lines=0, pager_cmd=None):
        """Pages belong to a front end that opens them beside the notebook."""

    def init_magics(self):
        super().init_magics()
        self.register_magics(KernelMagics)

    def enable_gui(self, gui=None):
        if gui not in TOOLKITS:
            raise UsageError(f"Invalid GUI request {gui!r}, valid ones are:{dict.fromkeys(TOOLKITS).keys()}")
        self.active_eventloop = gui

    def ask_exit(self):
        self.exit_now = True

    def set_next_input(self, text, replace=False):
        """Only a front end has a next cell."""

    def run_cell(self, *args, **kwargs):
        self._last_traceback = None
        self._failed_while_displaying = False
        return super().run_cell(*args, **kwargs)

    def _tee(self, channel):
        """IPython would keep a second copy of all that is printed, for `%notebook`; without end, where somebody prints without end."""
        return contextlib.nullcontext()

    def _showtraceback(self, etype, evalue, stb):
        self.streams.flush_all()
        if self.displayhook.pending is not None:
            self._failed_while_displaying = True
        shown = {"output_type": "error", "ename": str(etype.__name__), "evalue": str(evalue), "traceback": list(stb)}
        self.displayhook.outputs.show(shown)
        self._last_traceback = shown

    def system_piped(self, cmd):
        if cmd.rstrip().endswith("&"):
            raise OSError("Background processes not supported.")
        exit_code = system(self.var_expand(cmd, depth=1))
        self.user_ns["_exit_code"] = exit_code
        if getattr(self, "system_raise_on_error", False) and exit_code != 0:
            raise CalledProcessError(exit_code, cmd)

    system = system_piped


InteractiveShellABC.register(ZMQInteractiveShell)


def make_shell() -> ZMQInteractiveShell:
    """Make this process look like a kernel that is about to run its first cell. Nothing is caught or sent before `attach`."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    # tqdm asks for this section of the configuration.
    config.IPKernelApp.connection_file = f"kernel-{uuid.uuid4()}.json"
    os.environ["MPLBACKEND"] = os.environ.get("MPLBACKEND") or INLINE
    os.environ.setdefault("JPY_PARENT_PID", str(os.getppid()))
    os.environ.setdefault("PYDEVD_USE_FRAME_EVAL", "NO")
    streams = Streams()
    sys.stdout, sys.stderr = streams.stdout, streams.stderr
    try:
        shell = ZMQInteractiveShell.instance(config=config, compiler_class=CellCompiler)
    except OSError:
        # No home to keep a profile in.
        os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="ipython-")
        ZMQInteractiveShell.clear_instance()
        shell = ZMQInteractiveShell.instance(config=config, compiler_class=CellCompiler)
    shell.kernel = Kernel(shell)
    outputs = Outputs()
    for part in (shell.display_pub, shell.displayhook):
        part.outputs, part.streams = outputs, streams
    shell.outputs, shell.streams = outputs, streams
    quiet_comms(outputs)
    builtins.input, getpass.getpass = shell.kernel.raw_input, shell.kernel.getpass
    sys.argv = [
        os.path.join(tempfile.gettempdir(), "ipykernel_launcher.py"),
        "-f",
        config.IPKernelApp.connection_file,
        "--HistoryManager.hist_file=:memory:",
    ]
    _arrange_path()
    _promise_modules()
    return shell


def _arrange_path() -> None:
    """As in a kernel the working directory comes after the standard library and before what is installed."""
    if sys.path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]
    if "" not in sys.path:
        installed = (index for index, path in enumerate(sys.path) if os.path.basename(path) in ("site-packages", "dist-packages"))
        sys.path.insert(next(installed, len(sys.path)), "")


def _promise_modules() -> None:
    """
    Code asks whether `ipykernel` is in `sys.modules`, and whether the shell is an instance of its shell's class. The package itself
    is loaded only when somebody looks inside.
    """
    if "ipykernel" in sys.modules:
        return
    spec = importlib.util.find_spec("ipykernel")
    if spec is None or spec.loader is None:
        package = types.ModuleType("ipykernel")
        package.__path__ = []
    else:
        spec.loader = importlib.util.LazyLoader(spec.loader)
        package = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(package)
    module = types.ModuleType("ipykernel.zmqshell")
    module.ZMQInteractiveShell = ZMQInteractiveShell
    ZMQInteractiveShell.__module__ = module.__name__
    package.zmqshell = module
    sys.modules.update({"ipykernel": package, module.__name__: module})


REHEARSAL = ("x = 1\n%time\nprint(x, end='')", "x + 1", "def f():\n    return 1\n{'a': [f()]}", "import asyncio\nawait asyncio.sleep(0)")


def rehearse(shell: ZMQInteractiveShell, loop: asyncio.AbstractEventLoop, enough=lambda: False) -> None:
    """
    Run a few cells that nobody sees, until `enough()`, and forget them. The warm parent does so once: what Python and IPython
    load and compile on first use is there before the first real cell. A child that waits does so again: memory it shares with the
    parent becomes its own when it is written to, and that takes longer than the work of a small cell. Must come before `attach`.
    """
    history, hook = shell.history_manager, shell.displayhook
    namespace, hidden, missed = dict(shell.user_ns), dict(shell.user_ns_hidden), shell.outputs.missed
    out, err = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = io.StringIO()
    try:
        for count, source in enumerate(REHEARSAL, 1):
            if enough():
                break
            loop.run_until_complete(run_cell(shell, source, count))
    finally:
        sys.stdout, sys.stderr = out, err
    for name in shell.compile._filename_map:
        linecache.cache.pop(name, None)
    shell.compile._filename_map.clear()
    history.input_hist_parsed[:], history.input_hist_raw[:] = [""], [""]
    for kept in (history.output_hist, history.output_hist_reprs, getattr(history, "outputs", {})):
        kept.clear()
    history._i = history._ii = history._iii = history._i00 = ""
    hook._ = hook.__ = hook.___ = ""
    for live, before in ((shell.user_ns, namespace), (shell.user_ns_hidden, hidden)):
        live.clear()
        live.update(before)
    shell.execution_count = 1
    shell._last_traceback = None
    shell.outputs.missed = missed


def attach(shell: ZMQInteractiveShell, events) -> None:
    """Catch what this process prints and send it as events. Call once, in the process that runs the cells."""
    shell.outputs.open(events)
    shell.streams.open(shell.outputs.stream, shell.outputs.allowance)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


async def run_cell(shell: ZMQInteractiveShell, source: str, execution_count: int):
    """
    Run one cell as a kernel does: inside a running event loop, awaiting only cells that await. Returns the exception that ended
    it, or None.
    """
    shell.execution_count = execution_count
    history = shell.history_manager
    for inputs in (history.input_hist_parsed, history.input_hist_raw):
        inputs.extend([""] * (execution_count - len(inputs)))
    prepared = {}
    try:
        prepared["transformed_cell"], prepared["preprocessing_exc_tuple"] = shell.transform_cell(source), None
    except Exception:
        prepared["transformed_cell"], prepared["preprocessing_exc_tuple"] = source, sys.exc_info()
    if shell.should_run_async(source, **prepared):
        shell._last_traceback = None
        shell._failed_while_displaying = False
        result = None
        try:
            result = await asyncio.ensure_future(shell.run_cell_async(source, store_history=True, silent=False, **prepared))
        finally:
            shell.events.trigger("post_execute")
            shell.events.trigger("post_run_cell", result)
    else:
        result = shell.run_cell(source, store_history=True, silent=False)
    shell.payload_manager.clear_payload()
    error = result.error_before_exec if result.error_before_exec is not None else result.error_in_exec
    if error is None and shell._failed_while_displaying:
        shown = shell._last_traceback
        error = DisplayFailed(shown["ename"], shown["evalue"])
    return error


def show_error(shell: ZMQInteractiveShell, error: BaseException) -> dict | None:
    """The error output for an exception that no cell raised, without the frames of this package that called the code."""
    trace = error.__traceback__
    own = os.path.dirname(__file__)
    while trace is not None and (trace.tb_frame.f_code.co_filename.startswith(own) or trace.tb_frame.f_code.co_filename in LOOP):
        trace = trace.tb_next
    shell.showtraceback((type(error), error, trace), tb_offset=0)
    return shell._last_traceback


class DisplayFailed(Exception):
    """A result whose representation raised: the cell failed, though its code did not."""

    def __init__(self, ename: str, evalue: str):
        super().__init__(evalue)
        self.ename = ename
