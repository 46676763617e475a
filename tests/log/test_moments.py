"""Every way a person says a moment becomes a head."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from vfdir_lab.errors import HeadError
from vfdir_lab.log import Head
from vfdir_lab.log.moments import head_of

Place = Any


@pytest.fixture
def two_days(place: Place) -> Place:
    """Two events recorded at noon of the third of November in UTC, two more a day later."""
    place.append(1)
    place.wall.step(86_400)
    place.append(2)
    return place


@pytest.mark.parametrize(
    ("moment", "seq"),
    [
        ("2026-11-03", 0),
        ("2026-11-04", 2),
        (" 2026-11-05 ", 4),
        ("2026-11-03T12:00", 0),
        ("2026-11-03T12:00:01", 2),
        ("2026-11-03 12:00:01Z", 2),
        ("2026-11-03T14:00:01+02:00", 2),
        ("20261104", 2),
        (date(2026, 11, 4), 2),
        (datetime(2026, 11, 4), 2),  # noqa: DTZ001 (a person's time without a zone is UTC)
        (datetime(2026, 11, 5, tzinfo=UTC), 4),
        ("empty", 0),
        ("dev1:3", 3),
        (Head({"dev1": 1}), 1),
    ],
    ids=repr,
)
def test_a_moment_means_the_head_before_it(two_days: Place, moment: Any, seq: int) -> None:
    assert head_of(two_days.log(), moment) == Head({"dev1": seq})


def test_a_device_whose_name_looks_like_a_year_has_heads_too(place: Place, make_events: Any) -> None:
    place.write(make_events("2026abcdef", 1, 3))
    assert head_of(place.log(), "2026abcdef:2") == Head({"2026abcdef": 2})


@pytest.mark.parametrize(
    "moment", ["", "yesterday", "2026-13-01", "dev1:x", "dev1:9", "dev9:1", Head({"dev9": 1})]
)
def test_what_says_no_moment_of_this_log_is_an_error(two_days: Place, moment: Any) -> None:
    with pytest.raises(HeadError):
        head_of(two_days.log(), moment)
