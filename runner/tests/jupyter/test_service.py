"""The service's life with Jupyter: it begins with it, is brought back when it dies, and never outlives it."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from jupyterprocess import Jupyter, alive, wait_for

from stepwell.jupyter import folder

BACKEND = [sys.executable, str(Path(__file__).with_name("backend.py"))]


@pytest.fixture
def start(tmp_path):
    started = []

    def go(command=BACKEND):
        started.append(Jupyter(tmp_path, command))
        return started[-1]

    yield go
    for server in started:
        server.stop()


def socket_of(server) -> Path:
    return wait_for(lambda: next(iter((server.temporary).glob("stepwell-*/service.sock")), None), lambda: server.log)


def service_of(server) -> int:
    """Found without asking it anything."""
    address = str(socket_of(server))
    return wait_for(lambda: next((one.pid for one in psutil.process_iter() if address in command_line(one)), None), lambda: server.log)


def command_line(process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_starts_with_jupyter_and_not_with_a_request(start):
    assert alive(service_of(start()))


def test_keeps_the_socket_where_only_its_owner_goes(start):
    assert stat.S_IMODE(socket_of(start()).parent.stat().st_mode) == 0o700


def test_tells_the_secret_to_nobody(start):
    server = start()
    secret = server.browser().get(f"{server.base}/x", timeout=20).json()["secret"]
    assert len(secret) > 30
    assert secret not in server.log
    for process in psutil.process_iter():
        assert secret not in " ".join(command_line(process))


def test_goes_with_jupyter_and_leaves_nothing(start):
    server = start()
    service, folder = service_of(server), socket_of(server).parent
    server.stop()
    assert not alive(service)
    assert not folder.exists()


def test_ends_when_jupyter_is_killed(start):
    server = start()
    service = service_of(server)
    server.kill()
    wait_for(lambda: not alive(service), lambda: "the service outlived Jupyter")


@pytest.fixture
def base(monkeypatch):
    """A folder for temporary files whose path is short, as the address of a socket must be."""
    with tempfile.TemporaryDirectory(prefix="base-", dir="/tmp") as place:
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        monkeypatch.setattr(tempfile, "tempdir", place)
        yield Path(place)


def test_clears_away_what_a_killed_jupyter_left(base):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    abandoned, elsewhere, ours = (base / f"stepwell-{pid}-{name}" for pid, name in ((gone.pid, "a"), (gone.pid, "b"), (os.getpid(), "c")))
    for place in (abandoned, elsewhere, ours, base / "precious"):
        place.mkdir()
    link = base / f"stepwell-{gone.pid}-link"
    link.symlink_to(base / "precious")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(abandoned / "service.sock"))
    with socket.socket(socket.AF_UNIX) as used:
        used.bind(str(elsewhere / "service.sock"))
        used.listen()
        made = folder.make()
    assert made.parent == base
    assert not abandoned.exists()
    assert all(place.exists() for place in (elsewhere, ours, link, base / "precious"))


def test_finds_another_place_when_an_address_would_be_too_long(base, monkeypatch):
    long = base / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    made = folder.make()
    made.rmdir()
    assert made.parent == Path("/tmp")


def test_is_started_again_when_it_dies(start):
    server = start()
    browser = server.browser()
    first = browser.get(f"{server.base}/x", timeout=20).json()
    os.kill(first["pid"], signal.SIGKILL)
    wait_for(lambda: "Stepwell's service was ended by SIGKILL; it is started again in 0.5 s." in server.log, lambda: server.log)
    second = wait_for(lambda: answered(browser, server), lambda: server.log)
    assert second["pid"] != first["pid"]
    assert second["secret"] == first["secret"]


def answered(browser, server):
    answer = browser.get(f"{server.base}/x", timeout=30)
    if answer.status_code == 200:
        return answer.json()
    assert answer.status_code == 503
    return None


def test_says_what_is_wrong_when_it_cannot_run(start):
    server = start([sys.executable, "-c", "import sys; print('no room\\x1b[2J'); sys.exit(9)"])
    wait_for(lambda: "ended with exit code 9" in server.log, lambda: server.log)
    answer = server.browser().get(f"{server.base}/api/v1/service", timeout=30)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "internal"
    assert "ended with exit code 9" in answer.json()["detail"]
    assert "stepwell | no room\\x1b[2J" in server.log


def test_lets_jupyter_start_when_there_is_nothing_to_run(start):
    server = start(["/nowhere/node"])
    wait_for(lambda: "could not be started: [Errno 2]" in server.log, lambda: server.log)
    assert server.browser().get(f"{server.base}/x", timeout=30).status_code == 503
