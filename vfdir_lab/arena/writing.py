"""Writing: the one routine that every write to are.na passes.

Owns: the order of things for one write (a turn at the gate, the request with the token, the verdict) and the
memory of whether the token is proven to have the write scope.
Guarantees: one call sends at most one request, over a connection of its own, and never a second one, whatever
comes back; no redirect is followed; what the server said is a value, never raised.
Leaves to others: pace and budget (`pacing`), sockets (`transport`), what is proven (`verdict`), which
requests there are (`writes`).
Checked by: `tests/arena/test_write_faults.py`, `test_cuts.py`, over real sockets.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vfdir_lab.arena.failure import Failure
from vfdir_lab.arena.sent import Accepted, NotSent, Sent
from vfdir_lab.arena.transport import Content, Line
from vfdir_lab.arena.verdict import Exchange, judge
from vfdir_lab.errors import BudgetReachedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from vfdir_lab.arena.answers import Asked
    from vfdir_lab.arena.pacing import Pace
    from vfdir_lab.arena.secret import Secret
    from vfdir_lab.arena.wire import Wire

_JSON = {"Content-Type": "application/json"}


class Writing:
    """Sends writes to one are.na with one token. Not safe between threads: `client` holds the lock.

    `is_write_proven` is whether the token is known to have the write scope; a write that succeeds proves it.
    """

    def __init__(
        self,
        *,
        base_url: str,
        secret: Secret,
        line: Line,
        pace: Pace,
        now: Callable[[], datetime],
        is_write_proven: bool,
    ) -> None:
        self._base_url = base_url
        self._secret = secret
        self._line = line
        self._pace = pace
        self._now = now
        self.is_write_proven = is_write_proven

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def send(
        self,
        asked: Asked,
        body: Mapping[str, object] | None,
        read: Callable[[Any], Wire] | None,
        *,
        proves_scope: bool = True,
    ) -> Sent:
        """What becomes of one write.

        `read` takes the decoded body of a 2xx; None where are.na promises a 204. `proves_scope` is whether
        are.na is known to ask for the write scope here.

        Raises:
            UsageError: the client is closed.
        """
        began = self._now()
        try:
            with self._pace.turn(is_write=True):
                exchange = self._exchange(asked, body, read)
        except BudgetReachedError as error:
            return NotSent(
                asked=str(asked), begun_at=began, got_at=self._now(), error=error.with_traceback(None)
            )
        sent = judge(exchange, self._secret, is_write_proven=self.is_write_proven)
        if isinstance(sent, Accepted) and proves_scope:
            self.is_write_proven = True
        return sent

    def _exchange(
        self, asked: Asked, body: Mapping[str, object] | None, read: Callable[[Any], Wire] | None
    ) -> Exchange:
        content, headers = None, {}
        if body is not None:
            encoded = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
            content, headers = Content(size=len(encoded), data=encoded), _JSON
        begun_at = self._now()
        result = self._line.send(asked, f"{self._base_url}{asked.path}", headers, content)
        got_at = self._now()
        if not isinstance(result, Failure):
            self._pace.heed(result.headers)
        return Exchange(asked=asked, result=result, read=read, begun_at=begun_at, got_at=got_at)
