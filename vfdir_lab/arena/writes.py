"""Writes: one method for each thing that can be wished of are.na.

Owns: which address and which body each wish becomes.
Guarantees: every method checks its arguments first (`UsageError`, nothing is sent), then sends at most one
request and gives a `Sent`. Only absolute moves are offered: a relative one (up, down) done twice is another
wish. Things are named by number, since slugs change.
Leaves to others: sending (`writing`), files (`client`, `uploads`), what an answer proves (`verdict`),
repeating (`sync`).
Checked by: `tests/arena/test_writes.py`, `test_checks.py`, and against are.na's description
`test_conformance.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, Unpack
from urllib.parse import quote_plus

from vfdir_lab.arena import checks, expected
from vfdir_lab.arena.address import number
from vfdir_lab.arena.checks import Metadata, MetadataChange
from vfdir_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vfdir_lab.arena.sent import Sent
    from vfdir_lab.arena.wire import Wire

Place: TypeAlias = tuple[int, int | None, Metadata | None]
"""Where to connect: a channel's number, a position (None: on top), the connection's metadata."""

Kind: TypeAlias = Literal["Block", "Channel"]
Visibility: TypeAlias = Literal["public", "closed", "private"]

_STORAGE = "https://s3.amazonaws.com/arena_images-temp/"
_KINDS = ("Block", "Channel")
_VISIBILITIES = ("public", "closed", "private")
_BLOCK_TEXTS = ("title", "description", "content", "alt_text")


class BlockExtras(TypedDict, total=False):
    """What a new block can have beside its value; None is as good as absent."""

    title: str | None
    description: str | None
    alt_text: str | None
    original_source_url: str | None
    original_source_title: str | None
    metadata: Metadata | None


class BlockChange(TypedDict, total=False):
    """What can be changed of a block; None clears. `content` only of a text, `alt_text` only of an image."""

    title: str | None
    description: str | None
    content: str | None
    alt_text: str | None
    metadata: MetadataChange


class ChannelChange(TypedDict, total=False):
    """What can be changed of a channel; None clears. A new title is a new slug."""

    title: str
    description: str | None
    visibility: Visibility
    metadata: MetadataChange


def upload_value(key: str) -> str:
    """What to make a block of once its file is uploaded; `key` as `presign` gave it."""
    return _STORAGE + quote_plus(key)


class Writes(ABC):
    """The writes of `ArenaClient`, which sends what these methods put together.

    Every method may raise `UsageError` for arguments that are beyond are.na's documented limits; then
    nothing was sent. What the server says is in the `Sent`, never raised.
    """

    @abstractmethod
    def _write(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        read: Callable[[Any], Wire] | None,
    ) -> Sent:
        """Send one write; `read` takes the body of a 2xx, None where are.na answers with nothing."""

    def create_block(self, value: str, channels: Sequence[Place], **extras: Unpack[BlockExtras]) -> Sent:
        """`POST /v3/blocks`: a block made of a text or an address, in 1 to 20 channels."""
        body: dict[str, object] = {"value": checks.block_value(value), "channels": _places(channels)}
        _check_names(extras, BlockExtras)
        for name in ("title", "description", "alt_text", "original_source_title"):
            if (given := extras.get(name)) is not None:
                body[name] = checks.text(given, name)
        if (source := extras.get("original_source_url")) is not None:
            body["original_source_url"] = checks.address(source, "original_source_url")
        if (values := extras.get("metadata")) is not None:
            body["metadata"] = checks.metadata(values)
        return self._write("POST", "/v3/blocks", body, expected.new_thing)

    def update_block(self, block: int, **change: Unpack[BlockChange]) -> Sent:
        """`PUT /v3/blocks/{id}`: change what is named, leave the rest.

        The description allows no null here, so None is sent as an empty text.
        """
        path = f"/v3/blocks/{number(block, 'block')}"
        _check_names(change, BlockChange)
        body: dict[str, object] = {}
        for name in _BLOCK_TEXTS:
            if name in change:
                given = change.get(name)
                body[name] = "" if given is None else checks.text(given, name)
        if "metadata" in change:
            body["metadata"] = checks.metadata_change(change["metadata"])
        return self._write("PUT", path, body, expected.thing(block))

    def create_channel(
        self,
        title: str,
        *,
        visibility: Visibility = "closed",
        description: str | None = None,
        metadata: Metadata | None = None,
    ) -> Sent:
        """`POST /v3/channels`: a channel of the token's account."""
        body: dict[str, object] = {
            "title": checks.words(title, "title"),
            "visibility": checks.choice(visibility, "visibility", _VISIBILITIES),
        }
        if description is not None:
            body["description"] = checks.text(description, "description")
        if metadata is not None:
            body["metadata"] = checks.metadata(metadata)
        return self._write("POST", "/v3/channels", body, expected.new_thing)

    def update_channel(self, channel: int, **change: Unpack[ChannelChange]) -> Sent:
        """`PUT /v3/channels/{id}`: change what is named, leave the rest."""
        path = f"/v3/channels/{number(channel, 'channel')}"
        _check_names(change, ChannelChange)
        body: dict[str, object] = {}
        if "title" in change:
            body["title"] = checks.words(change["title"], "title")
        if "description" in change:
            given = change["description"]
            body["description"] = None if given is None else checks.text(given, "description")
        if "visibility" in change:
            body["visibility"] = checks.choice(change["visibility"], "visibility", _VISIBILITIES)
        if "metadata" in change:
            body["metadata"] = checks.metadata_change(change["metadata"])
        return self._write("PUT", path, body, expected.thing(channel))

    def delete_channel(self, channel: int) -> Sent:
        """`DELETE /v3/channels/{id}`: for good, nothing brings it back."""
        return self._write("DELETE", f"/v3/channels/{number(channel, 'channel')}", None, None)

    def connect(
        self,
        item: int,
        kind: Kind,
        channel: int,
        *,
        position: int | None = None,
        metadata: Metadata | None = None,
    ) -> Sent:
        """`POST /v3/connections`: put a block or a channel into a channel; the body is the connection."""
        body = {
            "connectable_id": int(number(item, checks.choice(kind, "kind of item", _KINDS).lower())),
            "connectable_type": kind,
            "channels": _places([(channel, position, metadata)]),
        }
        return self._write("POST", "/v3/connections", body, expected.one_connection)

    def disconnect(self, connection: int) -> Sent:
        """`DELETE /v3/connections/{id}`: take an item out of a channel; the item stays."""
        return self._write("DELETE", f"/v3/connections/{number(connection, 'connection')}", None, None)

    def update_connection(self, connection: int, metadata: MetadataChange) -> Sent:
        """`PUT /v3/connections/{id}`: change its metadata, all that can be changed of it."""
        path = f"/v3/connections/{number(connection, 'connection')}"
        body = {"metadata": checks.metadata_change(metadata)}
        return self._write("PUT", path, body, expected.thing(connection))

    def move(self, connection: int, to: int | Literal["top", "bottom"]) -> Sent:
        """`POST /v3/connections/{id}/move`: to a position from the bottom, or to an end; siblings shift."""
        path = f"/v3/connections/{number(connection, 'connection')}/move"
        body: dict[str, object]
        if isinstance(to, str):
            body = {"movement": f"move_to_{checks.choice(to, 'end of a channel', ('top', 'bottom'))}"}
        else:
            body = {"movement": "insert_at", "position": checks.position(to)}
        return self._write("POST", path, body, expected.thing(connection))

    def create_comment(self, block: int, body: str) -> Sent:
        """`POST /v3/blocks/{id}/comments`: say something about a block; it cannot be edited later."""
        path = f"/v3/blocks/{number(block, 'block')}/comments"
        return self._write("POST", path, {"body": checks.words(body, "body")}, expected.new_thing)

    def delete_comment(self, comment: int) -> Sent:
        """`DELETE /v3/comments/{id}`: only its author may."""
        return self._write("DELETE", f"/v3/comments/{number(comment, 'comment')}", None, None)


def _places(channels: Sequence[Place]) -> list[dict[str, object]]:
    if not 1 <= len(channels) <= checks.MOST_CHANNELS:
        raise UsageError(
            f"are.na connects to 1 to {checks.MOST_CHANNELS} channels at once, not {len(channels)}"
        )
    places = []
    for channel, position, metadata in channels:
        place: dict[str, object] = {"id": int(number(channel, "channel"))}
        if position is not None:
            place["position"] = checks.position(position)
        if metadata:
            place["metadata"] = checks.metadata(metadata)
        places.append(place)
    return places


def _check_names(given: Mapping[str, object], known: type) -> None:
    names = list(known.__annotations__)
    if unknown := sorted(given.keys() - set(names)):
        raise UsageError(f"are.na has no {', '.join(unknown)} to write here: give {', '.join(names)}")
    if known is not BlockExtras and not given:
        raise UsageError(f"nothing to change was named: give {', '.join(names)}")
