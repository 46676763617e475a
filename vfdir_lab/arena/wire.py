"""The shapes are.na documents, for people and type checkers.

Owns: `Wire`, a JSON object as decoded, and one TypedDict per documented resource (OpenAPI 3 of `/v3/openapi`,
facts.md).
Guarantees: nothing at run time. No key is required and unknown keys are normal: recorded traffic lacks keys
that the description promises (facts.md, quirk 5), and are.na adds some. So every reader asks with `.get` and
checks what it needs; nothing received is ever reduced to these keys.
Leaves to others: reading them (`pages`, `account`, `sync`).
Checked by: `tests/arena/test_conformance.py`, which compares the keys with the published description.
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypedDict

Wire: TypeAlias = dict[str, Any]
"""A decoded JSON object exactly as are.na sent it."""


class MarkdownWire(TypedDict, total=False):
    """A text in its three renderings."""

    markdown: str
    html: str
    plain: str


class UserWire(TypedDict, total=False):
    """A person as embedded in other resources; `type` is `Group` for a group."""

    id: int
    type: str
    name: str
    slug: str
    avatar: str | None
    initials: str


class MeWire(UserWire, total=False):
    """The token's account, of which only what we use is listed."""

    tier: str


class ConnectionWire(TypedDict, total=False):
    """A connection as embedded in a channel's items. `position` has gaps: sort by it, never count by it."""

    id: int
    position: int
    pinned: bool
    metadata: Wire | None
    connected_at: str
    connected_by: UserWire | None


class ProviderWire(TypedDict, total=False):
    """Who serves a block's source."""

    name: str
    url: str


class SourceWire(TypedDict, total=False):
    """Where a block came from."""

    url: str
    title: str | None
    provider: ProviderWire | None


class ImageVersionWire(TypedDict, total=False):
    """One rendition of an image."""

    src: str
    src_2x: str
    width: int | None
    height: int | None


class ImageWire(TypedDict, total=False):
    """An image with its renditions; `src` is the original."""

    alt_text: str | None
    blurhash: str | None
    width: int | None
    height: int | None
    src: str
    aspect_ratio: float | None
    content_type: str
    filename: str
    file_size: int | None
    updated_at: str
    small: ImageVersionWire
    medium: ImageVersionWire
    large: ImageVersionWire
    square: ImageVersionWire


class AttachmentWire(TypedDict, total=False):
    """A file of an attachment block."""

    filename: str | None
    content_type: str | None
    file_size: int | None
    file_extension: str | None
    updated_at: str | None
    url: str


class EmbedWire(TypedDict, total=False):
    """What an embed block embeds."""

    url: str | None
    type: str | None
    title: str | None
    author_name: str | None
    author_url: str | None
    source_url: str | None
    width: int | None
    height: int | None
    html: str | None
    thumbnail_url: str | None


class BlockWire(TypedDict, total=False):
    """A block. `type` tells which of the last four are there; a `PendingBlock` has none of them yet."""

    id: int
    base_type: str
    type: str
    title: str | None
    description: MarkdownWire | None
    state: str
    visibility: str
    comment_count: int
    created_at: str
    updated_at: str
    user: UserWire
    metadata: Wire | None
    source: SourceWire | None
    connection: ConnectionWire | None
    can: dict[str, bool] | None
    content: MarkdownWire | None
    image: ImageWire | None
    attachment: AttachmentWire
    embed: EmbedWire


class CountsWire(TypedDict, total=False):
    """How much is in a channel, hidden items included."""

    blocks: int
    channels: int
    contents: int
    collaborators: int


class ChannelWire(TypedDict, total=False):
    """A channel. The description gives it no `base_type`."""

    id: int
    type: str
    slug: str
    title: str
    description: MarkdownWire | None
    state: str
    visibility: str
    created_at: str
    updated_at: str
    metadata: Wire | None
    owner: UserWire
    counts: CountsWire
    collaborators: list[UserWire]
    connection: ConnectionWire | None
    can: dict[str, bool] | None


class CommentWire(TypedDict, total=False):
    """A comment on a block."""

    id: int
    type: str
    body: MarkdownWire | None
    created_at: str
    updated_at: str
    user: UserWire
