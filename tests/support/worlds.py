"""Looking at both sides: what the sandbox truly holds, and what the archive says of it."""

from collections import Counter

from vfdir_lab.archive import Archive
from vfdir_lab.sandbox import Sandbox


def big_channel(sandbox: Sandbox, size: int, title: str = "A long row") -> int:
    """A channel of `size` text blocks, made by the main person."""
    channel = sandbox.control.add_channel(title, by=sandbox.world.main)["id"]
    for number in range(size):
        sandbox.control.add_block(
            channel, f"Entry {number}, a line of text.", kind="Text", title=f"Entry {number}"
        )
    return int(channel)


def truly(sandbox: Sandbox, channel: int) -> list[tuple[str, str, bool]]:
    """(connection, item, pinned) from the bottom up, as the sandbox holds them."""
    return [
        (f"connection:{place['connection']}", f"{place['kind'].lower()}:{place['id']}", place["pinned"])
        for place in sandbox.control.snapshot(channel)
    ]


def held(archive: Archive, channel: int) -> list[tuple[str, str, bool]]:
    """The same, as the archive says."""
    rows = archive.sql(
        "SELECT object_id, item, pinned, position FROM connections "
        f"WHERE channel = 'channel:{channel}' ORDER BY position"
    ).fetchall()
    assert [row[3] for row in rows] == list(range(1, len(rows) + 1))
    return [row[:3] for row in rows]


def kinds_since(archive: Archive, events: int) -> Counter[str]:
    """How many events of each kind came after the first `events`, scans aside."""
    rows = archive.sql(f"SELECT kind FROM events WHERE seq > {events} AND kind NOT LIKE 'scan.%'").fetchall()
    return Counter(kind for (kind,) in rows)


def count(archive: Archive) -> int:
    """How many events there are."""
    return sum(archive.head.values())
