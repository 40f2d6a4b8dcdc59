"""
The way in: HTTP and websockets at `<base_url>stepwell/…`, handed to the service's socket.

Built on jupyter-server-proxy's handler, which lets one address speak both. Four things it leaves to the proxied program are done here,
since a caller who passes here is trusted by the service: cross-site requests are refused, the user is named by Jupyter and nobody else,
Jupyter's credentials stay with Jupyter, and nothing is started by a request. What passes is streamed, at the pace of the slower side.
"""

from __future__ import annotations

import asyncio
import getpass
import json
from http.client import responses

import aiohttp
from jupyter_server.auth import IdentityProvider
from jupyter_server.auth.identity import LegacyIdentityProvider, PasswordIdentityProvider
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import ensure_async
from jupyter_server_proxy.handlers import ProxyHandler
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler
from yarl import URL

from . import headers
from .service import DOWN, Service, Unavailable

READING = ("GET", "HEAD", "OPTIONS")
# These know no names: whoever has the token or the password is the one who owns the server.
NAMELESS = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)
KINDS = {400: "bad-request", 401: "unauthorized", 403: "forbidden", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}


class ServiceHandler(ProxyHandler):
    """One request to the service."""

    _forwarding: asyncio.Task | None = None
    _upstream: aiohttp.ClientWebSocketResponse | None = None
    _left = False

    def initialize(self, service: Service, prefix: str) -> None:
        self._service, self._prefix = service, prefix

    # Who may.

    async def prepare(self) -> None:
        await ensure_async(JupyterHandler.prepare(self, _redirect_to_login=False))
        if not self.current_user:
            raise HTTPError(403, "Log in to Jupyter first.")
        self._refuse_other_sites()
        # What goes over socket.io only listens, also where it is written as POST.
        listens = self._path().startswith("/socket.io/")
        action = "read" if listens or self.request.method in READING else "execute"
        if not await ensure_async(self.authorizer.is_authorized(self, self.current_user, action, "stepwell")):
            raise HTTPError(403, f"Jupyter's authorizer does not let you {action} here.")
        if action == "execute":
            self._record_activity()

    def check_xsrf_cookie(self) -> None:
        """On, as everywhere in Jupyter: the proxy's handler switches it off. Asked before and after the login was looked at."""
        if hasattr(self, "_jupyter_current_user"):
            self._refuse_other_sites()
        JupyterHandler.check_xsrf_cookie(self)

    def _refuse_other_sites(self) -> None:
        if not self.check_origin() or self._sent_by_another_site():
            raise HTTPError(403, "This request comes from another site, which Jupyter's settings (allow_origin) do not allow.")

    def check_origin(self, origin: str | None = None) -> bool:
        """Jupyter's rule, for every method and also for callers with a token."""
        origin, host = self.get_origin(), self.request.headers.get("Host")
        return origin is None or (host is not None and headers.same_host(origin, host)) or self._allowed()

    def skip_check_origin(self) -> bool:
        return False

    def _allowed(self) -> bool:
        return bool(self.allow_origin or self.allow_origin_pat) and JupyterHandler.check_origin(self)

    def _sent_by_another_site(self) -> bool:
        """Browsers say so where they send no Origin: pictures and scripts in other pages."""
        if self.get_origin() is not None:
            return False
        sent = self.request.headers.get("Sec-Fetch-Site", "none")
        followed = self.request.headers.get("Sec-Fetch-Mode") == "navigate" and self.request.method == "GET"
        return sent in ("cross-site", "same-site") and not followed and not self._allowed()

    # What passes.

    def _path(self) -> str:
        """As it was sent: decoding it here would make other places of it."""
        return self.request.path[len(self._prefix) :] or "/"

    def _target(self) -> URL:
        query = headers.without_credentials(self.request.query)
        return URL(f"http://localhost{self._path()}{'?' if query else ''}{query}", encoded=True)

    def _passed(self) -> dict[str, str]:
        return headers.forwarded(self.request.headers, user=self._user(), secret=self._service.secret, prefix=self._prefix)

    def _user(self) -> str:
        if type(self.identity_provider) in NAMELESS:
            return getpass.getuser()
        return getattr(self.current_user, "username", None) or str(self.current_user)

    async def _session(self) -> aiohttp.ClientSession:
        try:
            return await self._service.session()
        except Unavailable as problem:
            raise _refusal(problem.kind, str(problem))

    async def http_get(self) -> None:
        session = await self._session()
        self._forwarding = asyncio.current_task()
        try:
            async with session.request(
                self.request.method, self._target(), headers=self._passed(), data=self.request.body or None, allow_redirects=False
            ) as answer:
                self.clear()
                self.set_status(answer.status, answer.reason)
                for name, value in headers.returned(answer.headers, self._prefix):
                    self.add_header(name, value)
                async for part in answer.content.iter_any():
                    self.write(part)
                    # Waits while the browser does not read; so the service waits too.
                    await JupyterHandler.flush(self)
        except StreamClosedError:
            return
        except asyncio.CancelledError:
            if not self._left:
                raise
        except (aiohttp.ClientError, OSError) as error:
            self.log.warning("stepwell | a request was cut off: %s", type(error).__name__)
            if self._headers_written:
                # Half an answer must not look like a whole one.
                self.request.connection.stream.close()
                return
            raise _refusal(DOWN, "Stepwell's service went away while it was asked. It is started again by itself; try again in a moment.")
        finally:
            self._forwarding = None

    head = post = put = patch = delete = options = http_get

    # Websockets.

    async def get(self) -> None:
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            await self.http_get()
            return
        session = await self._session()
        try:
            # First the service, so that a refusal of its is one of ours.
            self._upstream = await session.ws_connect(self._target(), headers=self._passed(), max_msg_size=0, autoclose=True, compress=0)
        except aiohttp.WSServerHandshakeError as error:
            raise HTTPError(error.status if 400 <= error.status < 500 else 502, "Stepwell's service refused the websocket.")
        except (aiohttp.ClientError, OSError):
            raise _refusal(DOWN, "Stepwell's service cannot be reached. It is started again by itself; try again in a moment.")
        await WebSocketHandler.get(self)
        if self.ws_connection is None:
            await self._upstream.close()

    def select_subprotocol(self, subprotocols: list[str]) -> None:
        return None

    async def open(self) -> None:
        self._forwarding = asyncio.create_task(self._relay())

    async def _relay(self) -> None:
        try:
            async for message in self._upstream:
                if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    await self.write_message(message.data, binary=message.type is aiohttp.WSMsgType.BINARY)
        except (WebSocketClosedError, StreamClosedError):
            pass
        finally:
            self.close(self._upstream.close_code if self._upstream.close_code in range(1000, 1004) else 1001)

    async def on_message(self, message: str | bytes) -> None:
        try:
            await (self._upstream.send_bytes(message) if isinstance(message, bytes) else self._upstream.send_str(message))
        except (aiohttp.ClientError, OSError):
            self.close(1001)

    def on_ping(self, data: bytes) -> None:
        """Answered by tornado; the service keeps up its own heartbeat."""

    def on_connection_close(self) -> None:
        self._left = True
        if self._upstream is None and self._forwarding is not None:
            self._forwarding.cancel()
        WebSocketHandler.on_connection_close(self)

    def on_close(self) -> None:
        if self._upstream is not None:
            self._closing = asyncio.create_task(self._upstream.close())

    # What is said when it does not pass.

    def write_error(self, status_code: int, **kwargs) -> None:
        error = kwargs.get("exc_info", (None, None))[1]
        detail = (
            error.log_message % error.args if isinstance(error, HTTPError) and error.log_message else "Something went wrong in Jupyter."
        )
        kind = getattr(error, "kind", KINDS.get(status_code, DOWN))
        self.set_header("Content-Type", "application/problem+json")
        self.finish(json.dumps({"type": kind, "title": responses.get(status_code, "Error"), "status": status_code, "detail": detail}))


def _refusal(kind: str, sentence: str) -> HTTPError:
    error = HTTPError(503, sentence)
    error.kind = kind
    return error
