"""
What "equal" means. A cell's outputs are brought to a plain form in which only what a person can see differs: stream text per stream, then
results, displays and errors in order, each kind of data apart. Two runs are equal when these forms are.

What no two runs of the same notebook share is left out: addresses, the kernel's process number in paths, lines that report time, random ids of
widgets. Everything else that differs between two baselines is found by taking the baseline twice (`unsteady`).
"""

from __future__ import annotations

import base64
import difflib
import io
import json
import re
from typing import Any

MASKS = [
    (re.compile(r"\b0x[0-9a-fA-F]{6,}"), "0x…"),
    (re.compile(r"ipykernel_\d+/\d+\.py"), "ipykernel_N/N.py"),
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
]
TIMES = re.compile(r"^.*(CPU times:|Wall time:|Compiler +: |Parser +: |per loop|loops?, best of|slowest run took).*\n?", re.M | re.I)
IMAGES = ("image/png", "image/jpeg")

Form = list[tuple[str, Any]]


def joined(text: Any) -> str:
    if isinstance(text, list) and all(isinstance(line, str) for line in text):
        return "".join(text)
    return text if isinstance(text, str) else json.dumps(numbers(text), sort_keys=True)


def numbers(value: Any) -> Any:
    """JSON does not tell 1.0 from 1."""
    if isinstance(value, dict):
        return {key: numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [numbers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def plain(text: Any, folders: tuple[str, ...] = (), source: str = "") -> str:
    text = joined(text)
    for folder in folders:
        text = text.replace(folder, "FOLDER")
    for mask, to in MASKS:
        text = mask.sub(to, text)
    if re.search(r"%%?time(it)?\b", source):
        text = TIMES.sub("", text)
    return text


def form(cell: dict, folders: tuple[str, ...] = ()) -> Form:
    """The cell's outputs as a list of (what, content): the streams first, then everything else in the order it was shown."""
    source = joined(cell["source"])
    streams: dict[str, str] = {}
    shown: Form = []
    for output in cell.get("outputs", []):
        kind = output["output_type"]
        if kind == "stream":
            streams[output["name"]] = streams.get(output["name"], "") + joined(output["text"])
        elif kind == "error":
            shown.append(("error", plain(f"{output['ename']}: {output['evalue']}", folders, source)))
        else:
            for mime, data in sorted(output["data"].items()):
                what = f"{'result' if kind == 'execute_result' else 'display'} {mime}"
                if mime in IMAGES:
                    shown.append((what, base64.b64decode(joined(data))))
                elif mime.startswith("application/vnd.jupyter.widget"):
                    shown.append((what, "a widget"))
                else:
                    shown.append((what, plain(data, folders, source)))
    text = ((f"stream {name}", plain(text, folders, source)) for name, text in sorted(streams.items()))
    return [(what, said) for what, said in text if said] + shown


def unsteady(first: Form, second: Form) -> set[int] | None:
    """Positions that differ between two baselines and so can't be compared; None when even their number or kinds differ."""
    if [what for what, _ in first] != [what for what, _ in second]:
        return None
    return {i for i, (a, b) in enumerate(zip(first, second, strict=True)) if not same(a, b)}


def same(a: tuple[str, Any], b: tuple[str, Any]) -> bool:
    if a[0] != b[0]:
        return False
    return a[1] == b[1] or (isinstance(a[1], bytes) and isinstance(b[1], bytes) and pixels(a[1]) == pixels(b[1]))


def pixels(image: bytes) -> Any:
    try:
        from PIL import Image
    except ImportError:
        return image
    with Image.open(io.BytesIO(image)) as opened:
        return opened.size, opened.convert("RGBA").tobytes()


def difference(expected: Form, got: Form, skip: set[int]) -> str:
    """Empty when equal, otherwise a unified diff for a person."""
    steady = [item for i, item in enumerate(expected) if i not in skip]
    # A position that is not compared still has to hold the same kind of output.
    ours = [item for i, item in enumerate(got) if i not in skip]
    if len(expected) == len(got) and [w for w, _ in expected] == [w for w, _ in got] and all(map(same, steady, ours)):
        return ""
    lines = list(difflib.unified_diff(lines_of(expected, skip), lines_of(got, skip), "top to bottom", "as a pipeline", lineterm="", n=1))
    return "\n".join(lines[:60]) or "the images differ"


def lines_of(items: Form, skip: set[int]) -> list[str]:
    lines = []
    for i, (what, content) in enumerate(items):
        lines.append(f"[{what}]")
        if i in skip:
            lines.append("(differs between two baselines)")
        elif isinstance(content, bytes):
            lines.append(f"{len(content)} bytes, {hash(content) & 0xFFFFFFFF:08x}")
        else:
            lines += content.splitlines()
    return lines
