"""Comments cost a request a block: they are read only when asked for, and where their count changed."""

from __future__ import annotations

from vfdir_lab.errors import BudgetReachedError
from vfdir_lab.event import Draft, remote_number
from vfdir_lab.sync.normalise import comment
from vfdir_lab.sync.reading import Reading

PAGES_MAX = 50


def read_comments(reading: Reading, counts: dict[str, int]) -> BudgetReachedError | None:
    """Record new comments, block by block; fills in the counts they were read at, for `scan.finished`.

    Returns the error when the budget ended before all were read; what was read is recorded.
    """
    earlier: dict[str, int] = {}
    for scan in reading.mirror.scans:
        earlier |= scan.payload.get("comments", {})
    for block in sorted(reading.mirror.live_items()):
        count = (reading.mirror.fields(block) or {}).get("comment_count")
        held = len(reading.mirror.comments.get(block, ()))
        if isinstance(count, int) and count != earlier.get(block, held):
            try:
                _read(reading, block)
            except BudgetReachedError as error:
                return error
            counts[block] = count
    return None


def _read(reading: Reading, block: str) -> None:
    for number in range(1, PAGES_MAX + 1):
        page = reading.client.comments(remote_number(block) or 0, page=number)
        found = [one for wire in page.items if (one := comment(wire, block)) is not None]

        def build(_device: str) -> list[Draft]:
            return [draft for one in found for draft in reading.recorder.whole(one)]  # noqa: B023 - called at once

        events = reading.recorder.append(build)
        reading.recorder.tally.comments += sum(event.kind == "comment.observed" for event in events)
        if not page.has_more or not page.items:
            return
