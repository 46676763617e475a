"""Canonical JSON: one spelling for one value, and nothing but `EventError` for what has none."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import EventError
from vfdir_lab.event import canonical, parse
from vfdir_lab.event.canonical import is_canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
PAYLOADS = st.dictionaries(TEXT, VALUES, max_size=5)


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same value with the keys of each object in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    if isinstance(value, list):
        return [shuffled(inner, chance) for inner in value]
    return value


def same(left: Any, right: Any) -> bool:
    """Equality that tells 1 from 1.0 from True, and 0.0 from -0.0."""
    return repr(left) == repr(right)


def nested(depth: int, *, lists: bool = False) -> dict[str, Any]:
    inner: Any = {}
    for _ in range(depth - 1):
        inner = [inner] if lists else {"a": inner}
    return {"a": inner}


@given(PAYLOADS)
def test_parse_is_the_inverse_of_canonical(payload: dict[str, Any]) -> None:
    assert parse(canonical(payload)) == payload
    assert canonical(parse(canonical(payload))) == canonical(payload)
    assert is_canonical(canonical(payload))


@given(PAYLOADS, st.randoms(use_true_random=False))
def test_equal_payloads_have_one_spelling_whatever_the_order_of_their_keys(
    payload: dict[str, Any], chance: random.Random
) -> None:
    assert canonical(shuffled(payload, chance)) == canonical(payload)


@given(PAYLOADS)
def test_every_other_spelling_of_a_payload_is_not_canonical(payload: dict[str, Any]) -> None:
    text = canonical(payload)
    for other in (json.dumps(payload), json.dumps(payload, indent=1), " " + text, text + "\n"):
        assert is_canonical(other) == (other == text)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**300), 10**300))
def test_numbers_read_back_as_the_same_number_of_the_same_sort(number: float) -> None:
    assert same(parse(canonical({"n": number})), {"n": number})


@given(TEXT)
def test_text_is_spelled_without_escapes_but_those_json_demands(text: str) -> None:
    spelled = canonical({"t": text})
    assert parse(spelled)["t"] == text
    inside = spelled[len('{"t":"') : -len('"}')]
    demanded = sum(1 for one in text if one in '"\\' or one < " ")
    assert inside.count("\\") - text.count("\\") == demanded


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({}, "{}"),
        ({"b": 1, "a": None}, '{"a":null,"b":1}'),
        ({"Z": 1, "a": 2, "é": 3, "😀": 4, "\uffff": 5}, '{"Z":1,"a":2,"é":3,"\uffff":5,"😀":4}'),
        (
            {"t": '"\\/\b\f\n\r\t\x00\x1f\x7f\u2028'},
            '{"t":"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\u2028"}',
        ),
        (
            {"n": [0, -0.0, 0.1, 1.0, 1e16, 1e-7, 2**64, True]},
            '{"n":[0,-0.0,0.1,1.0,1e+16,1e-07,18446744073709551616,true]}',
        ),
        ({"deep": {"b": [{"d": 1, "c": 2}], "a": {}}}, '{"deep":{"a":{},"b":[{"c":2,"d":1}]}}'),
    ],
)
def test_the_spelling_is_a_contract(payload: dict[str, Any], text: str) -> None:
    assert canonical(payload) == text


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(math.nan, id="nan"),
        pytest.param(math.inf, id="inf"),
        pytest.param(-math.inf, id="-inf"),
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param("a\udfffb", id="lone surrogate within"),
        pytest.param({"\udc00": 1}, id="lone surrogate as key"),
        pytest.param({1}, id="set"),
        pytest.param(b"bytes", id="bytes"),
        pytest.param(object(), id="object"),
        pytest.param(1j, id="complex"),
        pytest.param(10**5000, id="more digits than Python reads"),
    ],
)
def test_what_json_or_utf8_cannot_hold_is_refused(value: object) -> None:
    for payload in ({"v": value}, {"v": [{"w": value}]}):
        with pytest.raises(EventError):
            canonical(payload)


@pytest.mark.parametrize("key", [1, 1.5, None, True, b"k", ("a",)], ids=repr)
def test_a_key_that_is_no_text_is_refused(key: object) -> None:
    """Turned into text, 2 and 10 would be sorted as numbers when written and as text when read."""
    for payload in ({key: 1}, {"v": [{key: 1}]}):
        with pytest.raises(EventError):
            canonical(payload)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [[], [1], "text", 1, None, True], ids=repr)
def test_a_payload_is_always_an_object(value: Any) -> None:
    with pytest.raises(EventError):
        canonical(value)
    with pytest.raises(EventError):
        parse(json.dumps(value))


@pytest.mark.parametrize("lists", [False, True])
def test_nesting_without_end_is_refused(*, lists: bool) -> None:
    for depth in (1_000, 10_000, 50_000):
        with pytest.raises(EventError):
            canonical(nested(depth, lists=lists))
    ring: dict[str, Any] = {}
    ring["ring"] = [ring] if lists else ring
    with pytest.raises(EventError):
        canonical(ring)
    for opening, closing in (('{"a":', "}"), ("[", "]")):
        with pytest.raises(EventError):
            parse(f'{{"a":{opening * 100_000}1{closing * 100_000}}}')
        with pytest.raises(EventError):
            parse('{"a":' + opening * 100_000)


@pytest.mark.parametrize("lists", [False, True])
def test_what_can_be_written_can_be_read_from_a_deeper_stack(*, lists: bool) -> None:
    """The bound on nesting is ours, not what is left of Python's stack where `canonical` was called."""
    spelled = []
    for depth in range(1, 1_100):
        try:
            spelled.append(canonical(nested(depth, lists=lists)))
        except EventError:
            break
    assert 64 <= len(spelled) < 1_000

    def from_below(frames: int) -> bool:
        return from_below(frames - 1) if frames else is_canonical(spelled[-1])

    assert from_below(400)


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_parse_of_anything_gives_an_object_or_an_event_error(text: str) -> None:
    try:
        assert isinstance(parse(text), dict)
    except EventError:
        assert not is_canonical(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}{}",
        "nul",
        '{"a":NaN}',
        '{"a":Infinity}',
        '{"a":-Infinity}',
        '{"a":01}',
        "{'a':1}",
        '{"a":1,}',
        '{"a":"\n"}',
        '{"a":' + "9" * 5000 + "}",
        "\ufeff{}",
    ],
)
def test_what_is_not_json_is_refused_with_a_typed_error(text: str) -> None:
    with pytest.raises(EventError):
        parse(text)
    assert not is_canonical(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"b":1,"a":2}',
        '{"a":1,"a":1}',
        '{"a": 1}',
        '{"a":1E5}',
        '{"a":1e999}',
        '{"a":-0}',
        '{"a":1.50}',
        '{"a":"\\u0041"}',
        '{"a":"\\/"}',
        '{"a":"\\ud800"}',
        '{"a":"\\ud83d\\ude00"}',
    ],
)
def test_json_in_another_spelling_is_not_canonical(text: str) -> None:
    assert not is_canonical(text)
