"""What the log says of lenses: which SQL was put to use under which number, and which lens chose what.

`projection.defined` carries the whole text of a person's version, `lens.set` the whole choice of a lens: for
each projection a number, and for a person's own the digest of its text. So the log tells which interpretation
was in force at any time, whatever became of the files. A choice that leaves a projection out leaves it to
the shipped default.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vfdir_lab.errors import EventError, UsageError, VfdirError
from vfdir_lab.event import Draft
from vfdir_lab.event.canonical import parse
from vfdir_lab.event.ids import subject
from vfdir_lab.projection.definition import Definition, text_digest

EVENTS = "SELECT * FROM events WHERE kind IN ('lens.set', 'projection.defined', 'device.joined')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One version, chosen; `digest` names the text of a person's own, None means a shipped one."""

    version: int
    digest: str | None = None

    @classmethod
    def of(cls, definition: Definition) -> Choice:
        """The choice of this definition."""
        own = definition.source == "own"
        return cls(version=definition.version, digest=definition.digest if own else None)


Choices = Mapping[str, Choice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A lens was set: by which event, on which device, when, to what."""

    event_id: str
    device: str
    recorded_at: datetime
    choices: Choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """A text was put to use under a name and a number, on a device."""

    device: str
    name: str
    version: int
    sql: str

    @property
    def digest(self) -> str:
        """As `Definition.digest`."""
        return text_digest(self.sql)


@dataclass(slots=True, kw_only=True)
class Book:
    """All of it, in the total order of events: settings by lens, texts by digest, who went on as whom."""

    settings: dict[str, list[Setting]] = field(default_factory=lambda: defaultdict(list))
    defined: dict[str, list[Defined]] = field(default_factory=lambda: defaultdict(list))
    instead_of: dict[str, str] = field(default_factory=dict)

    def own_devices(self, device: str | None) -> frozenset[str]:
        """This copy's device and those it went on from."""
        found: set[str] = set()
        while device and device not in found:
            found.add(device)
            device = self.instead_of.get(device)
        return frozenset(found)

    def trusted(self, digest: str, devices: frozenset[str]) -> Defined | None:
        """The text of that digest, if one of these devices put it to use."""
        return next((one for one in self.defined.get(digest, ()) if one.device in devices), None)

    def newest(self, name: str, version: int) -> Defined | None:
        """The text that was last put to use under this number, by whomever."""
        found = [text for texts in self.defined.values() for text in texts]
        return next((one for one in reversed(found) if (one.name, one.version) == (name, version)), None)


def book_of(rows: Iterable[Mapping[str, Any]]) -> Book:
    """Read the events of `EVENTS`, in their total order. What is malformed (a hostile log) is passed over."""
    book = Book()
    for row in rows:
        with suppress(EventError, KeyError, TypeError, ValueError, AttributeError):
            _note(book, row, parse(row["payload"]))
    return book


def _note(book: Book, row: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
    _, _, subject = row["object_id"].partition(":")
    match row["kind"]:
        case "device.joined" if isinstance(payload.get("instead_of"), str):
            book.instead_of[row["device"]] = payload["instead_of"]
        case "projection.defined":
            one = Defined(
                device=row["device"], name=subject, version=int(payload["version"]), sql=str(payload["sql"])
            )
            book.defined[one.digest].append(one)
        case "lens.set":
            book.settings[subject].append(
                Setting(
                    event_id=row["event_id"],
                    device=row["device"],
                    recorded_at=row["recorded_at"],
                    choices={name: _choice(said) for name, said in payload["versions"].items()},
                )
            )


def _choice(said: Mapping[str, Any]) -> Choice:
    digest = said.get("sql")
    return Choice(version=int(said["version"]), digest=None if digest is None else str(digest))


def check_name(name: str) -> None:
    """Raises UsageError: it cannot be a lens's name."""
    cannot = f"{name!r} cannot be a lens's name; use letters, digits, _ and -"
    if name != name.strip():
        raise UsageError(cannot)
    try:
        subject(f"lens:{name}")
    except VfdirError as error:
        raise UsageError(cannot) from error


def set_lens(name: str, choices: Choices) -> Draft:
    """The event that sets a lens."""
    versions = {
        projection: {"version": choice.version} | ({"sql": choice.digest} if choice.digest else {})
        for projection, choice in choices.items()
    }
    return Draft(kind="lens.set", object_id=f"lens:{name}", payload={"versions": versions})


def define_projection(definition: Definition) -> Draft:
    """The event that puts a person's text to use."""
    payload = {"version": definition.version, "title": definition.title, "sql": definition.sql}
    return Draft(kind="projection.defined", object_id=f"projection:{definition.name}", payload=payload)
