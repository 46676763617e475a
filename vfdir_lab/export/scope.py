"""Which channels leave the archive: those that were asked for, and those inside them as deep as was asked.

Owns: `Scope`. Guarantees: each channel once, in a fixed order, however they hold each other; a private one
only where that was said. Leaves to others: what is shown of the channels that are only mentioned
(`sql/part_told.sql`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from vfdir_lab.errors import ExportError
from vfdir_lab.export.rows import SQL, Row, Rows, plain
from vfdir_lab.log import Head
from vfdir_lab.projection import Engine, Lens
from vfdir_lab.projection.engine import read_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The channels of a snapshot, as rows of `channels`, those asked for first; `sizes` counts their items.

    `home` is the one it is a snapshot of; None: it is of every channel that was read. `nested` counts the
    channels in each; `owners` are their people, by id.
    """

    home: Row | None
    owners: dict[str, Row]
    channels: tuple[Row, ...]
    sizes: dict[str, int]
    nested: dict[str, int]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the channels, in order."""
        return tuple(row["object_id"] for row in self.channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """From where the archive is looked at."""

    engine: Engine
    head: Head
    lens: Lens

    def rows(self, *channels: str) -> Rows:
        """The rows of these channels."""
        return Rows(self.engine, self.head, self.lens, channels)

    def ask(self, query: str, **parameters: object) -> list[Row]:
        """The answer to `sql/<query>.sql` by itself."""
        table = self.engine.arrow(read_sql(SQL, query), parameters, head=self.head, lens=self.lens)
        return [plain(row) for row in table.to_pylist()]

    def known_at(self) -> str:
        """When the newest event up to the head was recorded: ISO 8601 in UTC, empty for none."""
        found = self.engine.facts("SELECT max(recorded_at) AS at FROM events", {}, head=self.head)
        return str(plain(found.column("at")[0].as_py()) or "")


def scope_of(standing: Standing, channel: int | str | None, *, depth: int, private: bool) -> Scope:
    """The channel that is called so and those inside it down to `depth`; None: all that were read.

    Raises:
        ExportError: there is none, there are several, or it is private and that was not said.
    """
    if channel is None:
        asked = [row for row in standing.ask("chosen") if private or row["visibility"] != "private"]
        if not asked:
            raise ExportError("no channel was read that may leave this archive; `pull` one first")
    else:
        asked = [_find(standing, channel, private=private)]
    ids = _reached(standing, [row["object_id"] for row in asked], depth=depth, private=private)
    rows = standing.rows(*ids)
    found = {row["object_id"]: row for row in asked}
    if len(found) < len(ids):  # a query over all channels, which takes long, for those that were met inside
        found = {row["object_id"]: row for row in islice(rows.of("channels"), len(ids))}
    owners = sorted({row["owner"] for row in found.values() if row["owner"]})
    sizes = [plain(row) for row in rows.table("sizes").to_pylist()]
    return Scope(
        home=None if channel is None else found[ids[0]],
        owners={row["object_id"]: row for row in rows.of("users", people=owners)},
        channels=tuple(found[one] for one in ids),
        sizes=dict.fromkeys(ids, 0) | {row["channel"]: row["items"] for row in sizes},
        nested=dict.fromkeys(ids, 0) | {row["channel"]: row["channels"] for row in sizes},
    )


def _find(standing: Standing, channel: int | str, *, private: bool) -> Row:
    wanted = f"channel:{channel}" if str(channel).isdecimal() else str(channel)
    found = standing.ask("find", name=wanted)
    if not found:
        raise ExportError(f"there is no channel {channel!r} in this archive at that head; `pull` it first")
    if len(found) > 1:
        numbers = ", ".join(str(row["remote_id"]) for row in found)
        raise ExportError(f"several channels are called {channel!r}; give the number: {numbers}")
    if found[0]["visibility"] == "private" and not private:
        raise ExportError(f"{channel!r} is private; say --private to let it leave the archive")
    return found[0]


def _reached(standing: Standing, asked: list[str], *, depth: int, private: bool) -> list[str]:
    """The channels asked for, and level by level those inside that were not met before."""
    met = dict.fromkeys(asked)
    level = asked
    for _ in range(depth):
        inside = standing.rows(*level).table("nested", private=private).column("channel").to_pylist()
        level = [one for one in inside if one not in met]
        if not level:
            break
        met |= dict.fromkeys(level)
    return list(met)
