"""What would be refused, or would be a mistake to publish, is refused before anything is sent."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.arena import Accepted, ArenaClient, checks
from vfdir_lab.errors import UsageError
from vfdir_lab.sandbox import Sandbox, World

HERE = [(1, None, None)]

MISTAKES = {
    "an empty value": lambda c: c.create_block("", HERE),
    "a blank value": lambda c: c.create_block(" \n", HERE),
    "a value that is no text": lambda c: c.create_block(7, HERE),
    "a NUL": lambda c: c.create_block("a\0b", HERE),
    "half a character": lambda c: c.create_block("a\ud800b", HERE),
    "half a character in a title": lambda c: c.update_block(1, title="\udfff"),
    "a title that is no text": lambda c: c.create_block("x", HERE, title=7),
    "a password in a value": lambda c: c.create_block(" https://ada:secret@example.org/ ", HERE),
    "a user name in a value": lambda c: c.create_block("HTTP://ada@example.org/", HERE),
    "an address without a host": lambda c: c.create_block("https://:80/", HERE),
    "a password in a source": lambda c: c.create_block("x", HERE, original_source_url="https://a:b@c.d/"),
    "a source that is a script": lambda c: c.create_block("x", HERE, original_source_url="javascript:x"),
    "a source with a blank": lambda c: c.create_block("x", HERE, original_source_url="https://a.b/ c"),
    "a source that is a riddle": lambda c: c.create_block("x", HERE, original_source_url="https://[::1/"),
    "no channels": lambda c: c.create_block("x", []),
    "too many channels": lambda c: c.create_block("x", HERE * 21),
    "a channel below 1": lambda c: c.create_block("x", [(0, None, None)]),
    "a channel by slug": lambda c: c.create_block("x", [("slug", None, None)]),
    "a position below 1": lambda c: c.create_block("x", [(1, 0, None)]),
    "a position that is true": lambda c: c.connect(1, "Block", 1, position=True),
    "an unknown field": lambda c: c.create_block("x", HERE, colour="red"),
    "no change of a block": lambda c: c.update_block(1),
    "an unknown change": lambda c: c.update_block(1, source="x"),
    "a change of no metadata": lambda c: c.update_block(1, metadata=None),
    "no change of a channel": lambda c: c.update_channel(1),
    "a channel without a title": lambda c: c.create_channel("  "),
    "a title taken away": lambda c: c.update_channel(1, title=None),
    "an unknown visibility": lambda c: c.create_channel("x", visibility="secret"),
    "an unknown visibility later": lambda c: c.update_channel(1, visibility=None),
    "an unknown kind": lambda c: c.connect(1, "User", 1),
    "a kind in small letters": lambda c: c.connect(1, "block", 1),
    "an item below 1": lambda c: c.connect(-1, "Block", 1),
    "an empty comment": lambda c: c.create_comment(1, "\t"),
    "a comment on nothing": lambda c: c.create_comment(0, "x"),
    "a connection below 1": lambda c: c.disconnect(0),
    "a comment below 1": lambda c: c.delete_comment(0),
    "a channel that is true": lambda c: c.delete_channel(True),
    "no files": lambda c: c.presign([]),
    "too many files": lambda c: c.presign([("a", "a/b")] * 51),
    "a file without a name": lambda c: c.presign([("", "a/b")]),
    "a content type that is none": lambda c: c.presign([("a", "png")]),
    "a content type of two lines": lambda c: c.presign([("a", "a/b\r\nX-Evil: 1")]),
}
BAD_METADATA = {
    "too many keys": {f"k{n}": 1 for n in range(51)},
    "a long key": {"k" * 41: 1},
    "an empty key": {"": 1},
    "a strange key": {"a-b": 1},
    "a foreign letter": {"é": 1},
    "a key with a line end": {"a\n": 1},
    "a key that is no text": {1: 1},
    "a long text": {"a": "x" * 2001},
    "a NUL": {"a": "\0"},
    "half a character": {"a": "\ud800"},
    "a list": {"a": [1]},
    "an object": {"a": {}},
    "not a number": {"a": float("nan")},
    "too far": {"a": float("inf")},
    "more digits than JSON readers keep": {"a": 2**53},
    "too much": {f"k{n}": "x" * 2000 for n in range(17)},
    "too much once written": {f"k{n}": "é" * 1000 for n in range(6)},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_nothing_is_sent(server, connect, token, mistake):
    client = connect(token)
    with pytest.raises(UsageError) as caught:
        MISTAKES[mistake](client)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250
    assert "secret" not in str(caught.value) or "visibility" in str(caught.value)
    assert (server.heard, client.requests) == ([], 0)


@pytest.mark.parametrize("bad", BAD_METADATA)
def test_metadata_beyond_the_limits_is_refused_wherever_it_is_written(server, connect, token, bad):
    client, metadata = connect(token), BAD_METADATA[bad]
    for write in (
        lambda: client.create_block("x", HERE, metadata=metadata),
        lambda: client.create_block("x", [(1, None, metadata)]),
        lambda: client.update_block(1, metadata=metadata),
        lambda: client.create_channel("x", metadata=metadata),
        lambda: client.update_channel(1, metadata=metadata),
        lambda: client.connect(1, "Block", 1, metadata=metadata),
        lambda: client.update_connection(1, metadata),
    ):
        with pytest.raises(UsageError, match=r"metadata|key") as caught:
            write()
        assert len(str(caught.value)) < 250
    assert server.heard == []


def test_none_takes_a_key_away_from_what_is_there_and_means_nothing_on_what_is_new():
    assert checks.metadata_change({"a": None}) == {"a": None}
    with pytest.raises(UsageError, match="leave the key out"):
        checks.metadata({"a": None})


KEYS = st.text("abcXYZ019_", min_size=1, max_size=40)
SCALARS = (
    st.text(max_size=50)
    | st.integers(-(2**60), 2**60)
    | st.floats()
    | st.booleans()
    | st.none()
    | st.lists(st.none())
)


@given(st.dictionaries(KEYS, SCALARS, max_size=52) | st.dictionaries(st.text(max_size=45), SCALARS))
def test_metadata_that_passes_can_be_sent_and_is_within_the_limits(values):
    try:
        passed = checks.metadata_change(values)
    except UsageError:
        return
    assert passed == values
    written = json.dumps(passed, allow_nan=False, ensure_ascii=False).encode()
    assert len(written) <= checks.LARGEST_METADATA_BYTES
    assert len(passed) <= checks.MOST_KEYS


@pytest.fixture(scope="module")
def sandbox_client():
    with (
        Sandbox(world=World(), rate_limits={"premium": 1_000_000}) as sandbox,
        ArenaClient(sandbox.tokens.write, sandbox.url, pause_seconds=0, write_pause_seconds=0) as client,
    ):
        channel = client.create_channel("Limits").body["id"]
        yield client, channel


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": {f"k{n}": n for n in range(50)}},
        {"metadata": {"k" * 40: "x" * 2000, "b": True, "c": -1.5, "d": 2**53 - 1}},
        {"metadata": {f"k{n}": "x" * 2000 for n in range(16)}},
        {"title": "", "description": ""},
        {"title": "x" * 100_000},
        {"original_source_url": "https://example.org/a?b=c#d", "original_source_title": "S"},
    ],
    ids=["fifty keys", "long key and text", "32 KB", "empty texts", "long title", "source"],
)
def test_what_is_just_within_the_limits_is_accepted(sandbox_client, fields):
    client, channel = sandbox_client
    assert isinstance(client.create_block("x", [(channel, None, None)], **fields), Accepted)


def test_an_at_sign_in_a_path_or_a_text_is_no_password(sandbox_client):
    client, channel = sandbox_client
    for value in ("https://example.org/@ada", "write to ada@example.org", "https://a:b@c.d is bad"):
        assert isinstance(client.create_block(value, [(channel, None, None)]), Accepted)
