"""What are.na's answers to writes must look like to count as its answers.

Owns: one reader for each shape of answer.
Guarantees: a reader gives the thing itself, or `MalformedError` for whatever is not an answer to the request
that was made: another thing's number, a list where one thing is promised. Keys beyond that are not looked at.
Leaves to others: which answer is read how (`writes`), what a bad one means (`verdict`).
Checked by: `tests/arena/test_verdict.py`; against real answers `test_writes.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vfdir_lab.arena.decode import MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from vfdir_lab.arena.wire import Wire

_PRESIGNED = ("upload_url", "key", "content_type")


def new_thing(answer: Any) -> Wire:
    """A thing that was made: an object with a number.

    Raises:
        MalformedError: it is none.
    """
    if not isinstance(answer, dict):
        raise MalformedError("JSON that is not an object")
    number = answer.get("id")
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise MalformedError("a thing that has no `id`")
    return answer


def thing(number: int) -> Callable[[Any], Wire]:
    """A reader for the thing of this number.

    Raises (the reader):
        MalformedError: it is none, or another.
    """

    def read(answer: Any) -> Wire:
        found = new_thing(answer)
        if found["id"] != number:
            raise MalformedError("another thing than the one asked for")
        return found

    return read


def one_connection(answer: Any) -> Wire:
    """The connection in a list of one.

    Raises:
        MalformedError: it is no list of exactly one thing.
    """
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list) or len(data) != 1:
        raise MalformedError("something other than a list of one connection")
    return new_thing(data[0])


def presigned(files: int) -> Callable[[Any], Wire]:
    """A reader for places to put so many files.

    Raises (the reader):
        MalformedError: there are fewer or more, or one has no address, key or content type.
    """

    def read(answer: Any) -> Wire:
        found = answer.get("files") if isinstance(answer, dict) else None
        if not isinstance(found, list) or len(found) != files:
            raise MalformedError("another number of upload addresses than files")
        for one in found:
            if not isinstance(one, dict) or not all(isinstance(one.get(name), str) for name in _PRESIGNED):
                raise MalformedError("an upload address that lacks a part")
        whole: Wire = answer
        return whole

    return read
