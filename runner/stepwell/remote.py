"""
A step away from home: fetches what it needs, lets the warm parent (`parent.py`) run it as on any machine, brings the outputs to the store
and commits the result, last. Meanwhile it passes on what the step says.

`STEPWELL_TASK` is the envelope, or its address, or its file: the task document, where the notebook's folder is, and which store.
`STEPWELL_ACCESS` is the permission.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import time

from . import events
from .blobs import Blobs, StorageProblem
from .stores import Gateway, Mailbox, refused
from .transfer import Http, Refused, Replaced, at_once
from .unpacking import unpack

FORMAT = 1
# What a pod's own processes need of its memory besides the step.
RESERVE = 48 << 20
COMPLAINT = 2000
RESULT = b'"type":"result"'


class Remote:
    def __init__(self, voice, work: str, parent: subprocess.Popen, listener: socket.socket):
        self.voice = voice
        self.work = work
        self.parent = parent
        self.listener = listener
        self.http = Http(float(os.environ.get("STEPWELL_PATIENCE", "600")))
        self.blobs = Blobs(os.path.join(work, "artifacts"))
        self.address = ""
        self.stopped = False
        self.complaint = ""

    def end(self) -> dict:
        """Runs everything; returns how it ended, also when it could not."""
        try:
            end = self.run()
        except Replaced:
            end = {"reason": "replaced"}
        except Refused as refusal:
            end = {"reason": "storage", "complaint": str(refused(refusal, self.address))}
        except StorageProblem as problem:
            end = {"reason": "storage", "complaint": str(problem)}
        except Exception as failure:
            end = {"reason": "runner", "complaint": f"{type(failure).__name__}: {failure}"[:COMPLAINT]}
        return {**end, "stopped": True} if self.stopped and not end.get("result") else end

    def run(self) -> dict:
        """Everything; returns the end: `{"result": true}`, or how the step's process ended without one."""
        began = time.perf_counter()
        envelope = self.envelope()
        self.document = envelope["task"]
        self.store = self.open_store(envelope["store"])
        self.fetch(envelope)
        fetched = time.perf_counter() - began
        self.localise()
        self.voice.say(say="fetched", at=events.instant())
        if self.stopped:
            return {}
        self.ask(do="start", key="step", task=self.document)
        end = self.follow()
        result = os.path.join(self.document["attemptFolder"], "result.json")
        if not os.path.exists(result):
            return {**end, "complaint": self.complaint[-COMPLAINT:]}
        self.commit(result, fetched)
        return {"result": True}

    # What comes, and what goes.

    def envelope(self) -> dict:
        text = os.environ.pop("STEPWELL_TASK", "")
        self.access = os.environ.pop("STEPWELL_ACCESS", "")
        if text.startswith(("http://", "https://")):
            self.address = text
            text = self.http.fetch(text, {"Authorization": f"Bearer {self.access}"} if self.access else {}).decode()
        elif not text.startswith("{"):
            with open(text, encoding="utf-8") as file:
                text = file.read()
        envelope = json.loads(text)
        if envelope.get("format") != FORMAT:
            raise StorageProblem("This image's runner is of another version than the service; use the image that belongs to it.")
        return envelope

    def open_store(self, store: dict):
        if store["kind"] == "gateway":
            self.address = store["url"]
            return Gateway(self.http, store["url"], self.access)
        self.address = store["result"]
        return Mailbox(self.http, store, self.voice.say)

    def fetch(self, envelope: dict) -> None:
        """All inputs and the notebook's folder."""
        inputs = self.document["inputs"]
        states = [*inputs["values"].values(), *inputs["channels"].values(), *inputs["files"].values()]
        wanted = {state["digest"]: state["size"] for state in states if state and not state.get("folder")}
        bundle = envelope.get("bundle")
        if bundle:
            wanted[bundle["digest"]] = bundle["size"]
        at_once(lambda item: self.store.fetch(item[0], item[1], self.blobs), wanted.items())
        folder = os.path.join(self.work, "folder", os.path.basename(self.document["folder"]) or "notebook")
        os.makedirs(folder, exist_ok=True)
        if bundle:
            unpack(self.blobs.path(bundle["digest"]), folder)
        self.folder = folder

    def localise(self) -> None:
        """The task document with the places of this machine."""
        attempt = os.path.join(self.work, "attempt")
        limits = dict(self.document["limits"])
        if limits.get("memory"):
            limits["memory"] = max(limits["memory"] - RESERVE, limits["memory"] // 2)
        self.document |= {
            "folder": self.folder,
            "artifacts": self.blobs.folder,
            "attemptFolder": attempt,
            "workspace": os.path.join(attempt, "workspace"),
            "limits": limits,
        }

    def commit(self, path: str, fetched: float) -> None:
        """Outputs first, then the result, which names them."""
        began = time.perf_counter()
        with open(path, "rb") as file:
            result = json.load(file)
        blobs = {value["digest"]: value["size"] for value in result["provided"].values() if "digest" in value and not value.get("folder")}
        self.store.keep([{"digest": digest, "size": size} for digest, size in blobs.items()], self.blobs)
        result["seconds"]["inputs"] = round(result["seconds"]["inputs"] + fetched, 6)
        result["seconds"]["outputs"] = round(result["seconds"]["outputs"] + time.perf_counter() - began, 6)
        self.store.commit(events.line(result))
        self.voice.say(say="result")

    # The parent.

    def ask(self, **message) -> None:
        try:
            self.parent.stdin.write(events.line(message))
            self.parent.stdin.flush()
        except OSError:
            pass

    def stop(self) -> None:
        self.stopped = True
        self.ask(do="stop", key="step", signal="term")

    def follow(self) -> dict:
        """Passes on what the step says until it has written its result, or its process is gone; returns how it ended."""
        end: dict = {}
        held: dict[int, bytearray] = {}
        with selectors.DefaultSelector() as selector:
            for source in (self.listener, self.parent.stdout, self.parent.stderr):
                selector.register(source, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self.listener:
                        selector.register(self.listener.accept()[0], selectors.EVENT_READ)
                        continue
                    data = os.read(key.fd, 1 << 20)
                    if not data:
                        selector.unregister(key.fileobj)
                    if key.fileobj is self.parent.stderr:
                        self.complain(data)
                    elif key.fileobj is not self.parent.stdout:
                        if any(self.heard(line) for line in whole_lines(held.setdefault(key.fd, bytearray()), data)):
                            return end
                    elif not data:
                        return end or {"exit": self.parent.wait(), "signal": None, "reason": "parent"}
                    else:
                        for line in whole_lines(held.setdefault(key.fd, bytearray()), data):
                            message = json.loads(line)
                            if message.get("say") == "ended":
                                end = {name: message[name] for name in ("exit", "signal", "reason", "peakMemory")}
                # What the step has sent before its end is here; what comes from others later is nobody's.
                if end and not selector.select(0):
                    return end

    def complain(self, data: bytes) -> None:
        """What is printed outside of cells: kept in the log, and its end for whoever asks why there is no result."""
        text = data.decode("utf-8", "replace")
        self.complaint = (self.complaint + text)[-COMPLAINT:]
        if text:
            self.voice.say(say="log", text=text)

    def heard(self, line: bytes) -> bool:
        """One line of the step; True when it was its last, the result, which goes another way."""
        if line.startswith(b'{"key"'):
            return False
        if RESULT in line[:200]:
            return True
        self.voice.event(line)
        return False


def whole_lines(held: bytearray, data: bytes) -> list[bytes]:
    """The lines that `data` completes; what is left is held for the next. A result is known by its beginning: it has its own file."""
    held += data
    if b"\n" not in data:
        return [bytes(held)] if RESULT in held[:200] else []
    *whole, rest = bytes(held).split(b"\n")
    held[:] = rest
    return whole
