"""Object ids name their space, and only are.na's own numbers are numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import EventError
from vfdir_lab.event import object_id, remote_number, subject

SPACES = ["block", "channel", "connection", "user", "group", "comment"]


@given(st.sampled_from(SPACES), st.integers(0, 10**19 - 1))
def test_an_id_gives_back_its_space_and_number(space: str, number: int) -> None:
    identifier = object_id(space, number)
    assert subject(identifier) == space
    assert remote_number(identifier) == number


@pytest.mark.parametrize(
    ("identifier", "space"),
    [
        ("block:~k3f9a2.17", "block"),
        ("comment:~k3f9.1", "comment"),
        ("tx:k3f9a2.17", "tx"),
        ("scan:2026-11-03.1", "scan"),
        ("import:abc", "import"),
        ("device:k3f9a2", "device"),
        ("media:" + "0123456789abcdef" * 4, "media"),
        ("projection:blocks", "projection"),
        ("lens:mein Blick-2", "lens"),
        ("lens:私の", "lens"),
    ],
)
def test_every_space_has_its_alphabet_and_no_remote_number(identifier: str, space: str) -> None:
    assert subject(identifier) == space
    assert remote_number(identifier) is None


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "block",
        "block:",
        "block:x",
        "block:-1",
        "block:1.0",
        "block: 1",
        "block:1\n",
        "block:١٢",
        "block:" + "1" * 20,
        "Block:1",
        "page:1",
        "block:~k3f9",
        "block:~K3F9.1",
        "tx:~k3f9.1",
        "device:abc",
        "media:" + "A" * 64,
        "media:" + "a" * 63,
        "lens:",
        "lens: x",
        "lens:a/b",
        "projection:../x",
        "block:1'; drop table events; --",
    ],
)
def test_what_is_no_object_id_is_refused(identifier: str) -> None:
    with pytest.raises(EventError, match="no object id"):
        subject(identifier)
    assert remote_number(identifier) is None


@given(st.text(max_size=30))
def test_subject_knows_every_text_or_refuses_it(text: str) -> None:
    try:
        assert text.startswith(f"{subject(text)}:")
    except EventError:
        assert remote_number(text) is None
