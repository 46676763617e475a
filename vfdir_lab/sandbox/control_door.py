"""The control door over HTTP: `/_control/{call}`, the calls of `control` with JSON arguments.

Owns reading arguments and writing results. Guarantees that it opens on loopback only, takes changes by POST
with `application/json` only (which a web page of elsewhere cannot send), and answers wrong calls with a 400.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vfdir_lab.errors import SandboxError
from vfdir_lab.sandbox.answers import Refusal
from vfdir_lab.sandbox.validation import parse_json

if TYPE_CHECKING:
    from starlette.requests import Request

    from vfdir_lab.sandbox.control import Control

_LOOPBACK = ("127.0.0.1", "::1")
LOOKING = frozenset({"requests", "snapshot"})
ACTING = frozenset(
    {
        *("add_block", "edit_block", "remove_block", "restore_block"),
        *("add_channel", "edit_channel", "set_visibility", "remove_channel"),
        *("connect", "disconnect", "move", "pin", "comment"),
        *("set_clock_offset", "set_processing", "finish_processing", "set_index_lag", "refresh_index"),
        *("set_hidden_status", "arm", "disarm", "clear_requests"),
    }
)


def control_route(control: Control) -> Route:
    """The route of the control door."""

    async def door(request: Request) -> Response:
        if request.client is None or request.client.host not in _LOOPBACK:
            return JSONResponse({"error": "The control door opens on loopback only."}, 403)
        name = request.path_params["call"]
        is_looking = request.method == "GET" and name in LOOKING
        if not is_looking and (request.method != "POST" or name not in LOOKING | ACTING):
            return JSONResponse({"error": f"There is no call {request.method} {name}."}, 404)
        if not is_looking and request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return JSONResponse({"error": "Arguments come as application/json."}, 415)
        arguments = request.query_params if is_looking else await request.body() or b"{}"
        return _called(control, name, dict(arguments) if not isinstance(arguments, bytes) else arguments)

    return Route("/_control/{call}", door, methods=["GET", "POST"])


def _called(control: Control, name: str, given: bytes | dict[str, str]) -> Response:
    try:
        arguments = parse_json(given) if isinstance(given, bytes) else given
        if not isinstance(arguments, dict):
            return JSONResponse({"error": "Arguments are a JSON object."}, 400)
        result = getattr(control, name)(**arguments)
    except (SandboxError, Refusal, TypeError, ValueError, AttributeError) as error:
        return JSONResponse({"error": str(error)}, 400)
    return Response(json.dumps({"result": result}), media_type="application/json")
