"""
The service as a child of Jupyter.

It is started with Jupyter, not with the first request, since schedules and unfinished runs do not wait for somebody to look. A pipe to its
input is the tie between them: it closes when Jupyter ends, however Jupyter ends, and then the service goes too. When the service
ends by itself it is started again, each time a little later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable

import aiohttp

from . import folder as folder_
from .log import Lines, tell

STOPPING = "stopping"
DOWN = "internal"
LONGEST_DELAY = 60.0
# Seconds: what lived as long had started well; how long a request waits for a start; how long the service may take to end.
STARTED_WELL = 60.0
PATIENCE = 20.0
GRACE = 15.0


class Unavailable(Exception):
    """There is no service to ask now. `kind` is the type of the problem, the message its sentence."""

    def __init__(self, kind: str, sentence: str):
        super().__init__(sentence)
        self.kind = kind


class Service:
    """One supervised service. Call `start` in the running event loop, and `stop` in the same."""

    def __init__(self, command: Callable[[], list[str]], root: str, log: logging.Logger):
        self.secret = secrets.token_urlsafe(32)
        self._command, self._root, self._log = command, root, log
        self._process: asyncio.subprocess.Process | None = None
        self._ready = asyncio.Event()
        self._stopping = asyncio.Event()
        self._trouble: str | None = None
        self._task: asyncio.Task | None = None
        self._session: aiohttp.ClientSession | None = None

    def start(self) -> None:
        self._folder = folder_.make()
        self._socket = self._folder / "service.sock"
        self._task = asyncio.create_task(self._supervise())

    async def session(self) -> aiohttp.ClientSession:
        """Connections to the service once it is ready. Raises `Unavailable`."""
        if self._trouble is None and not self._stopping.is_set():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ready.wait(), PATIENCE)
        if self._stopping.is_set():
            raise Unavailable(STOPPING, "Jupyter is stopping, and Stepwell's service with it.")
        if not self._ready.is_set():
            raise Unavailable(DOWN, self._trouble or "Stepwell's service takes long to start. Jupyter's log may say why.")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(self._socket), limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            )
        return self._session

    async def busy(self) -> bool:
        """Whether steps run now."""
        try:
            session = await self.session()
            async with session.get("http://localhost/api/v1/targets", headers={"X-Stepwell-Secret": self.secret}) as answer:
                targets = await answer.json()
            return any(target["running"] > 0 for target in targets["items"])
        except (Unavailable, aiohttp.ClientError, OSError, ValueError, KeyError, TypeError):
            return False

    async def stop(self) -> None:
        """Asks the service to end and sees to it that it does."""
        self._stopping.set()
        self._ready.set()
        if self._session is not None:
            await self._session.close()
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), GRACE)
                except asyncio.TimeoutError:
                    self._log.warning("Stepwell's service did not end within %d s of being asked; it is killed.", GRACE)
                    process.kill()
        if self._task is not None:
            await self._task
            folder_.remove(self._folder)

    async def _supervise(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            ending = await self._live()
            self._ready.clear()
            if self._stopping.is_set():
                break
            failures = 0 if time.monotonic() - began > STARTED_WELL else failures + 1
            delay = min(LONGEST_DELAY, 0.5 * 2 ** max(0, failures - 1))
            self._trouble = f"Stepwell's service {ending}. It is started again by itself; Jupyter's log has what it said."
            self._log.error("Stepwell's service %s; it is started again in %g s.", ending, delay)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
        self._ready.set()

    async def _live(self) -> str:
        """One life of the process; returns how it ended."""
        try:
            process = await self._spawn()
        except Exception as error:
            return f"could not be started: {error}"
        self._process = process
        self._log.info("Stepwell's service has started (process %d).", process.pid)
        watching = asyncio.create_task(self._watch(process))
        await self._listen(process)
        code = await process.wait()
        watching.cancel()
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    async def _spawn(self) -> asyncio.subprocess.Process:
        # Kernels are found as Jupyter finds them, from its own Python.
        place = ["--socket", str(self._socket), "--root", self._root, "--python", sys.executable]
        environment = {**os.environ, "STEPWELL_SECRET": self.secret}
        return await asyncio.create_subprocess_exec(
            *self._command(),
            "serve",
            *place,
            "--parent",
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C is Jupyter's to answer.
            start_new_session=True,
        )

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Ready is whoever accepts connections."""
        while process.returncode is None:
            if self._socket.exists() and await asyncio.to_thread(folder_.listened_to, self._socket):
                self._trouble = None
                self._ready.set()
                return
            await asyncio.sleep(0.05)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        lines = Lines(lambda line: tell(self._log, line))
        while data := await process.stdout.read(65536):
            lines.feed(data)
        lines.end()
