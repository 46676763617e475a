"""The outside: are.na's v3 API, asked politely.

Owns: everything that is said to are.na over HTTP, and the shapes it answers in.
Guarantees: see `client`, for writes `sent` and `verdict`. One account, one call at a time, below the rate
limit, the token to are.na's host only.
Leaves to others: what an answer means for the archive (`sync`), images and files (`media`).
Checked by: `tests/arena/`, over real sockets.
"""

from vfdir_lab.arena.account import GUEST, Account
from vfdir_lab.arena.cache import ResponseCache
from vfdir_lab.arena.client import ArenaClient
from vfdir_lab.arena.pacing import Rate, Wait
from vfdir_lab.arena.pages import Page
from vfdir_lab.arena.sameness import means_the_same
from vfdir_lab.arena.sent import Accepted, NotSent, Refused, Sent, Unknown
from vfdir_lab.arena.time import SYSTEM_TIME, Time
from vfdir_lab.arena.wire import (
    BlockWire,
    ChannelWire,
    CommentWire,
    ConnectionWire,
    MarkdownWire,
    MeWire,
    UserWire,
    Wire,
)
from vfdir_lab.arena.writes import BlockChange, BlockExtras, ChannelChange, Place, upload_value

__all__ = [
    "GUEST",
    "SYSTEM_TIME",
    "Accepted",
    "Account",
    "ArenaClient",
    "BlockChange",
    "BlockExtras",
    "BlockWire",
    "ChannelChange",
    "ChannelWire",
    "CommentWire",
    "ConnectionWire",
    "MarkdownWire",
    "MeWire",
    "NotSent",
    "Page",
    "Place",
    "Rate",
    "Refused",
    "ResponseCache",
    "Sent",
    "Time",
    "Unknown",
    "UserWire",
    "Wait",
    "Wire",
    "means_the_same",
    "upload_value",
]
