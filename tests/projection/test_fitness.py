"""What does not fit in a person's own version is said when it is put to use, and nothing of one that fits."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

from vfdir_lab.errors import UsageError
from vfdir_lab.event import Event
from vfdir_lab.projection.view import LensWarning

MakeEvent = Callable[..., Event]
FITTING = "SELECT * FROM blocks_v2"
OTHER_TYPE = "SELECT * REPLACE (CAST(remote_id AS VARCHAR) AS remote_id) FROM blocks_v2"
SHARED_KEY = """-- key: state
SELECT * FROM blocks_v2"""
FAILING = "SELECT * FROM blocks_v2 WHERE CAST(title AS BIGINT) > 0"


def test_nothing_is_said_of_a_version_that_fits(tides: Any) -> None:
    archive = tides.archive
    archive.projections["blocks"].save(7, "Fitting", FITTING)
    with warnings.catch_warnings():
        warnings.simplefilter("error", LensWarning)
        archive.projections["blocks"].use(7)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(
            OTHER_TYPE,
            r"^blocks v7 gives remote_id as VARCHAR, others rely on BIGINT; cast it$",
            id="another type",
        ),
        pytest.param(
            SHARED_KEY,
            r"^blocks v7 gives several rows of one state: 2 such, first available; mend the query",
            id="a key that is none",
        ),
        pytest.param(
            FAILING,
            r"^blocks v7 does not run over the events of this archive: Conversion Error",
            id="a query that fails on these rows",
        ),
    ],
)
def test_what_does_not_fit_is_said_and_used_all_the_same(
    tides: Any, event: MakeEvent, body: str, said: str
) -> None:
    tides.write(
        [
            event("bbbb", number, "block.observed", f"block:{70 + number}", title="T", state="available")
            for number in (1, 2)
        ]
    )
    archive = tides.archive
    archive.projections["blocks"].save(7, "Not fitting", body)
    with pytest.warns(LensWarning, match=said):
        archive.projections["blocks"].use(7)
    assert archive.lens().versions["blocks"] == 7


def test_to_go_back_with_what_there_never_was_is_refused(tides: Any) -> None:
    with pytest.raises(UsageError, match="there is no projection 'bloks'; there are"):
        tides.archive.projections["bloks"].use(None)


@pytest.mark.parametrize("name", [" mine", "mine ", "mine\n", "\u2003mine"])
def test_the_name_of_a_lens_has_no_space_at_its_ends(tides: Any, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a lens's name"):
        tides.archive.lens(name)
    with pytest.raises(UsageError, match="cannot be a lens's name"):
        tides.archive.projections["blocks"].use(3, lens=name)
