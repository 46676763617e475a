"""A try that gave no value.

Owns: `Failure`, the word between those who notice that something went wrong and the one who decides to try
again.
Guarantees: failures travel as values, not as exceptions, so what is raised in the end has no httpx exception
in its chain, whose request would carry the token.
Leaves to others: noticing (`transport`, `answers`), deciding and raising (`retry`).
Checked by: `tests/arena/test_secrecy.py`, `test_retry.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vfdir_lab.errors import ArenaError


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One try that gave no value.

    `error` is what to raise if this was the last try; `why` says it in a few words for somebody who waits;
    `again` is whether another try may help; `pause_seconds` is how long the server asked to wait, if it did;
    `is_unsent` is whether it is certain that nothing of the request left; `status` is that of an answer whose
    head arrived, but no more.
    """

    error: ArenaError
    why: str
    again: bool
    pause_seconds: float | None = None
    is_unsent: bool = False
    status: int | None = None
