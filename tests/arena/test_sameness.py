"""Whether are.na shows what was wished: laws, the documented tidying, and what the sandbox makes of it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.arena import ArenaClient, means_the_same
from vfdir_lab.arena.sameness import _FIELDS
from vfdir_lab.errors import UsageError
from vfdir_lab.sandbox import Sandbox, World

FIELDS = sorted(_FIELDS)
TEXTS = ["title", "alt_text", "original_source_title"]
MARKDOWNS = ["description", "content", "body"]
WORDS = st.text(st.sampled_from("ab é\u0301 \t\n\r&amp;<>lt;")) | st.text(max_size=20)
ADDRESSES = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https", "HTTP"]),
    st.sampled_from(["example.org", "Example.ORG", "bücher.example", "[::1]"]),
    st.sampled_from(["", ":80", ":443", ":8080", ":x"]),
    st.text(st.sampled_from("/?#%7e[]é|&=@"), max_size=12),
)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | WORDS
    | ADDRESSES
    | st.builds(lambda text: {"markdown": text, "html": "", "plain": ""}, WORDS)
    | st.dictionaries(st.sampled_from("abc"), st.none() | st.booleans() | st.integers(0, 1) | WORDS)
)


@pytest.mark.parametrize("field", FIELDS)
@given(value=VALUES)
def test_every_value_means_itself(field, value):
    if field == "metadata" and not isinstance(value, (dict, type(None))):
        assert not means_the_same(field, value, value)
    else:
        assert means_the_same(field, value, value)


@pytest.mark.parametrize("field", [field for field in FIELDS if field != "metadata"])
@given(mine=VALUES, theirs=VALUES)
def test_either_may_be_mine(field, mine, theirs):
    assert means_the_same(field, mine, theirs) == means_the_same(field, theirs, mine)


@pytest.mark.parametrize("field", TEXTS + MARKDOWNS)
@given(text=WORDS)
def test_a_text_means_its_tidied_self(field, text):
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    for theirs in (
        lines,
        lines.replace("\n", "\r\n"),
        f" {text}\n",
        text.strip(),
        unicodedata.normalize("NFC", text),
        unicodedata.normalize("NFD", text),
    ):
        assert means_the_same(field, text, theirs)


@pytest.mark.parametrize("field", MARKDOWNS)
@given(text=WORDS)
def test_a_markdown_text_means_the_markdown_of_its_renderings(field, text):
    assert means_the_same(field, text, {"markdown": text, "html": "<p>?</p>", "plain": "?"})
    assert not means_the_same(field, text + "x", {"markdown": text, "html": text + "x", "plain": text + "x"})


@pytest.mark.parametrize("field", TEXTS + MARKDOWNS)
@given(text=WORDS, more=st.sampled_from(["x", "é", "1", "<", "&"]))
def test_a_character_more_means_another_thing(field, text, more):
    assert not means_the_same(field, text + more, text)
    assert not means_the_same(field, text, text + more)


@pytest.mark.parametrize(
    ("field", "mine", "theirs"),
    [
        *((field, None, "") for field in TEXTS + MARKDOWNS),
        *((field, "a & b <c>", "a &amp; b &lt;c&gt;") for field in TEXTS + MARKDOWNS),
        *((field, "a &amp; b", "a & b") for field in TEXTS + MARKDOWNS),
        *((field, "&amp;lt;", "&lt;") for field in TEXTS + MARKDOWNS),
        *((field, "one  \n\ttwo\t\nthree", "one\n\ttwo\nthree") for field in MARKDOWNS),
        ("description", None, None),
        ("description", "", None),
        ("value", "https://Example.org", "https://example.org/"),
        ("value", "a text", {"markdown": "a text", "html": "", "plain": ""}),
        ("value", " https://example.org/é\n", "https://example.org/%C3%A9"),
        ("original_source_url", "HTTPS://Example.ORG:443", "https://example.org/"),
        ("original_source_url", "http://example.org:80/a", "http://example.org/a"),
        ("original_source_url", "https://example.org?q", "https://example.org/?q"),
        ("original_source_url", "https://example.org#f", "https://example.org/#f"),
        ("original_source_url", "https://example.org/%7ea%2fb", "https://example.org/~a%2Fb"),
        ("original_source_url", "https://example.org/a|b é", "https://example.org/a|b é"),
        ("original_source_url", "https://example.org/é|", "https://example.org/%C3%A9%7C"),
        ("original_source_url", "https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("original_source_url", "https://bücher.example/", "https://b%C3%BCcher.example/"),
        ("original_source_url", f"https://{'A' * 70}.org/", f"https://{'a' * 70}.org/"),
        ("original_source_url", None, ""),
        ("metadata", {}, None),
        ("metadata", None, None),
        ("metadata", {"a": None}, None),
        ("metadata", {"a": 1}, {"a": 1.0, "other": "kept"}),
        ("metadata", {"a": "e\u0301"}, {"a": "é"}),
        ("position", 2, 2),
        ("visibility", "closed", "closed"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_the_documented_tidying_is_seen_through(field, mine, theirs):
    assert means_the_same(field, mine, theirs)


@pytest.mark.parametrize(
    ("field", "mine", "theirs"),
    [
        ("title", "a", "A"),
        ("title", "a b", "a  b"),
        ("title", "a  \nb", "a\nb"),
        ("title", "&amp;lt;", "<"),
        ("title", "a", None),
        ("title", "1", 1),
        ("description", "a\n\nb", "a\nb"),
        ("description", "  a", {"html": "  a"}),
        ("content", "a\nb", "a b"),
        ("original_source_url", "https://example.org/a", "http://example.org/a"),
        ("original_source_url", "https://example.org/a", "https://example.org/a/"),
        ("original_source_url", "https://example.org/a", "https://example.org/A"),
        ("original_source_url", "https://example.org/a%2Fb", "https://example.org/a/b"),
        ("original_source_url", "https://example.org:8443/", "https://example.org/"),
        ("original_source_url", "https://a@example.org/", "https://b@example.org/"),
        ("original_source_url", "https://example.org/?a", "https://example.org/?b"),
        ("original_source_url", "https://example.org/#a", "https://example.org/"),
        ("metadata", {"a": 1}, {"a": True}),
        ("metadata", {"a": 1}, {"a": "1"}),
        ("metadata", {"a": 1}, None),
        ("metadata", {"a": None}, {"a": 1}),
        ("metadata", {"a": 1}, []),
        ("position", 1, True),
        ("visibility", "closed", "private"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_what_is_not_tidying_is_a_difference(field, mine, theirs):
    assert not means_the_same(field, mine, theirs)


def test_a_field_that_cannot_be_wished_is_refused():
    with pytest.raises(UsageError, match="'updated_at' is no field"):
        means_the_same("updated_at", 1, 1)


# At the sandbox


@pytest.fixture(scope="module")
def at_sandbox():
    with (
        Sandbox(world=World(), rate_limits={"premium": 1_000_000}) as sandbox,
        ArenaClient(sandbox.tokens.write, sandbox.url, pause_seconds=0, write_pause_seconds=0) as client,
    ):
        yield sandbox, client, client.create_channel("Tidy").body["id"]


@pytest.mark.parametrize("text", ["", "a &amp; b <c>", "one  \r\ntwo\n", "e\u0301", "  x  ", "# *m*\n\n- l"])
def test_a_text_settles_whatever_the_sandbox_makes_of_it(at_sandbox, text):
    _, client, channel = at_sandbox
    block = client.create_block("x", [(channel, None, None)]).body["id"]
    client.update_block(block, title=text, description=text, content=text)
    client.update_channel(channel, description=text, metadata={"a": text, "b": None})
    shown, around = client.block(block), client.channel(channel)
    for field in ("title", "description", "content"):
        assert means_the_same(field, text, shown[field])
        assert not means_the_same(field, text + "!", shown[field])
    assert means_the_same("description", text, around["description"])
    assert means_the_same("metadata", {"a": text, "b": None}, around["metadata"])


@pytest.mark.parametrize(
    "address",
    [
        "https://Example.ORG",
        "http://example.org:80/a%20b",
        "https://bücher.example/ä|ö?x=é#ü",
        "https://example.org/%7ea%2fb",
        'https://example.org/a\\b"<>',
    ],
)
def test_an_address_settles_whatever_the_sandbox_makes_of_it(at_sandbox, address):
    sandbox, client, channel = at_sandbox
    block = client.create_block(address, [(channel, None, None)]).body["id"]
    sandbox.control.finish_processing(block)
    shown = client.block(block)["source"]["url"]
    assert means_the_same("value", address, shown)
    assert not means_the_same("value", address + "x", shown)
