"""How a person names a channel: slug, number, or are.na address."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from vfdir_lab.errors import UsageError

_SLUG = re.compile(r"[^\s/\\?#%:]{1,200}")
_HOSTS = frozenset({"are.na", "www.are.na", "api.are.na", "dev.are.na"})


def channel_name(name: int | str) -> int | str:
    """The number or slug in what a person typed: `arena-influences`, `275`, `channel:275`, a web address.

    Raises:
        UsageError: it is none of these.
    """
    text = str(name).strip()
    if "://" in text or text.startswith(("are.na/", "www.are.na/")):
        text = _from_address(text)
    text = text.removeprefix("channel:")
    if text.isascii() and text.isdecimal() and 0 < int(text) < 10**18:
        return int(text)
    if not _SLUG.fullmatch(text) or not text.isprintable() or text in {".", ".."}:
        raise UsageError(
            f"{str(name)!r} is no channel name: give the slug (the last part of its address), "
            "its number, or the whole are.na address"
        )
    return text


def _from_address(text: str) -> str:
    refusal = UsageError(f"{text!r} is not the address of a channel on are.na; copy it from the browser")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError as error:
        raise refusal from error
    path = [unquote(part) for part in parts.path.split("/") if part]
    if parts.hostname not in _HOSTS or not path:
        raise refusal
    return path[-1]
