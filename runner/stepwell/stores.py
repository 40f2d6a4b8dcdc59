"""
Where a step away from home has its inputs from and brings its outputs to: the service's gateway, or a bucket behind addresses that the
service signs. Both answer three questions: what is in this blob, where does this content go, and here is the result.

An offer names blobs by digest and size. The answer lists those that are missing there, each with an address to put it to (`put`), or with
addresses for its parts (`parts`) and one that makes a whole of them (`complete`).
"""

from __future__ import annotations

import json
import time

from .blobs import Blobs, StorageProblem
from .transfer import Http, Refused, at_once, host_of

JSON = {"Content-Type": "application/json"}
ADDRESSES = "the address has expired or is for something else"


class Gateway:
    """The service itself, asked over HTTP with the attempt's own permission."""

    def __init__(self, http: Http, url: str, access: str):
        self.http = http
        self.url = url
        self.headers = {"Authorization": f"Bearer {access}"}

    def fetch(self, digest: str, size: int, blobs: Blobs) -> None:
        self.http.fetch_blob(f"{self.url}/blobs/{digest[7:]}", self.headers, digest, size, blobs)

    def keep(self, offered: list[dict], blobs: Blobs) -> None:
        if offered:
            body = json.dumps({"blobs": offered}).encode()
            answer, _ = self.http.send("POST", f"{self.url}/outputs", {**self.headers, **JSON}, body)
            put_all(self.http, json.loads(answer), blobs, self.headers)

    def commit(self, result: bytes) -> None:
        self.http.send("PUT", f"{self.url}/result", {**self.headers, **JSON}, result)


class Mailbox:
    """A bucket, where nobody can reach the service: what is offered is said in the log, and the answer fetched from the bucket."""

    def __init__(self, http: Http, addresses: dict, say):
        self.http = http
        self.get: dict[str, str] = addresses["get"]
        self.result: str = addresses["result"]
        self.answers: list[str] = addresses["answers"]
        self.say = say

    def fetch(self, digest: str, size: int, blobs: Blobs) -> None:
        self.http.fetch_blob(self.get[digest], {}, digest, size, blobs)

    def keep(self, offered: list[dict], blobs: Blobs) -> None:
        if offered:
            number = len(self.answers)
            address = self.answers.pop()
            self.say(say="offer", answer=number, blobs=offered)
            put_all(self.http, self._answer(address), blobs, {})

    def commit(self, result: bytes) -> None:
        self.http.send("PUT", self.result, JSON, result)

    def _answer(self, address: str) -> dict:
        until, wait = time.monotonic() + self.http.patience, 0.01
        while time.monotonic() < until:
            try:
                return json.loads(self.http.fetch(address, {}))
            except Refused as refusal:
                if refusal.status != 404:
                    raise
            time.sleep(wait)
            wait = min(wait * 1.5, 1.0)
        raise StorageProblem(f"Nobody said within {self.http.patience:.0f} seconds where the outputs go.")


def put_all(http: Http, answer: dict, blobs: Blobs, headers: dict[str, str]) -> None:
    """Brings every blob that is missing to where the answer says."""

    def put(missing: dict) -> None:
        path = blobs.path(missing["digest"])
        if "put" in missing:
            http.send_file(missing["put"], {**headers, **missing.get("headers", {})}, path, 0, missing["size"])
            return

        def put_part(part: dict) -> str:
            return http.send_file(part["url"], headers, path, part["start"], part["size"]).get("etag", "")

        tags = at_once(put_part, missing["parts"])
        parts = (
            f"<Part><PartNumber>{n}</PartNumber><ETag>{tag.replace('&', '&amp;').replace('<', '&lt;')}</ETag></Part>"
            for n, tag in enumerate(tags, 1)
        )
        body = f"<CompleteMultipartUpload>{''.join(parts)}</CompleteMultipartUpload>"
        http.send("POST", missing["complete"], {**headers, "Content-Type": "application/xml"}, body.encode())

    at_once(put, answer["missing"])


def refused(refusal: Refused, url: str) -> StorageProblem:
    """What an answer means that trying again does not change."""
    why = {401: "this attempt is not known there", 403: ADDRESSES, 404: "it is not there", 413: "it is too large"}
    return StorageProblem(f"'{host_of(url)}' refused what the step asked for: {why.get(refusal.status, refusal)}.")
