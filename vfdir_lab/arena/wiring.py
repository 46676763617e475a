"""How the parts that speak are put together.

Owns: `wire`, and which part shares a line with which.
Guarantees: questions and writes share one pace. Each has its own line: that of the questions stays open, the
writes' gives each write a new connection, the uploads' never had the token.
Leaves to others: what the parts do.
Checked by: all of `tests/arena/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vfdir_lab.arena.asking import Asking
from vfdir_lab.arena.secret import Secret
from vfdir_lab.arena.transport import Line
from vfdir_lab.arena.uploads import Uploads
from vfdir_lab.arena.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import httpx

    from vfdir_lab.arena.cache import ResponseCache
    from vfdir_lab.arena.pacing import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a client speaks through."""

    asking: Asking
    writing: Writing
    uploads: Uploads


def wire(  # noqa: PLR0913 - what a client was given
    base_url: str,
    secret: Secret,
    *,
    transport: httpx.BaseTransport | None,
    timeout_seconds: float,
    now: Callable[[], datetime],
    pace: Pace,
    cache: ResponseCache | None,
    attempts: int,
    rng: Callable[[], float],
    may_write: bool,
) -> Parts:
    """The parts of one client, connected.

    Raises:
        UsageError: the proxy or certificate settings of the environment cannot be used.
    """

    def line(secret: Secret, *, keep_alive: bool) -> Line:
        return Line(
            base_url,
            secret=secret,
            transport=transport,
            timeout_seconds=timeout_seconds,
            now=now,
            keep_alive=keep_alive,
        )

    for_questions = line(secret, keep_alive=True)
    for_questions.open()
    return Parts(
        asking=Asking(
            base_url=base_url,
            secret=secret,
            line=for_questions,
            pace=pace,
            cache=cache,
            attempts=attempts,
            rng=rng,
        ),
        writing=Writing(
            base_url=base_url,
            secret=secret,
            line=line(secret, keep_alive=False),
            pace=pace,
            now=now,
            is_write_proven=may_write,
        ),
        uploads=Uploads(base_url=base_url, line=line(Secret(""), keep_alive=False), now=now),
    )
