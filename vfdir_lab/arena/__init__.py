"""The outside: are.na's v3 API, asked politely.

Owns: everything that is said to are.na over HTTP, and the shapes it answers in.
Guarantees: see `client`. One account, one call at a time, below the rate limit, the token to are.na's host
only.
Leaves to others: what an answer means for the archive (`sync`), images and files (`media`).
Checked by: `tests/arena/`, over real sockets.
"""

from vfdir_lab.arena.account import GUEST, Account
from vfdir_lab.arena.cache import ResponseCache
from vfdir_lab.arena.client import ArenaClient
from vfdir_lab.arena.pacing import Rate, Wait
from vfdir_lab.arena.pages import Page
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

__all__ = [
    "GUEST",
    "SYSTEM_TIME",
    "Account",
    "ArenaClient",
    "BlockWire",
    "ChannelWire",
    "CommentWire",
    "ConnectionWire",
    "MarkdownWire",
    "MeWire",
    "Page",
    "Rate",
    "ResponseCache",
    "Time",
    "UserWire",
    "Wait",
    "Wire",
]
