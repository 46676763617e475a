"""The catalogue is closed, and every kind says what it may be about."""

from __future__ import annotations

import pytest

from vfdir_lab.errors import EventError
from vfdir_lab.event import KINDS, check_kind

CATALOGUE = [
    "scan.started",
    "scan.finished",
    "channel.observed",
    "block.observed",
    "connection.observed",
    "user.observed",
    "comment.observed",
    "channel.vanished",
    "block.vanished",
    "connection.vanished",
    "object.access_lost",
    "block.drafted",
    "block.edited",
    "channel.drafted",
    "channel.edited",
    "channel.deleted",
    "connection.made",
    "connection.unmade",
    "connection.moved",
    "comment.drafted",
    "tx.committed",
    "tx.sent",
    "tx.accepted",
    "tx.settled",
    "tx.rejected",
    "tx.unknown",
    "tx.requeued",
    "tx.cancelled",
    "tx.superseded",
    "object.bound",
    "connection.ranked",
    "media.saved",
    "projection.defined",
    "lens.set",
    "import.started",
    "import.finished",
    "device.joined",
]


def test_the_catalogue_is_the_one_of_the_design() -> None:
    """Golden: a kind may be added here on purpose; none is ever taken away or renamed."""
    assert sorted(KINDS) == sorted(CATALOGUE)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_kind_is_about_its_own_spaces_and_no_other(name: str) -> None:
    spaces = {space for kind in KINDS.values() for space in kind.subjects}
    kind = KINDS[name]
    assert kind.name == name
    assert kind.version >= 1
    assert kind.subjects
    for space in spaces:
        if space in kind.subjects:
            assert check_kind(name, space) is kind
        else:
            with pytest.raises(EventError, match=f"not about a {space}"):
                check_kind(name, space)


def test_a_kind_that_is_not_in_the_catalogue_is_refused() -> None:
    with pytest.raises(EventError, match=r"no kind of event called 'block\.painted'"):
        check_kind("block.painted", "block")
