"""`jsonl`, `csv`, `parquet`: the rows as tables, a file each.

Owns: `write_jsonl`, `write_csv`, `write_parquet`. Guarantees: each row once, in a fixed order; the columns
are those of the lens; a batch at a time. A table without rows is there too. CSV begins with a byte order
mark, without which spreadsheets take it for another encoding. Checked by: golden files, and readers of others
in `tests/export`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from vfdir_lab.export.spelling import Speller
from vfdir_lab.export.work import Counts, Work

PEOPLE_COLUMNS = ("author", "connected_by", "owner")
MARK = b"\xef\xbb\xbf"

Put = Callable[[pa.RecordBatch], None]
Opened = Callable[[Path, pa.Schema], AbstractContextManager[Put]]
MEDIA = pa.schema(
    [(name, pa.int64() if name == "size" else pa.string())
     for name in ("block", "sort", "url", "sha256", "size", "content_type", "file")]
)  # fmt: skip


def write_jsonl(work: Work) -> Counts:
    """Write `blocks.jsonl`, `connections.jsonl`, `channels.jsonl`, `users.jsonl`: a row a line."""
    speller = Speller()

    @contextmanager
    def opened(path: Path, _schema: pa.Schema) -> Iterator[Put]:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield lambda batch: file.writelines(f"{line}\n" for line in speller.lines(batch))

    return _write(work, "jsonl", opened)


def write_csv(work: Work) -> Counts:
    """Write the same as `.csv`, with a line of names."""
    speller = Speller()

    @contextmanager
    def opened(path: Path, schema: pa.Schema) -> Iterator[Put]:
        spelled = speller.cells(pa.RecordBatch.from_pylist([], schema=schema)).schema
        with path.open("wb") as file:
            file.write(MARK)
            with pacsv.CSVWriter(file, spelled) as writer:
                yield lambda batch: writer.write_batch(speller.cells(batch).cast(spelled))

    return _write(work, "csv", opened)


def write_parquet(work: Work) -> Counts:
    """Write the same as `.parquet`, with the types of the columns."""

    @contextmanager
    def opened(path: Path, schema: pa.Schema) -> Iterator[Put]:
        with path.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
            yield writer.write_batch

    return _write(work, "parquet", opened)


def _write(work: Work, ending: str, opened: Opened) -> Counts:
    people: set[str] = set()
    counts: Counts = {}
    done = 0
    for table in ("blocks", "connections", "channels", "users", "media"):
        if table == "media" and work.copies.store is None:
            continue
        counts[table] = 0
        batches = _batches(work, table, people)
        first = next(batches)
        with opened(work.folder / f"{table}.{ending}", first.schema) as put:
            for batch in chain([first], batches):
                put(batch)
                counts[table] += batch.num_rows
                done += batch.num_rows
                work.tell(done)
    return counts


def _batches(work: Work, table: str, people: set[str]) -> Iterator[pa.RecordBatch]:
    """The batches of a table; who is met in them is who the users are."""
    if table == "media":
        yield pa.RecordBatch.from_pylist(list(work.copies.make(work.rows, work.folder)), schema=MEDIA)
        return
    more = {"people": sorted(people)} if table == "users" else {}
    for batch in work.rows.batches(table, **more):
        for column in PEOPLE_COLUMNS:
            if column in batch.schema.names:
                people.update(filter(None, pc.unique(batch.column(column)).to_pylist()))
        yield batch
