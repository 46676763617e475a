"""The formats, by name: what each writes into a snapshot's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from vfdir_lab.errors import UsageError
from vfdir_lab.export.documents import write_json
from vfdir_lab.export.html import write_html
from vfdir_lab.export.markdown import write_markdown
from vfdir_lab.export.tables import write_csv, write_jsonl, write_parquet
from vfdir_lab.export.work import Counts, Work

FORMATS: Mapping[str, Callable[[Work], Counts]] = MappingProxyType(
    {
        "json": write_json,
        "jsonl": write_jsonl,
        "csv": write_csv,
        "parquet": write_parquet,
        "markdown": write_markdown,
        "html": write_html,
    }
)
ZIP = "zip"
PACKED = "html"
"""What `zip` packs where nothing else was said."""


def format_of(name: str) -> tuple[str, bool]:
    """The format that is meant, and whether it is packed: `csv.zip` is csv packed, `zip` is html packed.

    Raises:
        UsageError: there is no such format.
    """
    inner = PACKED if name == ZIP else name.removesuffix(f".{ZIP}")
    if inner not in FORMATS:
        raise UsageError(
            f"there is no format {name!r}; there are {', '.join(FORMATS)}, zip (packed html) and "
            "any of them packed, such as csv.zip"
        )
    return inner, inner != name
