"""Reading the files of a world, with errors that name file and field.

Owns the step from TOML to typed values. Guarantees that a field of the wrong type or an unknown name is a
`SandboxError`. Leaves what the fields mean to `seed`.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from vfdir_lab.errors import SandboxError

if TYPE_CHECKING:
    from pathlib import Path

    from vfdir_lab.sandbox.records import Scalar

_T = TypeVar("_T")


class Row:
    """One table of a TOML file."""

    def __init__(self, fields: dict[str, object], where: str) -> None:
        self._fields = fields
        self.where = where

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        return name in self._fields

    def only(self, *names: str) -> None:
        """Refuse fields with other names: most are slips of the pen."""
        unknown = sorted(self._fields.keys() - set(names))
        if unknown:
            raise self.error(f"does not know the field {', '.join(unknown)}")

    def text(self, name: str) -> str:
        """A text that must be there."""
        return self._typed(name, str, None)

    def optional(self, name: str) -> str | None:
        """A text that may be missing."""
        return self.text(name) if self.has(name) else None

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        return self._typed(name, int, default)

    def flag(self, name: str) -> bool:
        """True or false; false if missing."""
        return self._typed(name, bool, default=False)

    def moment(self, name: str, default: int | None = None) -> int:
        """A time with its zone, in seconds since 1970."""
        if default is not None and not self.has(name):
            return default
        moment = self._typed(name, datetime, None)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty if missing."""
        values = self._typed(name, list, [])
        if not all(isinstance(value, str) for value in values):
            raise self.error(f"wants texts in {name}")
        return tuple(values)

    def metadata(self, name: str) -> dict[str, Scalar]:
        """Texts, numbers and truths by name; empty if missing."""
        values = self._typed(name, dict, {})
        if not all(isinstance(value, str | int | float | bool) for value in values.values()):
            raise self.error(f"wants plain values in {name}")
        return values

    def rows(self, name: str) -> list[Row]:
        """A list of tables; empty if missing."""
        values = self._typed(name, list, [])
        return [Row(value, f"{self.where}, {name} {rank}") for rank, value in enumerate(values, 1)]

    def error(self, what: str) -> SandboxError:
        """An error about this table."""
        return SandboxError(f"The sandbox's world cannot be read: {self.where} {what}.")

    def _typed(self, name: str, kind: type[_T], default: _T | None) -> _T:
        value = self._fields.get(name, default)
        if not isinstance(value, kind):
            raise self.error(f"wants {name} as {kind.__name__}")
        return value


def read_toml(path: Path) -> Row:
    """Read one file of a world."""
    try:
        return Row(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
    except (OSError, ValueError) as error:
        raise SandboxError(f"The sandbox's world cannot be read: {path.name}: {error}") from error
