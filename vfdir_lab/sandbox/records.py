"""The things are.na keeps, as frozen values.

Owns the shape of a person, group, channel, block, connection and comment as the service stores them. Times
are whole seconds since 1970. Guarantees nothing about how they fit together: that is `world`; nor about how
they look on the wire: that is `wire`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Scalar: TypeAlias = str | int | float | bool
Metadata: TypeAlias = Mapping[str, Scalar]
BlockKind = Literal["Text", "Image", "Link", "Attachment", "Embed", "PendingBlock"]
ItemKind = Literal["Block", "Channel"]
OwnerKind = Literal["User", "Group"]
Visibility = Literal["public", "closed", "private"]
State = Literal["processing", "available", "failed"]
Tier = Literal["guest", "free", "premium", "supporter"]


@dataclass(frozen=True, slots=True)
class ItemKey:
    """What a connection holds. Blocks and channels are numbered apart, so the kind is part of the key."""

    kind: ItemKind
    id: int


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a channel belongs to."""

    kind: OwnerKind
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account. `following` holds slugs of people and channels."""

    id: int
    slug: str
    name: str
    email: str
    created_at: int
    tier: Tier = "free"
    bio: str | None = None
    following: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Several people who own channels together; the founder is `owner_id` and also a member."""

    id: int
    slug: str
    name: str
    owner_id: int
    member_ids: tuple[int, ...]
    created_at: int
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a block came from on the web."""

    url: str
    title: str | None = None
    provider_name: str | None = None
    provider_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of a block; `media` names its bytes in the media store. Sizes in pixels and bytes."""

    media: str
    filename: str
    content_type: str
    file_size: int
    width: int | None
    height: int | None
    updated_at: int
    alt_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The file of an Attachment block; `media` names its bytes in the media store."""

    media: str
    filename: str
    content_type: str
    file_size: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """What another site says may be embedded. `html` is theirs and not to be trusted."""

    url: str
    kind: str = "video"
    title: str | None = None
    author_name: str | None = None
    author_url: str | None = None
    width: int | None = None
    height: int | None = None
    html: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block. Which of `content`, `picture`, `attached`, `embedded` it has follows from `kind`."""

    id: int
    kind: BlockKind
    user_id: int
    created_at: int
    updated_at: int
    title: str | None = None
    description: str | None = None
    content: str | None = None
    state: State = "available"
    source: Source | None = None
    picture: Picture | None = None
    attached: Attached | None = None
    embedded: Embedded | None = None
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel. Its contents are connections, kept apart."""

    id: int
    slug: str
    title: str
    owner: Owner
    visibility: Visibility
    created_at: int
    updated_at: int
    description: str | None = None
    collaborator_ids: tuple[int, ...] = ()
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An item's place in a channel. Positions start at 1, may have gaps, and the highest is on top."""

    id: int
    channel_id: int
    item: ItemKey
    position: int
    connected_at: int
    connected_by: int
    pinned: bool = False
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody said about a block."""

    id: int
    block_id: int
    user_id: int
    body: str
    created_at: int
