"""The server: a sandbox on a port of this machine.

Owns the socket, the thread and its event loop. Guarantees that the service answers when `start` returns,
that it listens on 127.0.0.1 only, and that `stop` leaves no thread, socket or task behind, even while a
request hangs.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from vfdir_lab.errors import SandboxError
from vfdir_lab.sandbox.control import Control
from vfdir_lab.sandbox.doors import TRANSPORT, FrontDoor, hang_up
from vfdir_lab.sandbox.seed import load_world
from vfdir_lab.sandbox.service import Service, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from starlette.types import ASGIApp, Receive, Scope, Send

    from vfdir_lab.sandbox.world import World

HOST = "127.0.0.1"
START_SECONDS = 10.0
STOP_SECONDS = 10.0
CLOSING_TURNS = 5


class _Protocol(H11Protocol):
    """HTTP whose requests can reach their own connection, so that faults can drop it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app: ASGIApp = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = {**scope.get("extensions", {}), TRANSPORT: {"transport": transport}}
            scope = {**scope, "extensions": extensions}
            try:
                await app(scope, receive, send)
            except asyncio.CancelledError:
                # The server is stopping: whoever still waits gets no answer, as when a server dies.
                await hang_up(scope, receive, abruptly=True)

        self.app = with_transport


class _Server(uvicorn.Server):
    """A server that tells when it is ready, and leaves at once when told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._left = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.ready.set()

    def leave(self) -> None:
        """Stop serving; safe from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._left.set)

    async def main_loop(self) -> None:
        await self._left.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Transports close in the loop's next turns; what was accepted just now is met in the second round.
        for _ in range(2):
            for connection in list(self.server_state.connections):
                connection.shutdown()
            for _ in range(CLOSING_TURNS):
                await asyncio.sleep(0)
        for _ in range(CLOSING_TURNS):  # under load a connection may be made later than it was accepted
            for connection in list(self.server_state.connections):
                if connection.transport is not None:
                    connection.transport.abort()
            await asyncio.sleep(0)


class Sandbox:
    """A local are.na. Use it as a context, or `start` and `stop` it.

    Args:
        port: the port to listen on; 0 takes a free one.
        rate_limits: requests per minute by tier (`guest`, `free`, `premium`, `supporter`) where they
            should differ from are.na's.
        world: the world to serve; without one, the world of `data/` is loaded.

    Raises:
        SandboxError: the port is taken, or the world cannot be read.
    """

    def __init__(
        self, port: int = 0, rate_limits: Mapping[str, int] | None = None, world: World | None = None
    ) -> None:
        self._port = port
        self.tokens = Tokens.fresh()
        self.world = load_world() if world is None else world
        self._service = Service(self.world, self.tokens, rate_limits)
        self.control = Control(self._service)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end; "" before it was started."""
        return self._service.base

    def start(self) -> None:
        """Listen and answer; returns once it does."""
        if self._thread is not None:
            return
        listener = self._listen()
        self._service.base = f"http://{HOST}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            FrontDoor(self.control),
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="vfdir-lab-sandbox", daemon=True
        )
        self._thread.start()
        if not self._server.ready.wait(START_SECONDS):
            raise SandboxError(f"The sandbox did not start within {START_SECONDS:.0f} seconds.")

    def stop(self) -> None:
        """Stop answering and let go of the port. The world stays, and a new `start` serves it again."""
        if self._server is None or self._thread is None:
            return
        self._server.leave()
        self._thread.join(STOP_SECONDS)
        self._server = self._thread = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _listen(self) -> socket.socket:
        # asyncio turns off Nagle's waiting (40 ms a request) only where the protocol is named.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, self._port))
        except OSError as error:
            listener.close()
            raise SandboxError(
                f"The sandbox cannot listen on port {self._port}: {error.strerror}. Choose another."
            ) from error
        return listener


def serve(port: int = 0, on_ready: Callable[[Sandbox], None] | None = None) -> None:
    """Run a sandbox in the foreground until interrupted; `on_ready` is told once it answers."""
    with Sandbox(port) as sandbox:
        if on_ready:
            on_ready(sandbox)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return
