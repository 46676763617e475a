"""Law 1 through a bucket: in whatever order copies record, compact and share, all end up alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from buckets import Storage, moto, settle, shared
from copies import Copy, Sky, held
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vfdir_lab.event import Event

STEPS = st.lists(
    st.tuples(st.sampled_from(["append", "share", "share", "squeeze", "merge"]), st.integers(0, 2)),
    min_size=3,
    max_size=10,
)


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with moto() as running:
        yield running


@pytest.fixture(autouse=True)
def _quickly(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """That what is written survives a power cut is asked by other tests."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    for name, value in storage.environment().items():
        monkeypatch.setenv(name, value)


def play(copies: list[Copy], steps: list[tuple[str, int]], url: str) -> list[Event]:
    """Do the steps; returns every event that was recorded."""
    written: list[Event] = []
    for what, at in steps:
        copy = copies[at]
        if what == "append":
            written += copy.append(1 + at)
        elif what == "share":
            before = copy.events()
            shared(copy, url)
            assert {event.event_id for event in before} <= {event.event_id for event in copy.events()}
        elif what == "merge":
            copy.merge(copies[at - 1])
        elif len(copy.log.coverage().of(copy.log.device())) > 1:
            copy.squeeze(copy.log.device(), 0, 1, keep=at == 1)
    return sorted(written, key=lambda event: (event.device, event.seq))


@settings(max_examples=15)
@given(steps=STEPS)
@example(steps=[("append", 0), ("share", 0), ("append", 0), ("squeeze", 0), ("share", 0), ("share", 1)])
@example(steps=[("append", 0), ("share", 0), ("share", 1), ("append", 0), ("merge", 1), ("squeeze", 0)])
def test_any_order_of_sharing_gives_the_same_events(storage: Storage, steps: list[tuple[str, int]]) -> None:
    url = f"s3://{storage.bucket()}/shared"
    with TemporaryDirectory() as folder:
        sky = Sky()
        copies = [Copy(Path(folder) / name, sky) for name in ("one", "two", "three")]
        written = play(copies, steps, url)
        settle(copies, url)
        assert all(events == written for events in held(copies))
        for copy in copies:
            report = copy.verify()
            assert report.ok, str(report)
            again = shared(copy, url)
            assert (again.copied, again.sent, again.whole) == ((), (), True)
        assert copies[0].opened().coverage().events == len(written)
