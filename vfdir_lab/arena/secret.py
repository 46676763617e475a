"""The token: checked once, shown to nobody.

Owns: the only object that holds the token's characters.
Guarantees: its repr and str never show them; what cannot travel in a header is refused by a message that does
not show them either; text that came from a server can be cleaned of them before a person or a disk sees it.
Leaves to others: which host may get the token (`address`, `client`).
Checked by: `tests/arena/test_secrecy.py`, which looks for the token in everything that can be printed or
kept.
"""

from __future__ import annotations

import re
from typing import NoReturn

from vfdir_lab.errors import UsageError

# RFC 6750 allows a bearer token fewer characters than this; are.na's are letters, digits, '-' and '_'.
_VISIBLE = re.compile(r"[\x21-\x7e]+")

# Anything shorter is no secret, and hiding it would blank ordinary words in messages.
_SHORTEST_HIDDEN = 8


class Secret:
    """A token, or the lack of one. The empty text is a guest."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if text and _VISIBLE.fullmatch(text) is None:
            raise UsageError(
                "the token holds spaces, line breaks or other characters that no are.na token has: "
                "copy it again (ARENA_TOKEN)"
            )
        self._text = text

    def __repr__(self) -> str:
        return "Secret(given)" if self._text else "Secret(none)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not written anywhere")

    def __bool__(self) -> bool:
        return bool(self._text)

    def headers(self) -> dict[str, str]:
        """The header that carries the token; nothing for a guest."""
        return {"Authorization": f"Bearer {self._text}"} if self._text else {}

    def hide(self, text: str) -> str:
        """The text with each copy of the token blanked, in any case: a server may repeat what it was sent."""
        if len(self._text) < _SHORTEST_HIDDEN:
            return text
        return re.sub(re.escape(self._text), "[token]", text, flags=re.IGNORECASE)

    def is_in(self, *blobs: bytes) -> bool:
        """Whether any of these would put the token on disk."""
        token = self._text.encode("ascii")
        return len(token) >= _SHORTEST_HIDDEN and any(token in blob for blob in blobs)
