"""How far one request came, as httpx tells it while it happens.

Owns: `Watch`, the ear for httpx's `trace` extension.
Guarantees: `is_unsent` is true only on proof: httpx told of this exchange (that it connects, say), but never
that it began to write the request. A transport that tells nothing proves nothing. What goes to a proxy to
open a tunnel (`CONNECT`) is not the request.
Leaves to others: what follows from it for a write (`verdict`).
Checked by: `tests/arena/test_cuts.py`, over sockets that break at every step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONNECTED = (".connect_tcp.complete", ".start_tls.complete")
_WRITING = ".send_request_headers.started"
_ANSWERED = ".receive_response_headers.complete"


class Watch:
    """Watches one exchange after the other; `begin` before each.

    `stream` is the connection in use, which outlasts an exchange; `status` the status of the answer whose
    head arrived, None before that.
    """

    def __init__(self) -> None:
        self.stream: Any = None
        self.begin()

    def begin(self) -> None:
        """Forget the last exchange."""
        self.status: int | None = None
        self._is_told = False
        self._is_writing = False

    @property
    def is_unsent(self) -> bool:
        """Whether it is certain that no byte of the request left this machine."""
        return self._is_told and not self._is_writing

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Hear one event of httpx's."""
        self._is_told = True
        if event.endswith(_CONNECTED):
            self.stream = info["return_value"]
        elif event.endswith(_WRITING) and info["request"].method != b"CONNECT":
            self._is_writing = True
        elif event.endswith(_ANSWERED) and self._is_writing:
            self.status = info["return_value"][1]
