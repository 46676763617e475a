"""Wishes through checkpoints and layouts: what is read so is what is computed in full."""

from __future__ import annotations

import os
import tempfile
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stories import Story, stories

from vfdir_lab.log import Head
from vfdir_lab.projection import Engine, default_lens, incremental
from vfdir_lab.projection.opening import named
from vfdir_lab.projection.replay import replay

NAMES = ("blocks", "channels", "connections", "wishes", "outbox", "conflicts", "open_wishes", "bindings")


@pytest.fixture(autouse=True)
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """These are laws about answers: no disk is asked, and no share of a small log is too large."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    monkeypatch.setattr(incremental, "SHARE", 100)
    if os.access("/dev/shm", os.W_OK):
        monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")


@settings(max_examples=20)
@given(story=stories(), seed=st.integers(0, 999), name=st.sampled_from(NAMES), confined=st.booleans())
def test_what_is_refreshed_is_what_is_computed_in_full(
    new_desk: Any, story: Story, seed: int, name: str, confined: bool
) -> None:
    """Any cut by vector, so that answers come before what they answer; any layout of both parts."""
    chance = Random(seed)
    count = {one: sum(event.device == one for event in story.events) for one in ("aaaa", "bbbb")}
    head = Head({one: chance.randint(0, most) for one, most in count.items() if most})
    early = [event for event in story.events if event.seq <= head.seq(event.device)]
    with new_desk() as desk:
        desk.write(early, lambda: chance.randint(1, 5))
        lens = default_lens()
        replay(desk.log(), desk.root / "cache", lens, only=named(lens, name))
        desk.write([one for one in story.events if one not in early], lambda: chance.randint(1, 5))
        told = []
        for engine in (Engine(desk.log(), desk.root / "cache"), desk.engine()):
            opened = engine._open(name, engine._stand(None, None), confined=confined)
            told.append(opened.connection.sql(f"FROM {name} ORDER BY ALL").to_arrow_table())
        assert told[0].equals(told[1]), f"{name}: {told[0].to_pylist()} is not {told[1].to_pylist()}"
