"""Quick: read the newest connections until a page holds only what is known, and see whether the count agrees.

An unchanged channel costs one page. Moves and edits of old items show no sign are.na gives, so a quick look
cannot find them; a full reading does.
"""

from __future__ import annotations

from vfdir_lab.sync.normalise import SeenItem
from vfdir_lab.sync.reading import Outcome, Reading

PAGES_MAX = 5


def look(reading: Reading) -> Outcome | None:
    """Record what is new and changed among the newest; None when only a full reading can tell."""
    fresh: dict[str, SeenItem] = {}
    for number in range(1, PAGES_MAX + 1):
        page, items = reading.contents(number, "created_at_desc")
        known = [item for item in items if not reading.is_new(item)]
        fresh |= {item.connection.object_id: item for item in items if reading.is_new(item)}
        if items and not known and page.has_more:
            return None
        news = reading.recorder.items(known, lambda _device: {})
        reading.report.items += len(known)
        reading.setting.tell(reading.report.items, None)
        if not page.has_more or (len(known) == len(items) and not news):
            break
    else:
        return None
    if reading.unreadable or page.total_count != _expected(reading) + len(fresh):
        return None
    if fresh and not _place(reading, fresh):
        return None
    return Outcome(mode="quick", complete=False, total=page.total_count)


def _expected(reading: Reading) -> int:
    """How many items this account should be shown, if nothing but the newest has changed.

    What we hold, plus or minus what the last complete scan by this account was shown differently (a guest's
    listing hides private channels).
    """
    last = reading.mirror.last_complete(reading.account)
    difference = int(last.payload["total"]) - int(last.payload["live"]) if last else 0
    return len(reading.mirror.live()) + difference


def _place(reading: Reading, fresh: dict[str, SeenItem]) -> bool:
    """Record new items with their place among the topmost hundred; False when they are not all there."""
    page, items = reading.contents(1, "position_desc")
    window = items[::-1]
    found = {item.connection.object_id: item for item in window}
    if (
        reading.unreadable
        or {one.connection.object_id for one in window if reading.is_new(one)} != fresh.keys()
    ):
        return False
    if page.has_more and window[0].connection.object_id in fresh:
        return False  # what it follows on is on the next page
    ordered = [item for one, item in found.items() if one in fresh]
    reading.recorder.items(ordered, lambda device: reading.placed(window, device, below=None, top=True))
    reading.report.items += len(ordered)
    return True
