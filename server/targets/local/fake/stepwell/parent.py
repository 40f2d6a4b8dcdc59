"""
A warm parent for specs that does what it is told, also what the real one never does. A task's first cell holds a JSON list of
actions. `say` writes to the engine, `raw` and `send` write to the attempt's socket, `close` closes it. `FAKE` in the environment makes it fail.
"""

import json
import os
import socket
import sys
import threading
import time

lock = threading.Lock()


def say(text):
    with lock:
        sys.stdout.write(text)
        sys.stdout.flush()


def run(key, task):
    connection = None
    for action, *values in json.loads(task["cells"][0]["source"]):
        value = values[0] if values else None
        if action in ("raw", "send", "connect") and connection is None:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(os.environ["STEPWELL_EVENTS"])
            connection.sendall((json.dumps({"key": key}) + "\n").encode())
        if action == "raw":
            connection.sendall(value.encode())
        elif action == "send":
            event = {"token": task["token"], "at": "2026-01-01T00:00:00.000Z", **value}
            connection.sendall((json.dumps(event) + "\n").encode())
        elif action == "close":
            connection.close()
        elif action == "say":
            say(value)
        elif action == "ended":
            say(json.dumps({"say": "ended", "key": key, "exit": 0, "signal": None, "reason": None, "peakMemory": 1, **value}) + "\n")
        elif action == "sleep":
            time.sleep(value)
        elif action == "commit":
            os.makedirs(task["attemptFolder"], exist_ok=True)
            with open(os.path.join(task["attemptFolder"], "result.json"), "w") as file:
                json.dump({**{name: task[name] for name in ("run", "step", "attempt", "token")}, **value}, file)
        elif action == "die":
            os._exit(value)


fake = json.loads(os.environ.get("FAKE", "{}"))
if "die" in fake:
    sys.stderr.write(fake["die"])
    sys.exit(1)
for text in sys.stdin:
    message = json.loads(text)
    if message["do"] == "prepare":
        noisy = [name for name in message["modules"] if name in fake.get("noisy", [])]
        if "log" in fake:
            with open(fake["log"], "a") as log:
                log.write(json.dumps({"modules": message["modules"], "environ": dict(os.environ)}) + "\n")
        say(json.dumps({"say": "ready", "python": fake.get("python", "3.11.0"), "seconds": 0, "noisy": noisy}) + "\n")
    elif message["do"] == "start":
        threading.Thread(target=run, args=(message["key"], message["task"]), daemon=True).start()
    elif message["do"] == "stop":
        say(json.dumps({"say": "ended", "key": message["key"], "exit": None, "signal": 15, "reason": None, "peakMemory": 1}) + "\n")
