"""A step away from home fetches, runs, brings back and commits; and goes on where a connection, or the service, was cut."""

import hashlib
import http.server
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading

import oracle
import pytest

ACCESS = "the-permission"


class Store(http.server.ThreadingHTTPServer):
    """A gateway in memory. `cuts`: so many answers of blobs break off halfway."""

    daemon_threads = True

    def __init__(self, document, **more):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/a"
        self.blobs: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.result = None
        self.cuts = 0
        self.status = None
        self.part = None
        self.seen: list[str] = []
        self.envelope = {"format": 1, "task": document, "bundle": None, "store": {"kind": "gateway", "url": self.url}, **more}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def put(self, content: bytes) -> dict:
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return {"digest": f"sha256:{digest}", "size": len(content)}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body: bytes, status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.server.cuts > 0 and len(body) > 100_000:
            self.server.cuts -= 1
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self.wfile.write(body)

    def do_GET(self):
        self.server.seen.append(f"GET {self.path} {self.headers.get('Range', '')}".strip())
        if self.headers["Authorization"] != f"Bearer {ACCESS}":
            return self.answer(b"", 401)
        if self.path == "/a/task":
            return self.answer(json.dumps(self.server.envelope).encode())
        blob = self.server.blobs.get(self.path.rpartition("/")[2])
        if blob is None:
            return self.answer(b"", 404)
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        return self.answer(blob[start:], 206 if start else 200)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(f"PUT {self.path}")
        if self.server.status:
            return self.answer(b"", self.server.status)
        if self.path == "/a/result":
            self.server.result = json.loads(body)
        elif "?start=" in self.path:
            name, _, start = self.path.rpartition("/")[2].partition("?start=")
            self.server.parts.setdefault(name, {})[int(start)] = body
        else:
            self.server.blobs[self.path.rpartition("/")[2]] = body
        return self.answer(b"", 200, ETag='"tag"')

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        server.seen.append(f"POST {self.path}")
        if self.path.endswith("/complete"):
            name = self.path.split("/")[-2]
            server.blobs[name] = b"".join(part for _, part in sorted(server.parts[name].items()))
            return self.answer(b"")
        missing = []
        for one in json.loads(body)["blobs"]:
            url = f"{server.url}/blobs/{one['digest'][7:]}"
            if server.part and one["size"] > server.part:
                starts = range(0, one["size"], server.part)
                parts = [{"url": f"{url}?start={start}", "start": start, "size": min(server.part, one["size"] - start)} for start in starts]
                missing.append({**one, "parts": parts, "complete": f"{url}/complete"})
            elif one["digest"][7:] not in server.blobs:
                missing.append({**one, "put": url})
        return self.answer(json.dumps({"missing": missing}).encode())


@pytest.fixture
def place(tmp_path):
    stores = []

    def make(*cells, bundle=None, **changes):
        store = Store(oracle.task(cells, tmp_path, **changes))
        stores.append(store)
        return store

    yield make
    for store in stores:
        store.shutdown()
        store.server_close()


def start(store, folder, **env):
    return subprocess.Popen(
        [sys.executable, "-m", "stepwell.pod"],
        stdout=subprocess.PIPE,
        env={
            **oracle.environment(),
            "STEPWELL_TASK": f"{store.url}/task",
            "STEPWELL_ACCESS": ACCESS,
            "STEPWELL_WORK": str(oracle.made(folder / "work")),
            "STEPWELL_TERMINATION": str(folder / "end"),
            "STEPWELL_PATIENCE": "20",
            **env,
        },
    )


def run(store, folder, **env):
    """What was said, its events, and how it ended."""
    process = start(store, folder, **env)
    lines = process.communicate(timeout=60)[0].decode().splitlines()
    numbered = [line.partition(" ")[::2] for line in lines]
    said = [json.loads(text) for number, text in numbered if number == "0"]
    told = [(int(number), json.loads(text)) for number, text in numbered if number != "0"]
    assert [number for number, _ in told] == list(range(1, len(told) + 1))
    return said, [event for _, event in told], json.loads((folder / "end").read_text()), process.returncode


def test_runs_a_step_and_commits_its_result_last(place, tmp_path):
    store = place("x = list(range(100_000))", "print('hello')", wanted=["x"])
    said, told, end, code = run(store, tmp_path)
    assert (end, code, said[-1]["say"]) == ({"result": True}, 0, "ended")
    assert [event["type"] for event in told if event["type"] == "output"] == ["output"]
    assert store.result["status"] == "succeeded"
    digest = store.result["provided"]["x"]["digest"][7:]
    assert hashlib.sha256(store.blobs[digest]).hexdigest() == digest
    assert store.seen[-1] == "PUT /a/result"


def test_gives_the_step_what_an_earlier_one_left(place, tmp_path):
    first = place("import numpy as np\nx = np.arange(200_000)", wanted=["x"])
    run(first, oracle.made(tmp_path / "1"))
    second = place("print(x.sum())", inputs={"values": {"x": first.result["provided"]["x"]}, "channels": {}, "files": {}})
    second.blobs = first.blobs
    _, told, end, _ = run(second, oracle.made(tmp_path / "2"))
    assert end == {"result": True}
    assert [event["output"]["text"] for event in told if event["type"] == "output"] == ["19999900000\n"]


def test_goes_on_where_a_connection_was_cut(place, tmp_path):
    first = place("x = b'a' * 5_000_000", wanted=["x"])
    run(first, oracle.made(tmp_path / "1"))
    second = place("print(len(x))", inputs={"values": {"x": first.result["provided"]["x"]}, "channels": {}, "files": {}})
    second.blobs, second.cuts = first.blobs, 2
    _, _, end, _ = run(second, oracle.made(tmp_path / "2"))
    assert end == {"result": True}
    ranges = [line for line in second.seen if "bytes=" in line]
    assert ranges and "bytes=0-" not in ranges[0], second.seen


def test_brings_large_outputs_in_parts(place, tmp_path):
    store = place("x = bytes(range(256)) * 10_000", wanted=["x"])
    store.part = 1 << 20
    _, _, end, _ = run(store, tmp_path)
    assert end == {"result": True}
    digest = store.result["provided"]["x"]["digest"][7:]
    assert hashlib.sha256(store.blobs[digest]).hexdigest() == digest
    assert sum("?start=" in line for line in store.seen) == 3


def test_shows_the_step_the_notebooks_folder(place, tmp_path):
    content = oracle.made(tmp_path / "content")
    (content / "data.csv").write_text("a,b\n1,2\n")
    with tarfile.open(tmp_path / "bundle.tar", "w") as tar:
        tar.add(content / "data.csv", "data.csv")
    store = place("print(open('data.csv').read())")
    store.envelope["bundle"] = store.put((tmp_path / "bundle.tar").read_bytes())
    _, told, _, _ = run(store, tmp_path)
    assert [event["output"]["text"] for event in told if event["type"] == "output"] == ["a,b\n1,2\n\n"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("import os\nos._exit(3)", {"exit": 3, "signal": None, "reason": None}),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", {"exit": None, "signal": 9, "reason": None}),
        ("import time\ntime.sleep(60)", {"reason": "timeout"}),
    ],
)
def test_says_how_it_ended_without_a_result(place, tmp_path, cell, expected):
    store = place("print('before')", cell, limits={"timeout": 2} if expected["reason"] == "timeout" else {})
    said, told, end, code = run(store, tmp_path)
    assert code == 1
    assert store.result is None
    assert end.items() >= expected.items()
    assert said[-1].items() >= expected.items()
    assert [event["output"]["text"] for event in told if event["type"] == "output"] == ["before\n"]


def test_is_silent_when_another_attempt_counts(place, tmp_path):
    store = place("x = 1", wanted=["x"])
    store.status = 409
    _, _, end, _ = run(store, tmp_path)
    assert end == {"reason": "replaced"}


@pytest.mark.parametrize("env", [{"STEPWELL_ACCESS": "nothing"}, {"STEPWELL_TASK": "http://127.0.0.1:9/task", "STEPWELL_PATIENCE": "0.3"}])
def test_says_what_keeps_it_from_the_store(place, tmp_path, env):
    _, told, end, code = run(place("1"), tmp_path, **env)
    assert (told, code, end["reason"]) == ([], 1, "storage")
    assert "127.0.0.1" in end["complaint"] and ACCESS not in json.dumps(end)


def test_stops_when_asked(place, tmp_path):
    store = place("print('here', flush=True)\nimport time\ntime.sleep(60)")
    process = start(store, tmp_path)
    for line in process.stdout:
        if b"here" in line:
            break
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    end = json.loads((tmp_path / "end").read_text())
    assert end.get("stopped") or end.get("result")
