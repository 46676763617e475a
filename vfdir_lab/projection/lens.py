"""A lens: a named choice of one version for every projection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """An interpretation of the whole archive: `versions` maps a projection's name to its version."""

    name: str
    versions: Mapping[str, int]


DEFAULT_LENS = Lens(
    name="default",
    versions=MappingProxyType(
        {"blocks": 2, "channels": 2, "connections": 2, "users": 1, "comments": 1, "scans": 1}
    ),
)
"""What are.na last showed. The best predictions, version 1, take over once there are wishes."""
