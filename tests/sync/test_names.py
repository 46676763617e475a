"""What people call a channel."""

from pathlib import Path

import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.errors import UsageError
from vfdir_lab.event import Draft
from vfdir_lab.sync import channel_name
from vfdir_lab.sync.naming import Naming


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tides", "tides"),
        (" tides ", "tides"),
        ("cli-updated-title-c9bye_kvqxy", "cli-updated-title-c9bye_kvqxy"),
        ("275", 275),
        pytest.param(275, 275, id="a number"),
        ("channel:275", 275),
        ("https://www.are.na/ines-havel/tides", "tides"),
        ("https://www.are.na/ines-havel/tides?sort=x#top", "tides"),
        ("www.are.na/ines-havel/tides/", "tides"),
        ("are.na/channel/tides", "tides"),
        ("潮汐", "潮汐"),
    ],
)
def test_a_slug_a_number_and_an_address_are_understood(typed: int | str, meant: int | str) -> None:
    assert channel_name(typed) == meant


@pytest.mark.parametrize(
    "typed",
    ["", " ", "a b", "a/b", "../etc", "..", ".", "a\nb", "a?b", "a#b", "a%2Fb", "a\x00b", "a\u202eb",
     "x" * 201, "9" * 30 + "/", "https://example.org/a/b", "https://www.are.na/", "https://www.are.na/a/b%2Fc",
     "block:3", "http://[::1"],
)  # fmt: skip
def test_anything_else_is_refused_with_a_way_out(typed: str) -> None:
    with pytest.raises(UsageError, match=r"slug|address"):
        channel_name(typed)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        pytest.param([(1, {"slug": "tides"}), (2, {"slug": "ebb"})], 1, id="the only one"),
        pytest.param([(1, {"slug": "tides"}), (2, {"slug": "tides"})], 2, id="the newest of two"),
        pytest.param([(2, {"slug": "tides"}), (1, {"slug": "tides"}), (1, {"slug": "ebb"})], 2, id="renamed"),
        pytest.param([(2, {"slug": "tides"}), (1, {"slug": "tides"}), (1, {"slug": None})], 2, id="cleared"),
        pytest.param([(2, {"slug": "tides"}), (1, {"slug": "tides"}), (1, None)], 2, id="vanished"),
        pytest.param([(2, {"slug": "tides"}), (1, {"slug": "tides"}), (1, {"title": "T"})], 1, id="not said"),
        pytest.param([(1, {"slug": "tides"}), (2, {"slug": "tides"}), (1, None), (2, None)], 2, id="none is"),
        pytest.param([(1, {"slug": "tides"}), (1, None), (1, {"title": "T"})], 1, id="back again"),
    ],
)
def test_a_slug_is_that_of_the_channel_that_bears_it_now(
    tmp_path: Path, said: list[tuple[int, dict[str, str | None] | None]], meant: int
) -> None:
    """Else of the one that last bore it. The channel's table says the same of those that bear it."""
    with Archive(tmp_path / "archive", create=True) as archive:
        drafts = [
            Draft(
                kind="channel.vanished" if fields is None else "channel.observed",
                object_id=f"channel:{number}",
                payload=fields or {},
                origin="arena",
                cause="scan:s",
            )
            for number, fields in said
        ]
        archive.log.append(drafts)
        assert Naming(archive.engine, archive.head).channel("tides") == f"channel:{meant}"
        bearing = archive.sql("SELECT object_id FROM channels WHERE slug = 'tides'").fetchall()
        assert not bearing or (f"channel:{meant}",) in bearing
