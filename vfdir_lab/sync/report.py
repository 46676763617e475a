"""What a pull did, told while it runs and when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from vfdir_lab.errors import VfdirError
from vfdir_lab.sync.media_report import MediaReport


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProgress:
    """A moment of a running pull: `items` of `total` read of `channel` (its title), and what it waits for."""

    channel: str
    items: int
    total: int | None
    waiting: str = ""


@dataclass(slots=True, kw_only=True)
class ChannelReport:
    """What was found in one channel. Counts are of connections and items.

    `mode` is `quick` or `full`; `complete` says that all pages were read and agreed. `requests` and
    `waited_seconds` are what it cost. `notes` are for the person; `error` is why it ended early;
    `unsettled` says that something is missing and not proven gone.
    """

    name: str
    channel: str = ""
    title: str = ""
    mode: str = "quick"
    complete: bool = False
    items: int = 0
    new: int = 0
    changed: int = 0
    moved: int = 0
    vanished: int = 0
    comments: int = 0
    requests: int = 0
    waited_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    error: VfdirError | None = None
    requests_before: int = 0
    unsettled: bool = False

    @property
    def state(self) -> str:
        """One word or two: how it went."""
        if self.error is not None:
            return "waits" if getattr(self.error, "is_retryable", False) else "failed"
        return "unsure" if self.unsettled or (self.mode == "full" and not self.complete) else "done"

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "name": self.name,
            "channel": self.channel,
            "title": self.title,
            "mode": self.mode,
            "complete": self.complete,
            "items": self.items,
            "new": self.new,
            "changed": self.changed,
            "moved": self.moved,
            "vanished": self.vanished,
            "comments": self.comments,
            "requests": self.requests,
            "waited_seconds": round(self.waited_seconds, 3),
            "state": self.state,
            "notes": list(self.notes),
            "error": str(self.error) if self.error else None,
        }


_COLUMNS = ("channel", "new", "changed", "moved", "vanished", "requests", "waited", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class PullReport:
    """What a pull found, channel by channel, in the order they were read; `media`, what was saved of them."""

    channels: tuple[ChannelReport, ...]
    account: str
    requests: int
    media: tuple[MediaReport, ...] = ()

    @property
    def resumable(self) -> bool:
        """Whether something is left that the next pull can do: a budget reached, pages that kept moving."""
        is_left = any(one.state in {"waits", "unsure"} for one in self.channels)
        return is_left or any(one.resumable for one in self.media)

    @property
    def failed(self) -> tuple[ChannelReport, ...]:
        """The channels that could not be read."""
        return tuple(one for one in self.channels if one.state == "failed")

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "account": self.account,
            "requests": self.requests,
            "resumable": self.resumable,
            "channels": [one.as_dict() for one in self.channels],
            "media": [one.as_dict() for one in self.media],
        }

    def rows(self) -> list[tuple[str, ...]]:
        """A row a channel: channel, new, changed, moved, vanished, requests, waited, state."""
        return [
            (
                one.title or one.name,
                *(str(count) for count in (one.new, one.changed, one.moved, one.vanished, one.requests)),
                f"{one.waited_seconds:.0f} s",
                one.state,
            )
            for one in self.channels
        ]

    def __str__(self) -> str:
        table = [_COLUMNS, *self.rows()]
        widths = [max(len(row[i]) for row in table) for i in range(len(_COLUMNS))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        lines += [f"{one.title or one.name}: {note}" for one in self.channels for note in one.notes]
        lines += [f"{one.name}: {one.error}" for one in self.channels if one.error]
        return "\n".join([*lines, *map(str, self.media)])

    def _repr_html_(self) -> str:
        """The same for a notebook; titles are remote text and are escaped."""
        head = "".join(f"<th>{column}</th>" for column in _COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows()
        )
        notes = [f"{one.title or one.name}: {note}" for one in self.channels for note in one.notes]
        notes += [f"{one.name}: {one.error}" for one in self.channels if one.error]
        return f"<table><tr>{head}</tr>{body}</table>" + "".join(
            [*(f"<p>{escape(note)}</p>" for note in notes), *(one._repr_html_() for one in self.media)]
        )
