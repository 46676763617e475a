"""Stamps strictly increase, whatever clocks do; a stamp from the future does not poison the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.event import Clock, hlc_of, milliseconds_of
from vfdir_lab.event.stamp import COUNTER_BITS, DRIFT_BOUND_MS, EPOCH, moment_of, utc_now

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
NEAR = st.integers(-120_000_000, 120_000_000).map(lambda us: NOON + timedelta(microseconds=us))
SINCE_1970 = st.integers(0, 4_457 * 31_556_952_000_000).map(lambda us: EPOCH + timedelta(microseconds=us))
EVER = SINCE_1970 | st.integers(-(10**15), 0).map(lambda us: EPOCH + timedelta(microseconds=us))


class Wall:
    """A wall clock that reads what it is told."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


@given(SINCE_1970)
def test_milliseconds_are_whole_and_exact(moment: datetime) -> None:
    milliseconds = milliseconds_of(moment)
    assert EPOCH + timedelta(milliseconds=milliseconds) == moment.replace(
        microsecond=moment.microsecond // 1000 * 1000
    )
    assert hlc_of(moment) == milliseconds * 65_536
    assert hlc_of(moment) < 2**63
    assert hlc_of(moment_of(hlc_of(moment) + 65_535)) == hlc_of(moment)


def test_a_stamp_does_not_depend_on_the_time_zone_it_is_read_in() -> None:
    assert hlc_of(NOON) == hlc_of(NOON.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert hlc_of(datetime(2026, 11, 3, 12, 0, 0, 999, tzinfo=UTC)) == 1_793_707_200_000 << 16


@given(st.lists(EVER | NEAR, min_size=1, max_size=60), st.integers(0, 2**62))
def test_stamps_strictly_increase_under_any_readings_of_the_wall(readings: list[datetime], last: int) -> None:
    wall = Wall()
    clock = Clock(wall, "k3f9", last)
    for wall.moment in readings:
        before = clock.last
        stamp, now = clock.tick()
        assert stamp > before
        assert stamp >= hlc_of(now)
        assert stamp in (hlc_of(now), before + 1)
        assert now == wall.moment
        assert clock.last == stamp


@given(st.lists(st.tuples(NEAR, st.booleans()), min_size=1, max_size=60))
def test_stamps_strictly_increase_through_restarts(readings: list[tuple[datetime, bool]]) -> None:
    wall = Wall()
    clock = Clock(wall, "k3f9")
    given_stamps = []
    for wall.moment, restarts in readings:
        if restarts:
            clock = Clock(wall, "k3f9", clock.last)
        given_stamps.append(clock.tick()[0])
    assert given_stamps == sorted(set(given_stamps))


def test_the_counter_runs_over_into_the_next_millisecond() -> None:
    clock = Clock(Wall(), "k3f9")
    stamps = [clock.tick()[0] for _ in range(70_000)]
    assert stamps == list(range(hlc_of(NOON), hlc_of(NOON) + 70_000))
    assert stamps[-1] >> COUNTER_BITS == milliseconds_of(NOON) + 1


def test_a_wall_that_catches_up_is_followed_again() -> None:
    wall = Wall()
    clock = Clock(wall, "k3f9")
    clock.tick()
    wall.moment -= timedelta(hours=1)
    assert clock.tick()[0] == hlc_of(NOON) + 1
    wall.moment = NOON + timedelta(milliseconds=1)
    assert clock.tick()[0] == hlc_of(wall.moment)


@given(st.lists(st.tuples(NEAR, st.integers(0, 2**63 - 1) | NEAR.map(hlc_of)), min_size=1, max_size=60))
def test_what_is_said_after_an_observed_stamp_comes_after_it(seen: list[tuple[datetime, int]]) -> None:
    wall = Wall()
    clock = Clock(wall, "k3f9")
    for wall.moment, foreign in seen:
        before = clock.last
        observed = clock.observe(foreign)
        bound = milliseconds_of(wall.moment) + DRIFT_BOUND_MS
        assert observed == (foreign >> COUNTER_BITS <= bound)
        assert clock.last == (max(before, foreign) if observed else before)
        assert clock.tick()[0] > (foreign if observed else before)


@given(st.lists(st.integers(0, 2**63 - 1), max_size=60))
def test_a_stamp_from_the_future_does_not_poison_the_clock(foreign: list[int]) -> None:
    """Whatever is observed, a clock runs ahead of the wall by no more than the bound."""
    clock = Clock(Wall(), "k3f9")
    for stamp in foreign:
        clock.observe(stamp)
    assert clock.tick()[0] >> COUNTER_BITS <= milliseconds_of(NOON) + DRIFT_BOUND_MS + 1


def test_the_bound_itself_is_still_observed() -> None:
    clock = Clock(Wall(), "k3f9")
    bound = milliseconds_of(NOON) + DRIFT_BOUND_MS
    assert clock.observe((bound + 1 << 16) - 1)
    assert not clock.observe(bound + 1 << 16)


def test_the_wall_clock_is_in_utc() -> None:
    assert utc_now().utcoffset() == timedelta(0)
