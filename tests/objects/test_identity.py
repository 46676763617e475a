"""One object for each id, as long as somebody holds it."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

LOCAL = "block:~dev2.7"


def draft(home: Any, local: str = LOCAL) -> None:
    """Another device drafted a block, and wished nothing else."""
    from vfdir_lab.event import Draft

    home.record(
        Draft(
            kind="block.drafted",
            object_id=local,
            payload={"type": "Text", "content": "new", "title": "Draft", "intent": "1"},
            cause="tx:1",
        ),
        Draft(kind="tx.committed", object_id="tx:1", payload={"intents": ["1"], "label": ""}),
    )


def test_every_way_leads_to_the_same_object(home: Any) -> None:
    objects = home.objects
    block = objects.block(2)
    assert objects.block("block:2") is objects.block("2") is block
    assert objects.channel(1).blocks[1] is block
    assert objects.channel("moons").items[0] is block
    assert objects.connection(1002).item is block
    assert next(one for one in objects.blocks if one.object_id == "block:2") is block
    assert objects.user(9).blocks[1] is block
    assert home.archive.objects.block(2) is block
    assert objects.channel("moons") is objects.channel(2) is objects.channel("channel:2")


def test_nobody_is_kept_alive_by_the_pool(home: Any) -> None:
    block = home.objects.block(2)
    gone = weakref.ref(block)
    del block
    gc.collect()
    assert gone() is None
    assert home.objects.block(2).title == "Entry 2"


def test_an_object_outlives_changes_of_everything_around_it(home: Any) -> None:
    block, before = home.objects.block(2), list(home.objects.blocks)
    home.observe("block:0", type="Text")  # every place in the table shifts
    home.show_channel(3, ["block:900", "block:2"])
    assert home.objects.block(2) is block
    assert [home.objects.block(one.remote_id) for one in before] == before
    assert block in home.objects.channel(3).blocks


def test_a_local_id_and_are_nas_are_one_object_after_the_binding(home: Any) -> None:
    draft(home)
    home.bind(LOCAL, "block:70")
    home.observe("block:70", type="Text", title="Arrived")
    assert home.objects.block(LOCAL) is home.objects.block(70)
    assert home.objects.block(LOCAL).object_id == "block:70"


@pytest.mark.parametrize("asked_first", ["row", "id"])
def test_what_is_held_by_its_local_id_becomes_the_object_of_are_nas(home: Any, asked_first: str) -> None:
    draft(home)
    block = home.objects.block(LOCAL)
    assert (block.object_id, block.remote_id, block.title, block.pending) == (LOCAL, None, "Draft", True)
    home.bind(LOCAL, "block:70")
    assert block.object_id == "block:70"
    home.observe("block:70", type="Text", title="Arrived")
    found = {one.object_id: one for one in home.objects.blocks} if asked_first == "row" else {}
    assert found.get("block:70", block) is home.objects.block(70) is home.objects.block(LOCAL) is block


def test_two_that_turn_out_to_be_one_show_the_same(home: Any) -> None:
    """Both were held before anybody could know: they cannot become one object, but both are the block."""
    draft(home)
    home.observe("block:70", type="Text", title="Arrived")
    local, remote = home.objects.block(LOCAL), home.objects.block(70)
    home.bind(LOCAL, "block:70")
    home.observe("block:70", type="Text", title="Changed")
    assert local.object_id == remote.object_id == "block:70"
    assert local.content == remote.content
    assert home.objects.block(LOCAL) is home.objects.block(70) is remote


def test_threads_that_ask_at_once_are_given_one_object(home: Any) -> None:
    barrier = Barrier(8)

    def ask(_: int) -> list[Any]:
        barrier.wait()
        return [*(home.objects.block(number) for number in (1, 2, 3)), *home.objects.channel(1).blocks]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    assert all(one is other for answer in answers for one, other in zip(answer, answers[0], strict=True))


def test_archives_have_objects_of_their_own(home: Any) -> None:
    from vfdir_lab.archive import Archive

    other = Archive(home.archive.path)
    assert other.objects.block(1) is not home.objects.block(1)
    assert home.objects.block(1) not in other.objects.blocks
