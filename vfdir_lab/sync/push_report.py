"""What a push did, told while it runs and when it is over; and what one would do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape

from vfdir_lab.sync.normalise import Fields

_COLUMNS = ("transaction", "state", "requests", "why")
_PLAN_COLUMNS = ("transaction", "request", "body", "waits")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushProgress:
    """A moment of a running push: `done` of `total` wishes have an answer, `label` is at work.

    `waiting` says what it waits for, if it does.
    """

    done: int
    total: int
    label: str = ""
    waiting: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """One transaction after a push: its state, and `why` it is not further."""

    tx: str
    label: str
    state: str
    attempts: int
    why: str = ""

    @property
    def waits_for_person(self) -> bool:
        """Whether nothing goes on here until somebody decides."""
        return self.state in {"rejected", "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReport:
    """What a push came to: the transactions that were open when it began, in the order they were committed.

    `requests` and `waited_seconds` are what it cost, `paused` is why it ended early, if it did, `notes` are
    for the person.
    """

    transactions: tuple[Pushed, ...]
    requests: int
    waited_seconds: float
    paused: str = ""
    notes: tuple[str, ...] = ()

    @property
    def resumable(self) -> bool:
        """Whether something is left: for the next push, or for a person."""
        return any(one.state not in {"settled", "superseded", "cancelled"} for one in self.transactions)

    def count(self, state: str) -> int:
        """How many transactions are in a state."""
        return sum(one.state == state for one in self.transactions)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "transactions": [
                {
                    "tx": one.tx,
                    "label": one.label,
                    "state": one.state,
                    "attempts": one.attempts,
                    "why": one.why,
                }
                for one in self.transactions
            ],
            "requests": self.requests,
            "waited_seconds": round(self.waited_seconds, 3),
            "paused": self.paused,
            "notes": list(self.notes),
            "resumable": self.resumable,
        }

    def rows(self) -> list[tuple[str, ...]]:
        """A row a transaction: label or id, state, requests sent for it, why it is not further."""
        return [(one.label or one.tx, one.state, str(one.attempts), one.why) for one in self.transactions]

    def lines(self) -> list[str]:
        """What is said below the table."""
        said = [f"paused: {self.paused}"] if self.paused else []
        return [*said, *self.notes] if self.transactions else ["there is nothing to push", *said]

    def __str__(self) -> str:
        return _text(_COLUMNS, self.rows(), self.lines())

    def _repr_html_(self) -> str:
        return _html(_COLUMNS, self.rows(), self.lines())


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One request that a push would send: `asked` as method and path, `body` as JSON, what it `waits` for."""

    tx: str
    label: str
    asked: str
    body: Fields | None = None
    waits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPlan:
    """What a push would send, in order, as are.na's calls."""

    requests: tuple[Planned, ...] = field(default_factory=tuple)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "requests": [
                {"tx": one.tx, "label": one.label, "asked": one.asked, "body": one.body, "waits": one.waits}
                for one in self.requests
            ]
        }

    def rows(self) -> list[tuple[str, ...]]:
        """A row a request: transaction, request, body, what it waits for."""
        return [
            (
                one.label or one.tx,
                one.asked,
                json.dumps(one.body, ensure_ascii=False) if one.body is not None else "",
                one.waits,
            )
            for one in self.requests
        ]

    def lines(self) -> list[str]:
        """What is said below the table."""
        return [] if self.requests else ["there is nothing to push"]

    def __str__(self) -> str:
        return _text(_PLAN_COLUMNS, self.rows(), self.lines())

    def _repr_html_(self) -> str:
        return _html(_PLAN_COLUMNS, self.rows(), self.lines())


def _text(columns: tuple[str, ...], rows: list[tuple[str, ...]], lines: list[str]) -> str:
    if not rows:
        return "\n".join(lines)
    table = [columns, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(columns))]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
    return "\n".join([*padded, *lines])


def _html(columns: tuple[str, ...], rows: list[tuple[str, ...]], lines: list[str]) -> str:
    """Labels are a person's, reasons are.na's: all of it is escaped."""
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table><tr>{head}</tr>{body}</table>" if rows else ""
    return table + "".join(f"<p>{escape(line)}</p>" for line in lines)
