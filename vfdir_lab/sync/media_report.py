"""What saving the media of a channel did, told while it runs and when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

MEDIA_COLUMNS = ("channel", "files", "saved", "bytes", "here already", "failed", "left")


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaProgress:
    """A moment of it: `done` of `total` files of `channel` (its title), and `bytes` of the one under way."""

    channel: str
    done: int
    total: int
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFailure:
    """A file that could not be saved: its address, a block it belongs to, why, and whether that may pass."""

    url: str
    block: str
    reason: str
    is_retryable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaReport:
    """What became of the originals of a channel.

    `files` counts the addresses there are; `saved` what was fetched now, of `bytes` altogether; `known` what
    was here already; `left` what was not tried, since nobody answered any more. What failed or is left is
    tried again the next time.
    """

    channel: str
    title: str
    files: int
    saved: int
    bytes: int
    known: int
    failed: tuple[MediaFailure, ...] = ()
    left: int = 0

    @property
    def resumable(self) -> bool:
        """Whether another try may save more."""
        return self.left > 0 or any(one.is_retryable for one in self.failed)

    @property
    def notes(self) -> tuple[str, ...]:
        """A line for each file that failed, for a person."""
        return tuple(f"{one.url} ({one.block}): {one.reason}" for one in self.failed)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "channel": self.channel,
            "title": self.title,
            "files": self.files,
            "saved": self.saved,
            "bytes": self.bytes,
            "known": self.known,
            "left": self.left,
            "failed": [
                {"url": one.url, "block": one.block, "reason": one.reason, "retryable": one.is_retryable}
                for one in self.failed
            ],
        }

    def row(self) -> tuple[str, ...]:
        """Channel, files, saved, bytes, here already, failed, left."""
        counts = (self.files, self.saved, self.bytes, self.known, len(self.failed), self.left)
        return (self.title or self.channel, *(f"{count:,}" for count in counts))

    def __str__(self) -> str:
        said = [f"{name} {cell}" for name, cell in zip(MEDIA_COLUMNS[1:], self.row()[1:], strict=True)]
        return "\n".join([f"{self.row()[0]}: {', '.join(said)}", *self.notes])

    def _repr_html_(self) -> str:
        """The same for a notebook; titles, addresses and reasons are remote text and are escaped."""
        head = "".join(f"<th>{column}</th>" for column in MEDIA_COLUMNS)
        body = "".join(f"<td>{escape(cell)}</td>" for cell in self.row())
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<table><tr>{head}</tr><tr>{body}</tr></table>{notes}"
