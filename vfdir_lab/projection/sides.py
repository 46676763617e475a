"""The two sides of a difference, as people say them: a version, a lens, a moment, a head, a view."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from vfdir_lab.errors import HeadError, UsageError
from vfdir_lab.log import Head, Moment
from vfdir_lab.projection.engine import Standpoint
from vfdir_lab.projection.shelf import Projections
from vfdir_lab.projection.view import View

Said = int | Moment | View
_VERSION = re.compile(r"v?([0-9]{1,9})")


def standpoint_of(view: View, shelf: Projections, name: str, said: Said) -> Standpoint:
    """Where one side of a difference in projection `name` stands; what is not said is as in `view`.

    A number (`2`, `v2`) is a version, the name of a lens that lens, anything else a date, a time or a head;
    a `View` says all.

    Raises:
        UsageError: it is nothing of these, or there is no such version. HeadError, ProjectionError
    """
    here = view.standpoint
    if isinstance(said, View):
        return said.standpoint
    if isinstance(said, Head | date):
        return replace(here, head=view.head_at(said))
    number = said if isinstance(said, int) else _number(said)
    if number is not None:
        return replace(here, lens=shelf[name].through(here.lens, number))
    text = str(said)
    if text in shelf.lenses.names():
        return replace(here, lens=shelf.lenses.lens(text))
    try:
        return replace(here, head=view.head_at(text))
    except HeadError as error:
        if ":" in text or text[:1].isdecimal():
            raise
        lenses = ", ".join(shelf.lenses.names())
        raise UsageError(
            f"{text!r} is no side of a difference: give a version (2), a lens ({lenses}), a date or a head"
        ) from error


def _number(text: str) -> int | None:
    match = _VERSION.fullmatch(text.strip())
    return int(match[1]) if match else None
