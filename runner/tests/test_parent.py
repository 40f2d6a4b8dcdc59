"""The warm parent keeps its protocol, and leaves nothing behind however a task or it itself ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import cells
import oracle
import pytest

PATIENCE = 30


class Engine:
    """The other side of the protocol: one parent, and the events of its children."""

    def __init__(self, folder: Path, modules=(), notebook=None):
        self.folder = folder
        self.socket = socket.socket(socket.AF_UNIX)
        address = str(folder / "events.sock")
        self.socket.bind(address)
        self.socket.listen(16)
        self.socket.settimeout(PATIENCE)
        self.log = open(folder / "log", "wb")
        self.parent = subprocess.Popen(
            [sys.executable, "-m", "stepwell.parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={**oracle.environment(), "STEPWELL_EVENTS": address},
        )
        self.say(do="prepare", modules=list(modules), folder=notebook or str(oracle.made(folder / "notebook")))
        self.ready = self.hear("ready")
        self.pids: list[int] = []

    def say(self, **message):
        self.parent.stdin.write(json.dumps(message).encode() + b"\n")
        self.parent.stdin.flush()

    def hear(self, say, key=None):
        for line in self.parent.stdout:
            message = json.loads(line)
            if message["say"] == say and key in (None, message.get("key")):
                return message
        raise AssertionError(f"the parent ended without saying {say}: {(self.folder / 'log').read_text()}")

    def start(self, key, *sources, **changes):
        document = oracle.task(sources, oracle.made(self.folder / key), step=key, **changes)
        self.say(do="start", key=key, task=document)
        started = self.hear("started", key)
        self.pids.append(started["pid"])
        return started

    def events(self):
        """Key and events of the next child that connects."""
        connection, _ = self.socket.accept()
        connection.settimeout(PATIENCE)
        lines = map(json.loads, connection.makefile("rb"))
        return next(lines)["key"], lines

    def result(self, key):
        for _ in range(16):
            found, lines = self.events()
            for event in lines:
                if event["type"] == "result":
                    assert found == key
                    return event["result"]
        raise AssertionError(f"no result of {key}")

    def close(self):
        if self.parent.poll() is None:
            self.parent.stdin.close()
            self.parent.wait(PATIENCE)
        self.parent.stdout.close()
        self.socket.close()
        self.log.close()


@pytest.fixture
def engine(tmp_path):
    made = Engine(tmp_path)
    yield made
    made.close()
    assert gone(*made.pids)


def gone(*pids) -> bool:
    """Whether these processes end soon."""
    until = time.monotonic() + PATIENCE
    while any(alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def alive(pid) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def text(result, cell=0):
    return "".join(output["text"] for output in result["cells"][cell]["outputs"] if output["output_type"] == "stream")


def wait_for(path: Path) -> str:
    until = time.monotonic() + PATIENCE
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < until, f"{path} was not written"
        time.sleep(0.01)
    return path.read_text()


def test_runs_tasks_one_after_the_other(engine):
    assert engine.ready["python"] == sys.version.split()[0]
    for key in ("one", "two"):
        started = engine.start(key, "x = 6 * 7\nprint(x)", "x")
        result = engine.result(key)
        assert result["status"] == "succeeded"
        assert text(result) == "42\n"
        assert result["cells"][1]["outputs"][0]["data"] == {"text/plain": "42"}
        ended = engine.hear("ended", key)
        assert (ended["exit"], ended["signal"], ended["reason"]) == (0, None, None)
        assert ended["peakMemory"] > 1 << 20
        assert gone(started["pid"])


def test_tells_what_happens_in_order(engine):
    engine.start("one", "print('a')", "1 / 0", "print('never')")
    key, lines = engine.events()
    events = list(lines)
    assert key == "one"
    assert {event["token"] for event in events} == {"token"}
    assert [event["type"] for event in events] == [
        "started",
        "inputs-restored",
        "cell-started",
        "output",
        "cell-finished",
        "cell-started",
        "output",
        "cell-finished",
        "result",
    ]
    written = json.loads((engine.folder / "one" / "attempt" / "result.json").read_text())
    assert written == events[-1]["result"]
    assert [cell["status"] for cell in written["cells"]] == ["ok", "error"]


def test_runs_tasks_at_the_same_time(engine):
    """Each waits for the file that the other writes."""
    source = "import os, time\nopen({mine!r}, 'w').close()\nwhile not os.path.exists({other!r}): time.sleep(0.01)"
    paths = [str(engine.folder / name) for name in ("a", "b")]
    engine.start("one", source.format(mine=paths[0], other=paths[1]))
    engine.start("two", source.format(mine=paths[1], other=paths[0]))
    assert {engine.hear("ended")["exit"], engine.hear("ended")["exit"]} == {0}


def test_children_begin_with_nothing_of_the_rehearsal(engine, tmp_path):
    sources = [
        "print(sorted(globals()), In, Out, __name__)",
        "_, __, _i",
        "import linecache, os; [n for n in linecache.cache if 'ipykernel' in n and str(os.getpid()) not in n]",
        "get_ipython().history_manager.input_hist_raw, get_ipython().displayhook._",
    ]
    engine.start("one", *sources)
    result = engine.result("one")
    assert [oracle.even(cell["outputs"]) for cell in result["cells"]] == oracle.ours(sources, oracle.made(tmp_path / "other"))


def test_shows_the_same_when_modules_are_loaded_before(tmp_path):
    modules = ["numpy", "pandas", "matplotlib.pyplot", "matplotlib", "tqdm", "json"]
    for module in modules:
        pytest.importorskip(module.partition(".")[0])
    sources = [source for table in ("libraries", "displays") for sequence in cells.TABLES[table].values() for source in sequence]
    engine = Engine(oracle.made(tmp_path / "engine"), modules)
    try:
        engine.start("one", *oracle.counted(sources))
        result = engine.result("one")
    finally:
        engine.close()
    assert engine.ready["noisy"] == []
    expected = oracle.kernel(sources, tmp_path / "kernel")
    for source, theirs, mine in zip(sources, expected, result["cells"], strict=True):
        if "environ" not in source:
            assert oracle.even(mine["outputs"]) == theirs, source


@pytest.mark.parametrize("number", ["term", "kill"])
def test_stops_a_task_with_all_it_started(engine, number):
    path = engine.folder / "pid"
    started = engine.start("one", f"import subprocess\nsubprocess.run(['sh', '-c', 'echo $$ > {path}; exec sleep 1000'])")
    sleeper = int(wait_for(path))
    engine.say(do="stop", key="one", signal=number)
    ended = engine.hear("ended", "one")
    assert ended["exit"] is None
    assert ended["signal"] == {"term": signal.SIGTERM, "kill": signal.SIGKILL}[number]
    assert gone(started["pid"], sleeper)


def test_ends_what_a_task_leaves_running(engine):
    """In its group, and out of it: a session of its own, as a daemon has."""
    paths = [engine.folder / "group", engine.folder / "session"]
    engine.start(
        "one",
        f"import subprocess\nsubprocess.Popen(['sh', '-c', 'echo $$ > {paths[0]}; exec sleep 1000'])",
        f"subprocess.Popen(['sh', '-c', 'echo $$ > {paths[1]}; exec sleep 1000'], start_new_session=True)",
        f"import os, time\nwhile not all(os.path.exists(p) and open(p).read() for p in {list(map(str, paths))}): time.sleep(0.01)",
    )
    assert engine.hear("ended", "one")["exit"] == 0
    assert gone(*(int(path.read_text()) for path in paths))


def test_ends_a_task_that_takes_too_long(engine):
    engine.start("one", "import time\ntime.sleep(1000)", limits={"timeout": 0.2})
    ended = engine.hear("ended", "one")
    assert (ended["reason"], ended["signal"]) == ("timeout", signal.SIGTERM)
    engine.start("two", "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1000)", limits={"timeout": 0.5})
    ended = engine.hear("ended", "two")
    assert (ended["reason"], ended["signal"]) == ("timeout", signal.SIGKILL)


def test_ends_a_task_that_takes_too_much_memory(engine):
    engine.start("one", "x = bytearray(600 << 20)\nimport time\ntime.sleep(1000)", limits={"memory": 300 << 20})
    ended = engine.hear("ended", "one")
    assert (ended["reason"], ended["signal"]) == ("memory", signal.SIGKILL)
    assert ended["peakMemory"] > 300 << 20
    engine.start("two", "x = bytearray(50 << 20)", limits={"memory": 300 << 20})
    assert engine.hear("ended", "two")["reason"] is None


def test_counts_memory_of_what_a_task_started(engine):
    source = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'x = bytearray(600 << 20); import time; time.sleep(1000)'])"
    engine.start("one", source, limits={"memory": 300 << 20})
    assert engine.hear("ended", "one")["reason"] == "memory"


def test_tells_of_a_task_that_crashes(engine):
    engine.start("one", "import os, signal\nprint('last words', flush=True)\nos.kill(os.getpid(), signal.SIGSEGV)")
    assert engine.hear("ended", "one")["signal"] == signal.SIGSEGV
    engine.start("two", "import os\nos._exit(7)")
    assert engine.hear("ended", "two")["exit"] == 7
    engine.start("three", "print('alive')")
    assert engine.hear("ended", "three")["exit"] == 0


@pytest.mark.parametrize("how", ["input ends", "terminated", "killed"])
def test_everything_ends_with_the_parent(engine, how):
    paths = [engine.folder / "group", engine.folder / "session"]
    started = engine.start(
        "one",
        f"import subprocess\nsubprocess.Popen(['sh', '-c', 'echo $$ > {paths[0]}; exec sleep 1000'])",
        f"subprocess.run(['sh', '-c', 'echo $$ > {paths[1]}; exec sleep 1000'], start_new_session=True)",
    )
    sleepers = [int(wait_for(path)) for path in paths]
    known = [int(pid) for pid in Path(f"/proc/{engine.parent.pid}/task/{engine.parent.pid}/children").read_text().split()]
    assert started["pid"] in known
    if how == "input ends":
        engine.parent.stdin.close()
    else:
        engine.parent.send_signal(signal.SIGTERM if how == "terminated" else signal.SIGKILL)
    engine.parent.wait(PATIENCE)
    assert gone(*sleepers, *known)


def test_survives_a_spare_child_that_dies(engine):
    spares = list(map(int, Path(f"/proc/{engine.parent.pid}/task/{engine.parent.pid}/children").read_text().split()))
    # The first child is the guard.
    for pid in spares[1:]:
        os.kill(pid, signal.SIGKILL)
    assert gone(*spares[1:])
    engine.start("one", "print('here')")
    assert text(engine.result("one")) == "here\n"


def test_names_modules_that_print_when_imported(tmp_path):
    modules = oracle.made(tmp_path / "modules")
    (modules / "loud_module.py").write_text("print('hello')\n")
    (modules / "warning_module.py").write_text("import warnings\nwarnings.warn('careful')\n")
    (modules / "quiet_module.py").write_text("x = 1\n")
    (modules / "broken_module.py").write_text("1 / 0\n")
    notebook = oracle.made(tmp_path / "notebook")
    (notebook / "own_module.py").write_text("print('mine')\n")
    os.environ["STEPWELL_RUNNER"], before = f"{oracle.environment()['PYTHONPATH']}:{modules}", os.environ.get("STEPWELL_RUNNER")
    try:
        engine = Engine(tmp_path, ["quiet_module", "loud_module", "warning_module", "broken_module", "own_module", "no_such_module"])
    finally:
        del os.environ["STEPWELL_RUNNER"]
        if before:
            os.environ["STEPWELL_RUNNER"] = before
    try:
        assert engine.ready["noisy"] == ["loud_module", "warning_module"]
        engine.start(
            "one",
            "import sys\nprint([n for n in ('quiet_module', 'own_module', 'broken_module') if n in sys.modules])",
            "import broken_module",
        )
        result = engine.result("one")
        assert text(result) == "['quiet_module']\n"
        assert result["error"]["ename"] == "ZeroDivisionError"
    finally:
        engine.close()


def test_attempts_carry_their_name(engine):
    engine.start("one", "import os\nprint(os.environ['STEPWELL_ATTEMPT'])\n!echo $STEPWELL_ATTEMPT")
    assert text(engine.result("one")).split() == ["run/one/1", "run/one/1"]
