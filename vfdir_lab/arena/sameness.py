r"""Whether are.na shows what was wished, after it tidied it up.

Owns: `means_the_same` and the normal forms behind it.
Guarantees: pure; the same value always means the same, and `mine` and `theirs` may be exchanged (but for
`metadata`, where `mine` is a change). What is not listed here as tidying is a difference.

    texts      (`title`, `alt_text`, `original_source_title`) Unicode composed (NFC), line ends as \n, blanks
               around it dropped; null is empty; `&amp; &lt; &gt;` kept, escaped or decoded once, as are.na
               has done by field and age (facts.md, quirk 6)
    markdown   (`description`, `content`, `body`) the same, and blanks at the ends of lines dropped; of
               are.na's three renderings the markdown counts
    addresses  (`original_source_url`) scheme and host in small letters, the host in its ASCII form, the
               default port dropped, no path is `/`, odd characters percent-encoded, `%7e` is `~`
    `value`    an address or a markdown text, as it was given
    `metadata` each key that was wished has its value, and those wished away (None) are not there; what else
               there is does not matter, since are.na merges (null is empty)
    others     (`visibility`, `position`, `item`, `channel`, `pinned`) equal, as JSON has it: true is not 1

Leaves to others: where in an answer a field is found (`sync`).
Checked by: `tests/arena/test_sameness.py`, laws, and examples that the sandbox tidied up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from vfdir_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_BLANKS_BEFORE_LINE_END = re.compile(r"[ \t]+(?=\n)")
_IS_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_ENTITY = re.compile("|".join(_ENTITIES))
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_IN_ADDRESSES = "%:/?#[]@!$&'()*+,;=-._~"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def means_the_same(field: str, mine: Any, theirs: Any) -> bool:
    """Whether `theirs`, as are.na shows a field, is what was wished with `mine`.

    A markdown field may be given as text or as are.na's object of three renderings.

    Raises:
        UsageError: there is no such field to write.
    """
    same = _FIELDS.get(field)
    if same is None:
        raise UsageError(f"{field!r} is no field that can be wished: it is one of {', '.join(_FIELDS)}")
    return same(mine, theirs)


def _same_text(mine: Any, theirs: Any) -> bool:
    return _same_words(_plain(mine), _plain(theirs))


def _same_markdown(mine: Any, theirs: Any) -> bool:
    mine, theirs = _plain(_markdown(mine)), _plain(_markdown(theirs))
    if not isinstance(mine, str) or not isinstance(theirs, str):
        return _same_value(mine, theirs)
    return _same_words(_BLANKS_BEFORE_LINE_END.sub("", mine), _BLANKS_BEFORE_LINE_END.sub("", theirs))


def _same_words(mine: Any, theirs: Any) -> bool:
    if not isinstance(mine, str) or not isinstance(theirs, str):
        return _same_value(mine, theirs)
    return mine == theirs or _decoded(mine) == theirs or mine == _decoded(theirs)


def _same_address(mine: Any, theirs: Any) -> bool:
    return _same_value(_address(mine), _address(theirs))


def _same_made_from(mine: Any, theirs: Any) -> bool:
    is_address = isinstance(mine, str) and _IS_ADDRESS.fullmatch(mine.strip()) is not None
    return _same_address(mine, _markdown(theirs)) if is_address else _same_markdown(mine, theirs)


def _same_metadata(mine: Any, theirs: Any) -> bool:
    mine, theirs = {} if mine is None else mine, {} if theirs is None else theirs
    if not isinstance(mine, Mapping) or not isinstance(theirs, Mapping):
        return False
    return all(_same_value(_composed(value), _composed(theirs.get(key))) for key, value in mine.items())


def _same_value(mine: Any, theirs: Any) -> bool:
    """Equal as JSON has it: a number is a number however it is written, but true is not 1."""
    return isinstance(mine, bool) == isinstance(theirs, bool) and bool(mine == theirs)


def _markdown(value: Any) -> Any:
    return value.get("markdown") if isinstance(value, Mapping) else value


def _plain(value: Any) -> Any:
    """A text with its line ends and its Unicode in one form, without blanks around; null is empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    return _composed(value.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _composed(value: Any) -> Any:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _decoded(text: str) -> str:
    return _ENTITY.sub(lambda found: _ENTITIES[found[0]], text)


def _address(value: Any) -> Any:
    """The normal form of a web address; anything else as a text."""
    text = _plain(value)
    if not isinstance(text, str) or _IS_ADDRESS.fullmatch(text) is None:
        return text
    try:
        parts = urlsplit(text)
        scheme, port = parts.scheme, parts.port
    except ValueError:
        return text
    if "@" in parts.netloc:
        return text
    host = _ascii_host(parts.hostname or "")
    netloc = host if port in {None, _DEFAULT_PORTS[scheme]} else f"{host}:{port}"
    tail = text.split("//", 1)[1]
    rest = tail[len(parts.netloc) :]
    rest = rest if rest.startswith("/") else f"/{rest}"
    return f"{scheme}://{netloc}{_encoded(rest)}"


def _ascii_host(host: str) -> str:
    host = unquote(host).lower()
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _encoded(text: str) -> str:
    """Percent-encoding in one form: odd characters encoded, plain ones not, figures in capitals."""
    return _PERCENT.sub(_plain_percent, quote(text, safe=_IN_ADDRESSES))


def _plain_percent(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if _UNRESERVED.fullmatch(character) else found[0].upper()


_FIELDS: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("title", "alt_text", "original_source_title"), _same_text),
    **dict.fromkeys(("description", "content", "body"), _same_markdown),
    **dict.fromkeys(("visibility", "position", "item", "channel", "pinned"), _same_value),
    "original_source_url": _same_address,
    "value": _same_made_from,
    "metadata": _same_metadata,
}
