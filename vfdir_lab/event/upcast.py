"""Upcasters: old payloads are lifted when they are read; files are never rewritten for that.

An upcaster takes a payload of version N of its kind and gives version N+1: pure, total, one step. What has
no upcaster (a newer version, an unknown kind) passes through unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from vfdir_lab.event.canonical import canonical
from vfdir_lab.event.event import Event

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
Upcasters = Mapping[tuple[str, int], Upcaster]


def _with_unknown_status(payload: dict[str, Any]) -> dict[str, Any]:
    """Version 2 of `object.access_lost` says whether are.na answered 401 or 403; version 1 said nothing."""
    return payload or {"status": None}


UPCASTERS: Upcasters = {("object.access_lost", 1): _with_unknown_status}
"""By kind and the version they lift from. The same in SQL: `vfdir_lab/projection/sql/upcasts`."""


def lift(event: Event, upcasters: Upcasters = UPCASTERS) -> Event:
    """The event at the newest version its kind can be lifted to."""
    step = upcasters.get((event.kind, event.kind_version))
    while step is not None:
        version = event.kind_version + 1
        event = replace(event, kind_version=version, payload=canonical(step(event.fields)))
        step = upcasters.get((event.kind, version))
    return event
