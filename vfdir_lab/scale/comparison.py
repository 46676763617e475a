"""Two engines' rows of one projection compared: what one has and the other has not, by row hashes.

Both come as Parquet and are hashed in one place, so only the answers can differ, never the hashing. A row's
canonical text is JSON of its columns by name; columns of other names or types are a difference of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import duckdb

from vfdir_lab.projection.connection import connect, literal, quoted
from vfdir_lab.projection.engine import read_sql

KEYS_SHOWN = 3
_NAMED = re.compile(r"\$[a-z]+")
_SQL = files("vfdir_lab.scale") / "sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What became of a comparison.

    `only_duckdb` and `only_spark` count rows that the other has not, `first` names the first few by key.
    `columns` says how the columns differ, None where they do not; then no row was compared.
    """

    only_duckdb: int = 0
    only_spark: int = 0
    first: tuple[str, ...] = ()
    columns: str | None = None

    @property
    def equal(self) -> bool:
        """Whether both give the same rows."""
        return not (self.only_duckdb or self.only_spark or self.columns)

    def __str__(self) -> str:
        if self.columns:
            return f"other columns: {self.columns}"
        if self.equal:
            return "equal"
        keys = f"; first at {', '.join(self.first)}"
        return f"{self.only_duckdb} rows of DuckDB's and {self.only_spark} of Spark's have no equal{keys}"


def compare(ours: Path, theirs: Path, keys: Sequence[str]) -> Comparison:
    """Compare a file of DuckDB's rows with a folder of Spark's; `keys` name a row."""
    with connect() as connection:
        parts = sorted(theirs.glob("*.parquet"))
        left, right = _columns(connection, (ours,)), _columns(connection, parts)
        if left != right:
            return Comparison(columns=_told(left, right))
        row = ", ".join(f"{literal(name)}: {quoted(name)}" for name, _ in left)
        values = {
            "$key": f"to_json([{', '.join(f'CAST({quoted(key)} AS VARCHAR)' for key in keys)}])",
            "$row": f"CAST(to_json({{{row}}}) AS VARCHAR)",
            "$ours": _list((ours,)),
            "$theirs": _list(parts),
        }
        query = _NAMED.sub(lambda match: values[match[0]], read_sql(_SQL, "differing"))
        rows = connection.execute(query).fetchall()
    return Comparison(
        only_duckdb=sum(surplus for _, surplus in rows if surplus > 0),
        only_spark=-sum(surplus for _, surplus in rows if surplus < 0),
        first=tuple(dict.fromkeys(str(key) for key, _ in rows))[:KEYS_SHOWN],
    )


def _list(files_of: Sequence[Path]) -> str:
    return f"[{', '.join(literal(str(path)) for path in files_of)}]"


def _columns(connection: duckdb.DuckDBPyConnection, files_of: Sequence[Path]) -> list[tuple[str, str]]:
    described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({_list(files_of)})").fetchall()
    return [(name, type_) for name, type_, *_ in described]


def _told(left: Sequence[tuple[str, str]], right: Sequence[tuple[str, str]]) -> str:
    ours = ", ".join(f"{name} {type_}" for name, type_ in left if (name, type_) not in right)
    theirs = ", ".join(f"{name} {type_}" for name, type_ in right if (name, type_) not in left)
    return f"DuckDB has {ours or 'the same in another order'}, Spark {theirs or 'the same in another order'}"
