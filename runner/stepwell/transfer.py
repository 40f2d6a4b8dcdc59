"""
Blobs and documents over HTTP, for steps that run where the store's folder is not.

Everything that is sent or fetched may be sent or fetched again: blobs are known by their digest, a result by its attempt. So the one rule
is to try again, from where it stopped, for as long as `patience` allows: a service that is restarted meanwhile is not noticed.
Addresses may carry their own permission (presigned), so no message ever quotes one beyond its host.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import threading
import time
import urllib.parse
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from .blobs import Blobs, StorageProblem

CHUNK = 1 << 20
PARALLEL = 8
TIMEOUT = 60.0
# Answers that a second try may change: too early, too many, and whatever is the other side's own fault.
PASSING = {408, 425, 429, 500, 502, 503, 504}


class Replaced(Exception):
    """The attempt is no longer the one that counts: nobody wants what it has to say."""


class Refused(Exception):
    """An answer that trying again does not change."""

    def __init__(self, status: int, host: str):
        super().__init__(f"'{host}' answered with status {status}")
        self.status = status


class Http:
    """Requests with connections that are kept, one for each thread and host."""

    def __init__(self, patience: float = 600.0):
        self.patience = patience
        self._kept = threading.local()

    def fetch(self, url: str, headers: dict[str, str]) -> bytes:
        """A small document."""
        return self._insist(url, lambda: self._once("GET", url, headers, None).read())

    def send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[bytes, dict[str, str]]:
        """Sends a document; gives the answer's body and headers."""

        def once():
            answer = self._once(method, url, headers, body)
            return answer.read(), {name.lower(): value for name, value in answer.getheaders()}

        return self._insist(url, once)

    def send_file(self, url: str, headers: dict[str, str], path: str, start: int, size: int) -> dict[str, str]:
        """Sends `size` bytes of a file from `start` on; gives the answer's headers."""

        def once():
            with open(path, "rb") as file:
                file.seek(start)
                answer = self._once("PUT", url, {**headers, "Content-Length": str(size)}, Part(file, size))
                answer.read()
                return {name.lower(): value for name, value in answer.getheaders()}

        return self._insist(url, once)

    def fetch_blob(self, url: str, headers: dict[str, str], digest: str, size: int, blobs: Blobs) -> None:
        """Fetches a blob into `blobs`, unless it is there; goes on after a cut where it stopped, and keeps nothing but what was asked for."""
        target = blobs.path(digest)
        if os.path.exists(target) and os.path.getsize(target) == size:
            return
        os.makedirs(os.path.join(blobs.folder, "tmp"), exist_ok=True)
        temporary = os.path.join(blobs.folder, "tmp", f"{digest[7:]}.part")
        with open(temporary, "wb", buffering=0) as file:
            hasher = hashlib.sha256()

            def once():
                nonlocal hasher
                done = file.tell()
                if done > size:
                    done = 0
                if done == 0:
                    hasher = hashlib.sha256()
                    file.seek(0)
                    file.truncate()
                if size == 0:
                    return
                ranged = {**headers, "Range": f"bytes={done}-"} if done else headers
                answer = self._once("GET", url, ranged, None)
                if done and answer.status != 206:
                    hasher = hashlib.sha256()
                    file.seek(0)
                    file.truncate()
                while piece := answer.read(CHUNK):
                    hasher.update(piece)
                    file.write(piece)
                if file.tell() < size:
                    raise http.client.IncompleteRead(b"", size - file.tell())

            self._insist(url, once)
            if f"sha256:{hasher.hexdigest()}" != digest:
                raise StorageProblem(f"'{host_of(url)}' gave other content than '{digest}' stands for; the blob is damaged there.")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(temporary, target)

    def _insist(self, url: str, once):
        until = time.monotonic() + self.patience
        wait = 0.05
        while True:
            try:
                return once()
            except Refused as refusal:
                if refusal.status in (409, 410):
                    raise Replaced from refusal
                if refusal.status not in PASSING:
                    raise
                last: Exception = refusal
            except (OSError, http.client.HTTPException) as failure:
                if isinstance(failure, ssl.SSLCertVerificationError):
                    raise StorageProblem(f"'{host_of(url)}' shows a certificate that this image does not trust.") from failure
                last = failure
                self._drop(url)
            if time.monotonic() + wait > until:
                why = str(last) or type(last).__name__
                raise StorageProblem(f"'{host_of(url)}' could not be reached for {self.patience:.0f} seconds ({why}).") from last
            time.sleep(wait)
            wait = min(wait * 2, 5.0)

    def _once(self, method: str, url: str, headers: dict[str, str], body, hops: int = 3) -> http.client.HTTPResponse:
        parts = urllib.parse.urlsplit(url)
        connection = self._connection(parts)
        path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        if answer.status in (302, 303, 307, 308) and method == "GET" and hops:
            answer.read()
            # To another place our own permission is not carried along.
            rest = {name: value for name, value in headers.items() if name.lower() != "authorization"}
            return self._once(method, urllib.parse.urljoin(url, answer.headers["Location"]), rest, body, hops - 1)
        if answer.status >= 300:
            answer.read(CHUNK)
            if not answer.isclosed():
                self._drop(url)
            raise Refused(answer.status, parts.hostname or "")
        return answer

    def _connection(self, parts) -> http.client.HTTPConnection:
        kept = self._kept.__dict__
        key = (parts.scheme, parts.netloc)
        if key not in kept:
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            kept[key] = kind(parts.hostname, parts.port, timeout=TIMEOUT, blocksize=CHUNK)
        return kept[key]

    def _drop(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        connection = self._kept.__dict__.pop((parts.scheme, parts.netloc), None)
        if connection is not None:
            connection.close()


class Part:
    """A piece of an open file, as something that can be sent."""

    def __init__(self, file, size: int):
        self._file = file
        self._left = size

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        return piece


def at_once(function, items: Iterable) -> list:
    """`function` of each item, several at a time; the first failure is raised when all have ended."""
    items = list(items)
    if len(items) <= 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(min(PARALLEL, len(items))) as pool:
        return list(pool.map(function, items))


def host_of(url: str) -> str:
    return urllib.parse.urlsplit(url).hostname or "the store"
