"""A new block before are.na has it: what it is made from, and what can be foreseen of it.

Owns: the payload of `block.drafted` (decision 0013).
Guarantees: what passes is within are.na's limits; a file is copied into the archive before it is wished for,
so that it can be sent later, whatever becomes of the original.
Leaves to others: where the block goes (`intents`).
Checked by: `tests/sync/test_transaction_checks.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vfdir_lab.arena import checks
from vfdir_lab.arena.uploads import LARGEST_FILE_BYTES
from vfdir_lab.arena.writes import BlockExtras
from vfdir_lab.errors import UsageError
from vfdir_lab.media import HEAD_BYTES, MediaStore, Stored, content_type
from vfdir_lab.sync.normalise import Fields

MARK = "vfdir_tx"
"""The key of are.na's metadata that says which intent made a thing."""

_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml"})
_TEXTS = ("title", "description", "alt_text", "original_source_title")


def drafted(value: str | None, file: str | Path | None, extras: BlockExtras, store: MediaStore) -> Fields:
    """The payload of a block made from a text or an address, or from a file.

    Raises:
        UsageError: are.na would not take it. ArchiveWriteError: the file could not be kept.
    """
    known_names(extras, BlockExtras)
    wished = _extras(extras)
    made: Fields
    if value is not None and file is None:
        made = {"value": checks.block_value(value)}
        foreseen = _foreseen_of_value(value.strip(), wished)
    elif file is not None and value is None:
        kept = _kept(_found(file), store)
        made, foreseen = {"file": kept}, _foreseen_of_file(kept, wished)
    else:
        raise UsageError("a block is made from a text or an address, or from a file: give one of them")
    if "alt_text" in wished and foreseen["type"] not in {"Image", "Link"}:
        raise UsageError(
            f"alt_text says what a picture shows, and this will be a block of type "
            f"{foreseen['type']}: say it in the description"
        )
    return made | wished | foreseen


def marked(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of a new thing, with room for the mark of its intent beside it.

    Raises:
        UsageError: it is beyond are.na's limits, or has a mark of its own.
    """
    checked = checks.metadata(metadata)
    unmarked(checked)
    checks.metadata({**checked, MARK: "0" * 32})
    return checked


def unmarked(metadata: Mapping[str, Any]) -> None:
    """Raises UsageError: a person's metadata touches the mark by which lost answers are found."""
    if MARK in metadata:
        raise UsageError(f"metadata {MARK} is how vfdir_lab finds again what it made: use another key")


def known_names(given: Mapping[str, Any], known: type) -> None:
    """Raises UsageError: a field is named that cannot be wished."""
    names = list(known.__annotations__)
    if unknown := sorted(given.keys() - set(names)):
        raise UsageError(f"there is no {', '.join(unknown)} to wish for here: give {', '.join(names)}")


def _extras(extras: BlockExtras) -> Fields:
    """What was wished beside the value; what is None or empty was not."""
    given: Mapping[str, Any] = extras
    wished = {name: checks.text(given[name], name) for name in _TEXTS if given.get(name) is not None}
    wished = {name: text for name, text in wished.items() if text}
    if given.get("original_source_url") is not None:
        wished["original_source_url"] = checks.address(given["original_source_url"], "original_source_url")
    if given.get("metadata") is not None and (metadata := marked(given["metadata"])):
        return wished | {"metadata": metadata}
    return wished


def _foreseen_of_value(value: str, wished: Fields) -> Fields:
    if _ADDRESS.fullmatch(value) is None:
        return {"type": "Text", "content": value} | _source(wished)
    return {"type": "Link"} | _source({"original_source_url": value} | wished)


def _foreseen_of_file(kept: Fields, wished: Fields) -> Fields:
    about = {"filename": kept["name"], "content_type": kept["content_type"], "file_size": kept["size"]}
    if kept["content_type"] in _PICTURES:
        alt_text = {"alt_text": wished["alt_text"]} if "alt_text" in wished else {}
        return {"type": "Image", "image": about | alt_text} | _source(wished)
    ending = Path(kept["name"]).suffix.removeprefix(".").lower()
    return {"type": "Attachment", "attachment": about | {"file_extension": ending or None}} | _source(wished)


def _source(wished: Fields) -> Fields:
    """Where the block came from, as are.na will show it, if the person said."""
    url, title = wished.get("original_source_url"), wished.get("original_source_title")
    return {"source": {"url": url, "title": title}} if url is not None else {}


def _kept(path: Path, store: MediaStore) -> Fields:
    """A file, copied into the archive."""
    name = checks.words(path.name, "the name of the file")
    stored = store.put(path, largest_bytes=LARGEST_FILE_BYTES)
    _check_size(path, stored.size)
    with store.open(stored.sha256) as copy:
        kind = content_type(name, copy.read(HEAD_BYTES))
    return _file(stored, name, kind)


def _file(stored: Stored, name: str, kind: str) -> Fields:
    return {"sha256": stored.sha256, "name": name, "content_type": kind, "size": stored.size}


def _found(file: str | Path) -> Path:
    """The file that was named, if it is one that can be sent."""
    try:
        path = Path(file).expanduser()
        if path.is_dir():
            raise UsageError(f"{path} is a folder: give a file in it")
        if not path.exists():
            raise UsageError(f"there is no file {path}: look at how its name is written")
        if not path.is_file():
            raise UsageError(f"{path} is no ordinary file: give one that can be copied")
        size = path.stat().st_size
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"{file!r} cannot be read ({error}): give a file that can be") from error
    _check_size(path, size)
    return path


def _check_size(path: Path, size: int) -> None:
    if size == 0:
        raise UsageError(f"{path} is empty: are.na makes no block of nothing")
    if size > LARGEST_FILE_BYTES:
        raise UsageError(f"{path} has {size} bytes, at most {LARGEST_FILE_BYTES} are sent: make it smaller")
