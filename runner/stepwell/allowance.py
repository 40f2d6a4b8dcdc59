"""
How much of what a cell prints is kept.

A loop that prints without end, or a line of a gigabyte, must not exhaust the memory of whoever keeps outputs. Up to the limit everything
is kept as it was written; what comes after is counted, and one note in the cell's output says how much that was.
"""

from __future__ import annotations

LIMIT = 64 << 20
SIZES = ("bytes", "KiB", "MiB", "GiB", "TiB")


class Allowance:
    """What one cell may still print, in bytes of UTF-8; `left_out` counts the rest, `over` names the stream that first went beyond."""

    def __init__(self, limit: int = LIMIT):
        self.limit = limit
        self.begin()

    def begin(self) -> None:
        """A new cell, or one that cleared its output."""
        self.room = self.limit
        self.left_out = 0
        self.over: str | None = None

    def take(self, name: str, text: str) -> str:
        """As much of `text` as there is room for."""
        kept = text[: self.room]
        size = _size(kept)
        if size > self.room:
            kept = kept.encode("utf-8", "surrogatepass")[: self.room].decode("utf-8", "ignore")
            size = _size(kept)
        if len(kept) < len(text):
            self.over = self.over or name
            # Not even the rest of a large text is copied to be measured unless it has to be.
            self.left_out += len(text) - len(kept) if text.isascii() else _size(text) - size
            self.room = 0
        else:
            self.room -= size
        return kept

    def note(self) -> str:
        return f"\n… {in_words(self.left_out)} more were printed here and are left out: {in_words(self.limit)} of text are kept of each cell.\n"


def in_words(size: float) -> str:
    for unit in SIZES:
        if size < 1024 or unit == SIZES[-1]:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError


def shortened(data: dict) -> dict:
    """Display data with texts that nobody could look at taken out: a note says so in their place."""
    if not any(isinstance(value, str) and len(value) > LIMIT for value in data.values()):
        return data
    kept = {mime: value for mime, value in data.items() if not (isinstance(value, str) and len(value) > LIMIT)}
    notes = [f"[{mime} of {in_words(len(data[mime]))}, left out: at most {in_words(LIMIT)} are kept]" for mime in data if mime not in kept]
    return {**kept, "text/plain": "\n".join([*([kept["text/plain"]] if "text/plain" in kept else []), *notes])}


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
