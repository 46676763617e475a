"""Order as ranks: fractional keys (Figma's method), so that a move is one event and not a renumbering.

A rank is a text; ranks compare bytewise; between any two there is another. Pure functions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from fractional_indexing import generate_n_keys_between


def fewest_moves(sequence: Sequence[tuple[str, str | None]]) -> dict[str, str]:
    """New ranks for as few ids as possible, so that ranks strictly increase along `sequence`.

    `sequence` is (id, rank so far or None) in the wanted order. Ids without a rank always get one. Those
    that keep theirs are a longest increasing subsequence, so no smaller set of moves gives this order.
    """
    kept = set(_longest_increasing([rank for _, rank in sequence]))
    ranks: dict[str, str] = {}
    run: list[str] = []
    below: str | None = None
    for index, (identifier, rank) in enumerate(sequence):
        if index not in kept:
            run.append(identifier)
            continue
        ranks |= between(below, rank, run)
        run, below = [], rank
    return ranks | between(below, None, run)


def place(
    sequence: Sequence[tuple[str, str | None]], taken: Sequence[str], below: str | None, *, top: bool
) -> dict[str, str]:
    """Ranks for the new ids of a page, without moving any that has one.

    `sequence` is the page in order, `taken` all ranks in use (sorted), `below` the rank the page follows on,
    `top` says that the page ends at the top of the channel. An id comes right after the last one before it
    that is where it was.
    """
    ranks: dict[str, str] = {}
    kept = set(_longest_increasing([rank if rank and rank > (below or "") else None for _, rank in sequence]))
    run: list[str] = []
    for index, (identifier, rank) in enumerate(sequence):
        if rank is None:
            run.append(identifier)
        elif index in kept:
            ranks |= between(below, rank, run)
            run, below = [], rank
    if top:
        return ranks | between(taken[-1] if taken else None, None, run)
    following = bisect_right(taken, below) if below is not None else 0
    return ranks | between(below, taken[following] if following < len(taken) else None, run)


def between(low: str | None, high: str | None, identifiers: Sequence[str]) -> dict[str, str]:
    """Ranks for these ids, in order, above `low` and below `high`."""
    if not identifiers:
        return {}
    return dict(zip(identifiers, generate_n_keys_between(low, high, len(identifiers)), strict=True))


def _longest_increasing(ranks: Sequence[str | None]) -> list[int]:
    """The indices of a longest strictly increasing subsequence of the ranks that are there."""
    tails: list[str] = []
    tail_index: list[int] = []
    before: dict[int, int] = {}
    for index, rank in enumerate(ranks):
        if rank is None:
            continue
        length = bisect_left(tails, rank)
        if length:
            before[index] = tail_index[length - 1]
        if length == len(tails):
            tails.append(rank)
            tail_index.append(index)
        else:
            tails[length], tail_index[length] = rank, index
    found = [tail_index[-1]] if tail_index else []
    while found and found[-1] in before:
        found.append(before[found[-1]])
    return found[::-1]
