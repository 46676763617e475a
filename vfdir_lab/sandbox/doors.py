"""The doors: HTTP in, HTTP out.

Owns the front of the service as an ASGI application: reading requests, the journal, armed faults, and the
routes of the API, the media, the uploads and the control door. Guarantees that an answer is journalled
before it leaves, and that a fault that drops or cuts does so on the real connection. Leaves what to answer
to `service`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from vfdir_lab.sandbox import (
    routes_blocks,
    routes_channels,
    routes_connections,
    routes_people,
    routes_search,
)
from vfdir_lab.sandbox.answers import Answer, Refusal
from vfdir_lab.sandbox.control_door import control_route
from vfdir_lab.sandbox.files_door import get_media, put_upload
from vfdir_lab.sandbox.journal import Entry
from vfdir_lab.sandbox.mischief import alter, kept
from vfdir_lab.sandbox.service import Endpoint, Request, Service, nowhere

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from vfdir_lab.sandbox.control import Control
    from vfdir_lab.sandbox.faults import Fault

ENDPOINTS: tuple[Endpoint, ...] = (
    *routes_people.ENDPOINTS,
    *routes_channels.ENDPOINTS,
    *routes_blocks.ENDPOINTS,
    *routes_connections.ENDPOINTS,
    *routes_search.ENDPOINTS,
)
# How a request finds the connection it came by; put into the scope by the server.
TRANSPORT = "vfdir_lab.transport"
LARGEST_BODY_BYTES = 64 * 1024 * 1024


def inner_app(control: Control) -> Starlette:
    """Everything behind the front door."""
    service = control.service
    routes = [Route(e.path, _api(service, e), methods=[e.method]) for e in ENDPOINTS]
    routes += [
        Route("/media/{rest:path}", _files(service, get_media), methods=["GET"]),
        Route("/uploads/{rest:path}", _files(service, put_upload), methods=["PUT"]),
        control_route(control),
    ]
    nothing = _api(service, Endpoint("*", "", nowhere))

    async def not_found(http: HttpRequest, _error: Exception) -> Response:
        return await nothing(http)

    # A path with another method is a 404 like any other.
    app = Starlette(routes=routes, exception_handlers={404: not_found, 405: not_found})
    app.router.redirect_slashes = False
    return app


def _request(http: HttpRequest, body: bytes) -> Request:
    return Request(
        method=http.method,
        path=http.url.path,
        ids=http.path_params,
        query=http.query_params.multi_items(),
        headers=dict(http.headers),
        body=body,
        client=http.client.host if http.client else "",
    )


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, answer.headers)


def _api(service: Service, endpoint: Endpoint) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def door(http: HttpRequest) -> Response:
        return _response(service.perform(endpoint, _request(http, await http.body())))

    return door


def _files(
    service: Service, act: Callable[[Service, Request], Answer]
) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def door(http: HttpRequest) -> Response:
        return _response(act(service, _request(http, await http.body())))

    return door


class FrontDoor:
    """The ASGI application: journal and faults around the inner one."""

    def __init__(self, control: Control) -> None:
        self._service = control.service
        self._faults = control.faults
        self._journal = control.journal
        self._inner: ASGIApp = inner_app(control)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["path"].startswith("/_control"):
            await self._inner(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            return
        entry = self._journal.open(self._entry(scope), body)
        fault = self._faults.take(scope["method"], scope["path"])
        if fault is None:
            answer = await self._perform(scope, body)
            entry.status = answer.status
            await self._send(answer, send, answer.body)
            return
        entry.fault = fault.kind
        answer = await self._perform_with(fault, scope, body)
        if fault.kind.startswith("drop"):
            await hang_up(scope, receive, abruptly=True)
            return
        entry.status = answer.status
        if fault.kind == "truncate" and fault.text("mode") == "cut":
            await self._send(answer, send, answer.body[: kept(answer, fault)])
            await hang_up(scope, receive, abruptly=False)
            return
        await self._send(answer, send, answer.body)

    async def _perform_with(self, fault: Fault, scope: Scope, body: bytes) -> Answer:
        is_slow = fault.kind == "slow"
        if is_slow and fault.text("when") == "before":
            await asyncio.sleep(fault.number("seconds"))
        answer = Answer()
        if fault.commits:
            answer = await self._perform(_unconditional(scope), body)
        if is_slow and fault.text("when") == "after":
            await asyncio.sleep(fault.number("seconds"))
        return alter(answer, fault, self._service.limits)

    async def _perform(self, scope: Scope, body: bytes) -> Answer:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._inner(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in sent[0]["headers"]}
        headers.pop("content-length", None)
        whole = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(status=sent[0]["status"], body=whole, headers=headers)

    async def _send(self, answer: Answer, send: Send, body: bytes) -> None:
        """Send an answer; `body` may be less than the Content-Length promises."""
        headers = answer.headers | {"Date": self._service.clock.http_date()}
        if answer.status not in (204, 304):
            headers["Content-Length"] = str(len(answer.body))
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": body, "more_body": len(body) < len(answer.body)})

    def _entry(self, scope: Scope) -> Entry:
        http = HttpRequest(scope)
        try:
            kind = self._service.viewer(http.headers.get("authorization")).kind
        except Refusal:
            kind = "invalid"
        return Entry(
            method=scope["method"], path=scope["path"], query=dict(http.query_params), token_kind=kind
        )


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None if the client left before its end, and so asked for nothing."""
    body = b""
    while len(body) < LARGEST_BODY_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


async def hang_up(scope: Scope, receive: Receive, *, abruptly: bool) -> None:
    """Close the connection a request came by, at once or after what was sent; returns when it is closed."""
    transport: asyncio.Transport = scope["extensions"][TRANSPORT]["transport"]
    if abruptly:
        transport.abort()
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


def _unconditional(scope: Scope) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if name != b"if-none-match"]
    return {**scope, "headers": headers}
