"""One object as it shows: its fields in the form they are wished in, are.na's and ours over them.

Owns: how the fields of an observation and those of a wish compare (`description` is are.na's object of three
renderings there, markdown here), and which value shows: of each field the newest open wish, else the mirror.
Guarantees: pure. Metadata is merged key by key; a key that is None is not there.
Leaves to others: which wishes are open (`visible`).
Checked by: `tests/sync/test_visible.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vfdir_lab.sync.normalise import Fields
from vfdir_lab.sync.wish import Part, Ref

_WISHABLE = {
    "block": ("title", "description", "content", "alt_text", "metadata"),
    "channel": ("title", "description", "visibility", "metadata"),
}
_OF_ARENA = frozenset({"type", "content"})
"""What a draft only foresees: are.na knows better, once it has the object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An object as it shows.

    `space` is `block` or `channel`. `mirror` is what are.na last showed, None before it has the object;
    `fields` what shows; `wished` the fields that an open wish covers. All are in the form of wishes: texts
    are markdown, None is no text.
    """

    space: str
    ref: Ref
    mirror: Fields | None
    fields: Fields
    wished: frozenset[str]

    def base(self, change: Fields) -> Fields:
        """What are.na last showed of the fields of a change; of metadata, the keys that it names."""
        return {field: _part(self.mirror or {}, field, value) for field, value in change.items()}

    def before(self, change: Fields) -> Fields:
        """What shows of the fields of a change that a wish covers already."""
        return {
            field: _part(self.fields, field, value) for field, value in change.items() if field in self.wished
        }

    def differing(self, change: Fields) -> Fields:
        """The change without what shows already."""
        kept: Fields = {}
        for field, value in change.items():
            now = _part(self.fields, field, value)
            if field == "metadata":
                rest = {key: one for key, one in value.items() if not _same(one, now[key])}
                kept |= {field: rest} if rest else {}
            elif not _same(value or None, now or None):
                kept[field] = value
        return kept


def said_of(space: str, observed: Fields) -> Fields:
    """The fields that can be wished, and the type, as are.na showed them."""
    image = observed.get("image")
    fields = {field: _text(observed.get(field)) for field in _WISHABLE[space] if field != "metadata"}
    if space == "block":
        fields["alt_text"] = image.get("alt_text") if isinstance(image, dict) else None
        fields["type"] = observed.get("type")
    metadata = observed.get("metadata")
    return fields | {"metadata": dict(metadata) if isinstance(metadata, dict) else {}}


def shown_of(space: str, ref: Ref, mirror: Fields | None, parts: Sequence[Part]) -> Shown:
    """An object of a space as it shows, given the open wishes about it, oldest first."""
    fields: Fields = dict(mirror or {})
    wished: set[str] = set()
    known = _WISHABLE[space]
    for part in parts:
        verb = part.kind.partition(".")[2]
        if verb not in {"drafted", "edited"}:
            continue
        change = {
            field: value
            for field, value in part.fields.items()
            if field in (*known, "type") and not (verb == "drafted" and mirror and field in _OF_ARENA)
        }
        if isinstance(metadata := change.pop("metadata", None), dict):
            wished.add("metadata")
            merged = {**(fields.get("metadata") or {}), **metadata}
            fields["metadata"] = {key: value for key, value in merged.items() if value is not None}
        fields |= change
        wished |= change.keys() & set(known)
    return Shown(space=space, ref=ref, mirror=mirror, fields=fields, wished=frozenset(wished))


def _part(fields: Fields, field: str, change: Any) -> Any:
    """The value of a field; of metadata, of the keys that a change names."""
    if field != "metadata":
        return fields.get(field)
    held = fields.get("metadata") or {}
    return {key: held.get(key) for key in change}


def _text(value: Any) -> Any:
    return value.get("markdown") if isinstance(value, dict) else value


def _same(mine: Any, theirs: Any) -> bool:
    """Equal as JSON has it: true is not 1, and 1 is not 1.0."""
    return type(mine) is type(theirs) and bool(mine == theirs)
