"""
The service's log lines, told in Jupyter's log.

Each is a JSON document of the service's logger, or a line of text (Node's own words when it dies). A line is data of others: it is cut
when long, and what could move the cursor of a terminal is shown, not sent.
"""

from __future__ import annotations

import json
import logging

LONGEST = 16 * 1024
KNOWN = {"level", "time", "pid", "hostname", "msg", "name", "v"}


class Lines:
    """Cuts a stream of bytes into lines; a line without end does not grow without end."""

    def __init__(self, tell):
        self._tell = tell
        self._part = bytearray()
        self._dropping = False

    def feed(self, data: bytes) -> None:
        *ended, rest = data.split(b"\n")
        for line in ended:
            self._add(line)
            self.end()
        self._add(rest)

    def end(self) -> None:
        if self._part:
            self._tell(self._part.decode("utf-8", "replace") + (" …" if self._dropping else ""))
        self._part.clear()
        self._dropping = False

    def _add(self, data: bytes) -> None:
        room = LONGEST - len(self._part)
        self._dropping = self._dropping or len(data) > room
        self._part += data[:room]


def tell(log: logging.Logger, line: str) -> None:
    """One line of the service, in Jupyter's log at its own level; requests that went well are told to those who debug."""
    level, text = _read(line)
    log.log(level, "stepwell | %s", "".join(c if c.isprintable() else repr(c)[1:-1] for c in text))


def _read(line: str) -> tuple[int, str]:
    try:
        entry = json.loads(line)
        number = int(entry["level"])
    except (ValueError, TypeError, KeyError):
        return logging.INFO, line
    status = entry.get("status")
    ordinary = number < 30 or (number == 30 and isinstance(status, int) and status < 400)
    level = logging.DEBUG if ordinary else min(number, 60) - 10
    details = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in entry.items() if key not in KNOWN]
    return level, " ".join([str(entry.get("msg", "")), *details]).strip()
