"""
A 100 MB frame handed from one process to another: from "the producer has it" to "the consumer has it", through the runner's own `values`, and,
as the floor, pickle 5 with its buffers written once and memory-mapped. Both processes are warm (pandas is imported before the clock
starts), as steps of the local target are. Prints one JSON document per turn.
"""

import json
import mmap
import os
import pickle
import sys
import tempfile
import time

import numpy as np
import pandas as pd

from stepwell import values
from stepwell.blobs import Blobs


def numeric():
    generator = np.random.default_rng(1)
    return pd.DataFrame({f"c{i}": generator.random(1_310_720) for i in range(10)})


def text():
    """Half of the bytes are text: about 13 characters a row in one column."""
    generator = np.random.default_rng(2)
    rows = 2_400_000
    frame = pd.DataFrame({f"c{i}": generator.random(rows) for i in range(3)})
    frame["name"] = np.char.add("customer ", generator.integers(0, 99_999, rows).astype(str))
    return frame


def ours(folder):
    blobs = Blobs(folder)

    def save(frame):
        namespace = {}
        loaded = values.load(blobs, {}, namespace, set())
        namespace["frame"] = frame
        return values.save(blobs, loaded, namespace, {}, ["frame"], set())

    def load(saved):
        namespace = {}
        values.load(blobs, saved, namespace, set())
        return namespace["frame"]

    return save, load


def floor(folder):
    def save(frame):
        buffers = []
        body = pickle.dumps(frame, protocol=5, buffer_callback=buffers.append)
        path = os.path.join(folder, f"floor-{time.monotonic_ns()}")
        sizes = []
        with open(path, "wb", buffering=0) as file:
            for buffer in buffers:
                raw = buffer.raw()
                file.write(raw)
                sizes.append(raw.nbytes)
        return {"path": path, "body": body.hex(), "sizes": sizes}

    def load(saved):
        with open(saved["path"], "rb") as file:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        buffers, at = [], 0
        for size in saved["sizes"]:
            buffers.append(mapped[at : at + size])
            at += size
        return pickle.loads(bytes.fromhex(saved["body"]), buffers=buffers)

    return save, load


def handed_over(frame, save, load):
    """Seconds from having the frame here to having it in a process that was forked before."""
    to_child, from_parent = os.pipe()
    to_parent, from_child = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(from_parent)
        with os.fdopen(to_child) as inbox:
            saved = json.loads(inbox.read())
        got = load(saved)
        end = time.monotonic()
        os.write(from_child, json.dumps({"end": end, "equal": bool(got.equals(frame))}).encode())
        os._exit(0)
    os.close(to_child)
    start = time.monotonic()
    with os.fdopen(from_parent, "w") as outbox:
        json.dump(save(frame), outbox)
    answer = json.loads(os.read(to_parent, 1000))
    os.waitpid(child, 0)
    assert answer["equal"], "the frame that arrived is another"
    return answer["end"] - start


def size_of(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


def main():
    for kind, make in (("numeric", numeric), ("text", text)):
        frame = make()
        memory = int(frame.memory_usage(deep=True).sum())
        for turn in range(int(sys.argv[1])):
            for way, codec in (("ours", ours), ("floor", floor)):
                with tempfile.TemporaryDirectory(prefix="stepwell-bench-") as folder:
                    save, load = codec(folder)
                    seconds = handed_over(frame, save, load)
                    print(
                        json.dumps(
                            {"kind": kind, "way": way, "turn": turn, "ms": seconds * 1000, "bytes": size_of(folder), "memory": memory}
                        ),
                        flush=True,
                    )


main()
