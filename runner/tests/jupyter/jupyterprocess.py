"""A real Jupyter server in a process of its own, with nothing of this machine's settings, and a browser that has logged in."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

RUNNER = Path(__file__).parents[2]
TOKEN = "a-token-of-tests"


class Jupyter:
    """`base` is the address of `<base_url>stepwell`, `log` what the server said so far."""

    def __init__(self, folder: Path, command: list[str] | None, base_url: str = "/", *options: str):
        self.folder, self.notebooks = folder, folder / "notebooks"
        self.notebooks.mkdir()
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.jupyter = f"http://{self.host}{base_url}"
        self.base = f"{self.jupyter}stepwell"
        self._log_file = folder / "jupyter.log"
        config = {
            "ServerApp": {
                "jpserver_extensions": {"stepwell": True},
                "base_url": base_url,
                "port": self.port,
                "port_retries": 0,
                "ip": "127.0.0.1",
                "open_browser": False,
                "root_dir": str(self.notebooks),
                "allow_root": os.getuid() == 0,
            },
            "IdentityProvider": {"token": TOKEN},
            **({"StepwellExtension": {"command": command}} if command else {}),
        }
        (folder / "config.json").write_text(json.dumps(config))
        # The address of a socket must be short.
        self.temporary = Path(tempfile.mkdtemp(prefix="jupyter-", dir="/tmp"))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "STEPWELL", "XDG_RUNTIME"))},
            "HOME": str(folder),
            "STEPWELL_HOME": str(folder / "home"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_NO_CONFIG": "1",
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(RUNNER),
        }
        self.environment = environment
        with self._log_file.open("wb") as log:
            arguments = [sys.executable, "-m", "jupyter_server", f"--config={folder / 'config.json'}", *options]
            self.process = subprocess.Popen(arguments, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self._answers, self._read)

    @property
    def log(self) -> str:
        return self._read()

    def _read(self) -> str:
        return self._log_file.read_text(errors="replace")

    def browser(self) -> requests.Session:
        """Logged in by the cookie; sends no XSRF token unless asked."""
        session = requests.Session()
        assert session.get(f"{self.jupyter}login?token={TOKEN}", allow_redirects=True, timeout=20).status_code < 400
        assert any("username" in name for name in session.cookies.keys()), session.cookies
        return session

    def xsrf(self, browser: requests.Session) -> dict[str, str]:
        return {"X-XSRFToken": browser.cookies.get("_xsrf")}

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"Jupyter did not stop:\n{self.log}")
        shutil.rmtree(self.temporary, ignore_errors=True)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"Jupyter ended at once:\n{self.log}")
        try:
            return requests.get(f"{self.jupyter}api", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, otherwise, seconds: float = 40):
    """Returns what the condition gives as soon as it holds; `otherwise()` says what there is instead."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(otherwise())


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not asked for its code yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False
