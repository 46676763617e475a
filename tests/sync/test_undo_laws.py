"""Law 12: undo of n and then redo of n is the identity, when nothing else happened."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from drafting import Desk, items_of
from hypothesis import given, settings
from hypothesis import strategies as st

from vfdir_lab.errors import UsageError
from vfdir_lab.sync.transaction import Transaction

Wish = Callable[[Transaction], Any]

WISHES: dict[str, Wish] = {
    "title": lambda tx: tx.edit("block:1", title="A"),
    "another title": lambda tx: tx.edit("block:1", title="B", metadata={"n": 1}),
    "no title": lambda tx: tx.edit("block:1", title=None),
    "metadata": lambda tx: tx.edit("block:1", metadata={"n": None, "m": 2}),
    "channel": lambda tx: tx.edit_channel(1, title="C"),
    "block": lambda tx: tx.add_block(1, "hello", after="connection:1001"),
    "block elsewhere": lambda tx: tx.add_block(tx.add_channel("New"), "there"),
    "connect": lambda tx: tx.connect("block:2", 1),
    "disconnect": lambda tx: tx.disconnect("connection:1003"),
    "top": lambda tx: tx.move("connection:1001", to="top"),
    "bottom": lambda tx: tx.move("connection:1002", to="bottom"),
    "after": lambda tx: tx.move("connection:1002", after="connection:1001"),
    "comment": lambda tx: tx.comment("block:3", "so it is"),
}
REVERSIBLE = (
    "title",
    "another title",
    "no title",
    "metadata",
    "channel",
    "connect",
    "disconnect",
    "top",
    "bottom",
    "after",
)


@contextmanager
def new_desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder) / "archive")
        desk.show_channel(1, ["block:1", "block:2", "block:3"])
        yield desk


def commit(desk: Desk, names: list[str]) -> str | None:
    """A transaction of these wishes; those that make no sense by now are left out."""
    with desk.transaction("+".join(names)) as tx:
        for name in names:
            try:
                WISHES[name](tx)
            except UsageError:
                continue
    return tx.id


def shows(desk: Desk) -> Any:
    """What a person sees: fields and order."""
    visible = desk.visible()
    blocks = [visible.block(f"block:{number}").fields for number in (1, 2, 3)]
    return blocks, visible.channel("channel:1").fields, items_of(visible)


FEWER = settings(
    max_examples=settings().max_examples // 20
)  # each commits several times, and looks each time
TRANSACTIONS = st.lists(st.lists(st.sampled_from(sorted(WISHES)), min_size=1, max_size=3), max_size=4)


@FEWER
@given(TRANSACTIONS, st.integers(1, 4))
def test_undo_of_n_then_redo_of_n_leaves_the_same_wishes_open(made: list[list[str]], number: int) -> None:
    with new_desk() as desk:
        done = [commit(desk, names) for names in made]
        number = min(number, len([one for one in done if one is not None]))
        wishes, before = desk.open_wishes(), shows(desk)
        for _ in range(number):
            desk.undo()
        assert (desk.open_wishes() == wishes) is (number == 0)
        for _ in range(number):
            desk.redo()
        assert desk.open_wishes() == wishes
        assert shows(desk) == before
        assert desk.copy.verify().ok


@FEWER
@given(
    st.lists(
        st.one_of(
            st.sampled_from(["undo", "undo", "redo"]),
            st.lists(st.sampled_from(sorted(WISHES)), min_size=1, max_size=2),
        ),
        max_size=9,
    )
)
def test_what_is_open_is_what_two_stacks_say(steps: list[str | list[str]]) -> None:
    """Against a model that keeps the wishes of each transaction, and knows nothing of states and events."""
    with new_desk() as desk:
        done: list[Any] = []
        undone: list[Any] = []
        for step in steps:
            if isinstance(step, list):
                held = len(desk.open_wishes())
                if commit(desk, step) is not None:
                    done.append(desk.open_wishes()[held:])
                    undone.clear()
            elif step == "undo" and done:
                undone.append(done.pop())
                desk.undo()
            elif step == "redo" and undone:
                done.append(undone.pop())
                desk.redo()
            else:
                with pytest.raises(UsageError, match=f"nothing to {step}"):
                    getattr(desk, step)()
            assert desk.open_wishes() == [wish for one in done for wish in one]


@FEWER
@given(
    st.lists(st.lists(st.sampled_from(REVERSIBLE), min_size=1, max_size=3), min_size=1, max_size=3),
    st.sampled_from(["sent", "unknown", "accepted"]),
)
def test_of_what_went_out_the_opposite_shows_what_showed_before(made: list[list[str]], state: str) -> None:
    with new_desk() as desk:
        seen = [shows(desk)]
        for names in made:
            tx = commit(desk, names)
            if tx is not None:
                desk.answer(tx, state, reason="no answer")
                seen.append(shows(desk))
        for before in reversed(seen[:-1]):
            desk.undo()
            assert shows(desk) == before
        for after in seen[1:]:
            desk.redo()
            assert shows(desk) == after
