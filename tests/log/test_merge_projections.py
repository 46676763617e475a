"""Two devices that saw the same channel: projections are row for row equal, whichever merged first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from copies import Copy, Sky
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.event import Draft
from vfdir_lab.log.segment import table_of
from vfdir_lab.projection import Engine, default_lens

TABLES = ("blocks", "connections", "channels", "users", "scans", "events")


pytestmark = pytest.mark.usefixtures("in_memory")


def fact(kind: str, object_id: str, cause: str, **payload: Any) -> Draft:
    return Draft(kind=kind, object_id=object_id, payload=payload, origin="arena", cause=cause)


def pulled(copy: Copy, number: int, titles: list[str | None]) -> None:
    """What a pull of a channel records: a scan, its channel, its blocks in an order, some of them gone."""
    scan = f"scan:{copy.root.name}{number}"
    drafts = [
        fact("scan.started", scan, scan, channel="channel:1"),
        fact("channel.observed", "channel:1", scan, slug="tides", title=f"Tides {number}"),
        fact("user.observed", "user:9", scan, name="Ada", slug="ada"),
    ]
    for rank, title in enumerate(titles, 1):
        if title is None:
            drafts.append(fact("connection.vanished", f"connection:{rank}", scan))
            continue
        item = {"channel": "channel:1", "item": f"block:{rank}", "rank": f"a{rank}"}
        drafts.append(fact("block.observed", f"block:{rank}", scan, type="Text", title=title))
        drafts.append(fact("connection.observed", f"connection:{rank}", scan, **item))
    drafts.append(fact("scan.finished", scan, scan, channel="channel:1", complete=True))
    copy.sky.step(0.5)
    copy.log.append(drafts)


def rows(copy: Copy, *tables: str) -> dict[str, list[dict[str, Any]]]:
    engine = Engine(copy.opened())
    return {name: engine.arrow(f"SELECT * FROM {name} ORDER BY ALL").to_pylist() for name in tables}


@pytest.fixture(scope="module")
def answer() -> Iterator[Callable[[Copy, str], list[Any]]]:
    """What a copy answers for a table. One connection for all examples; rows in their files' order."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("log", table_of([]))
    connection.execute("CREATE VIEW events AS SELECT device || ':' || seq AS event_id, * FROM log")
    for definition in default_lens().definitions:
        connection.execute(f"CREATE VIEW {definition.name} AS {definition.plain}")

    def of(copy: Copy, table: str) -> list[Any]:
        log = copy.opened()
        connection.register("log", pa.concat_tables(log.read(one) for one in log.coverage().segments))
        return connection.sql(f"FROM {table} ORDER BY ALL").to_arrow_table().to_pylist()

    yield of
    connection.close()


@given(
    pulls=st.lists(
        st.tuples(
            st.booleans(),
            st.lists(st.none() | st.sampled_from(["calm", "storm", ""]), min_size=1, max_size=4),
            st.booleans(),
        ),
        min_size=2,
        max_size=4,
    ),
    table=st.sampled_from(TABLES),
)
def test_projections_are_equal_after_merging_in_either_order(
    answer: Callable[[Copy, str], list[Any]], pulls: list[tuple[bool, list[str | None], bool]], table: str
) -> None:
    with TemporaryDirectory() as folder:
        sky = Sky()
        one, two, third = (Copy(Path(folder) / name, sky) for name in ("one", "two", "third"))
        for number, (first, titles, exchange) in enumerate(pulls):
            pulled(one if first else two, number, titles)
            if exchange:
                (one if first else two).merge(two if first else one)
        third.merge(two)
        third.merge(one)
        one.merge(two)
        two.merge(one)
        expected = answer(one, table)
        assert expected or table in {"blocks", "connections"}  # all of them may have vanished
        assert answer(two, table) == expected
        assert answer(third, table) == expected


def test_what_two_devices_saw_is_one_row_and_two_events(tmp_path: Path) -> None:
    sky = Sky()
    one, two = Copy(tmp_path / "one", sky), Copy(tmp_path / "two", sky)
    pulled(one, 1, ["calm"])
    pulled(two, 1, ["storm"])
    one.merge(two)
    two.merge(one)
    found = rows(one, *TABLES)
    assert found == rows(two, *TABLES)
    assert [row["title"] for row in found["blocks"]] == ["storm"]  # seen later
    assert len([row for row in found["events"] if row["kind"] == "block.observed"]) == 2
