"""Faults: what can be made to go wrong, and when.

Owns the catalogue of faults with their options, and the armed ones with their counting. Guarantees that an
unknown fault or option is refused when arming, not ignored when it matters, and that of several armed faults
the first that matches and is due strikes. What a fault does to an answer is in `mischief`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from vfdir_lab.errors import SandboxError
from vfdir_lab.sandbox.answers import Json

Option: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A kind of fault: whether the request still takes effect, and its options with their defaults."""

    commits: bool
    options: Mapping[str, Option] = field(default_factory=dict)


KINDS: Mapping[str, FaultKind] = {
    "fail_before": FaultKind(commits=False, options={"status": 500}),
    "fail_after": FaultKind(commits=True, options={"status": 500}),
    "drop_before": FaultKind(commits=False),
    "drop_after": FaultKind(commits=True),
    "too_many": FaultKind(commits=False, options={"retry_after": 1}),
    "torn_page": FaultKind(commits=True, options={"missing": 1, "repeated": 0}),
    "truncate": FaultKind(commits=True, options={"mode": "cut", "keep": 0.5}),
    "gateway_html": FaultKind(commits=False, options={"status": 502, "commit": False}),
    "slow": FaultKind(commits=True, options={"seconds": 1.0, "when": "before"}),
    "garbage_count": FaultKind(commits=True, options={"total_count": 999_999}),
    "endless_pages": FaultKind(commits=True, options={"mode": "repeat"}),
    "redirect": FaultKind(commits=False, options={"to": "http://127.0.0.1:9/elsewhere", "status": 302}),
    "unauthorized": FaultKind(commits=False),
    "forbidden": FaultKind(commits=False),
    "status": FaultKind(commits=False, options={"status": 422, "message": None, "commit": False}),
}
# Options that are one of a few words.
_WORDS = {
    ("truncate", "mode"): ("cut", "json"),
    ("slow", "when"): ("before", "after"),
    ("endless_pages", "mode"): ("repeat", "invent"),
}


@dataclass(slots=True, kw_only=True)
class Fault:
    """An armed fault: it lets `after` requests pass, then strikes `times` times (None: for ever)."""

    kind: str
    method: str
    path: re.Pattern[str]
    times: int | None
    after: int
    options: Mapping[str, Option]
    memory: list[Json] = field(default_factory=list)

    def number(self, name: str) -> float:
        """An option that is a number."""
        value = self.options[name]
        return float(value) if isinstance(value, int | float) else 0.0

    def text(self, name: str) -> str | None:
        """An option that is a text, or None."""
        value = self.options[name]
        return None if value is None else str(value)

    @property
    def commits(self) -> bool:
        """Whether the request takes effect all the same."""
        return KINDS[self.kind].commits or bool(self.options.get("commit"))


class Faults:
    """The armed faults, in the order they were armed."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def arm(
        self, kind: str, match: str, times: int | None, after: int, options: Mapping[str, Option]
    ) -> None:
        """Arm one.

        Raises:
            SandboxError: the fault, an option or the match is not one that is known.
        """
        known = KINDS.get(kind)
        if known is None:
            raise SandboxError(f"There is no fault {kind!r}; there are {', '.join(KINDS)}.")
        unknown = options.keys() - known.options.keys()
        if unknown:
            raise SandboxError(f"The fault {kind} has no option {', '.join(sorted(unknown))}.")
        for (owner, name), words in _WORDS.items():
            if owner == kind and options.get(name, words[0]) not in words:
                raise SandboxError(f"The option {name} of {kind} is one of {', '.join(words)}.")
        method, _, path = match.partition(" ")
        try:
            pattern = re.compile(path)
        except re.error as error:
            raise SandboxError(f"The path of the match {match!r} is no expression: {error}.") from error
        if not path:
            raise SandboxError(f"A match is a method (or *) and a path expression, not {match!r}.")
        fault = Fault(
            kind=kind,
            method=method.upper(),
            path=pattern,
            times=times,
            after=after,
            options={**known.options, **options},
        )
        with self._lock:
            self._armed.append(fault)

    def disarm(self) -> None:
        """Take back everything that is armed."""
        with self._lock:
            self._armed.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, counted off; None for most requests."""
        with self._lock:
            for fault in self._armed:
                if fault.method not in ("*", method) or not fault.path.fullmatch(path):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._armed.remove(fault)
                return fault
        return None
