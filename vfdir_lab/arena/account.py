"""Whom a token belongs to.

Owns: `Account` and `GUEST`, and how an account is read from `GET /v3/me`.
Guarantees: `key` names the account for ever (are.na's number, never the changeable slug).
Leaves to others: when to ask (`client`), what a scan makes of it (`sync`).
Checked by: `tests/arena/test_account.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vfdir_lab.arena.decode import MalformedError

if TYPE_CHECKING:
    from vfdir_lab.arena.wire import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An are.na account, or the lack of one.

    `id` is are.na's number (None for a guest), `tier` what are.na calls the subscription, if it says.
    """

    id: int | None
    slug: str
    name: str
    tier: str | None

    @property
    def key(self) -> str:
        """`user:9`, or `guest`: what scans record, since what is seen depends on who looks."""
        return "guest" if self.id is None else f"user:{self.id}"


GUEST = Account(id=None, slug="guest", name="guest", tier="guest")


def read_account(me: Wire) -> Account:
    """The account of a decoded `GET /v3/me`.

    Raises:
        MalformedError: there is no usable `id`, so nothing could be remembered about this account.
    """
    number = me.get("id")
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise MalformedError("an account that has no `id`")
    slug, name, tier = me.get("slug"), me.get("name"), me.get("tier")
    return Account(
        id=number,
        slug=slug if isinstance(slug, str) else "",
        name=name if isinstance(name, str) else "",
        tier=tier if isinstance(tier, str) else None,
    )
