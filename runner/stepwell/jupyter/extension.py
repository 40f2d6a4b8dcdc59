"""The server extension: what Jupyter is told of us, and where the service and the handler are tied to one server."""

from __future__ import annotations

from jupyter_server.base.handlers import utcnow
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from tornado.ioloop import PeriodicCallback
from traitlets import List, Unicode

from .. import installation
from .proxy import ServiceHandler
from .service import Service

# Seconds between two looks at whether steps run.
LOOK = 60


class StepwellExtension(ExtensionApp):
    """Stepwell's service, started with this server and reached at `<base_url>stepwell/`."""

    name = "stepwell"

    command = List(
        Unicode(),
        config=True,
        help="What starts the service, before its arguments. Empty: this installation's own command line.",
    )

    def initialize_handlers(self) -> None:
        server = self.serverapp
        self._service = Service(
            command=lambda: list(self.command) or installation.command(),
            root=server.root_dir,
            log=self.log,
        )
        prefix = url_path_join(server.base_url, "stepwell")
        self.handlers.append((r"/stepwell(?:/.*)?", ServiceHandler, {"service": self._service, "prefix": prefix}))
        # The event loop is made; it does not run yet.
        server.io_loop.add_callback(self._begin)

    def _begin(self) -> None:
        try:
            self._service.start()
        except OSError as error:
            self.log.error("Stepwell's service cannot be started: %s.", error)
            return
        self._look = PeriodicCallback(self._note_activity, LOOK * 1000)
        self._look.start()

    async def _note_activity(self) -> None:
        """A server whose pipelines run is not idle, though nobody may be looking: cullers must let it live."""
        if await self._service.busy():
            self.serverapp.web_app.settings.setdefault("last_activity_times", {})["stepwell"] = utcnow()

    async def stop_extension(self) -> None:
        if hasattr(self, "_look"):
            self._look.stop()
        await self._service.stop()
