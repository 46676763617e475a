"""Ids are found as a dictionary finds them."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.objects.frame import SQL
from vfdir_lab.objects.ids import Ids, id_of, key_of
from vfdir_lab.projection.connection import connect
from vfdir_lab.projection.engine import read_sql

NUMBERS = st.one_of(st.integers(0, 20), st.integers(2**63 - 3, 2**63 + 3), st.just(10**19)).map(str)
RESTS = st.one_of(
    NUMBERS, st.sampled_from(["007", "", "-5", "+1", "~dev.7", "~dev.8", "1:2", "²", "1 ", "x"])
)
IDS = st.builds("{}:{}".format, st.sampled_from(["block", "channel", "user", "group"]), RESTS)
CONNECTION, QUERY = connect(), read_sql(SQL, "table")
ANY = st.one_of(IDS, st.sampled_from(["block", "", "🌊", "blöck:1"]))


def ordered(ids: list[str]) -> pa.Table:
    """These ids as `table.sql` gives them."""
    CONNECTION.register("the_table", pa.table({"object_id": pa.array(ids, pa.string())}))
    return CONNECTION.sql(QUERY).to_arrow_table()


@given(ids=st.lists(ANY, unique=True, max_size=30), others=st.lists(ANY, max_size=10))
def test_each_id_is_found_where_it_is_and_no_other(ids: list[str], others: list[str]) -> None:
    table = ordered(ids)
    places = {one: place for place, one in enumerate(table.column("object_id").to_pylist())}
    found = Ids(table)
    assert found.size == len(ids)
    for one in [*ids, *others]:
        for space in ("block", "user"):
            assert found.place(space, key_of(space, one)) == places.get(one)


@given(ids=st.lists(ANY, unique=True, max_size=30))
def test_a_place_has_the_number_of_its_id(ids: list[str]) -> None:
    table = ordered(ids)
    for place, one in enumerate(table.column("object_id").to_pylist()):
        number = Ids(table).number("block", place)
        key = key_of("block", one)
        assert number == (key if isinstance(key, int) else None)


@given(one=ANY)
def test_a_key_says_which_id_it_is_of(one: str) -> None:
    assert id_of("block", key_of("block", one)) == one


def test_the_ids_of_a_slice_of_a_table_are_those_of_the_slice() -> None:
    """Arrow's buffers begin before a slice does."""
    table = ordered([f"block:{number}" for number in range(1, 9)]).slice(3, 2)
    assert [Ids(table).place("block", number) for number in (3, 4, 5, 6)] == [None, 0, 1, None]
