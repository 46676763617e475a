"""Search: blocks and channels that hold all words, ranked. `search.sql` and `fold.sql` say what counts."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import pyarrow as pa

from vfdir_lab.errors import UsageError
from vfdir_lab.projection.engine import read_sql
from vfdir_lab.projection.view import View

if TYPE_CHECKING:
    import duckdb

_FOLDER = files("vfdir_lab.projection")
WORDS_BOUND = 32
"""A query has no more words; what is longer is a text, not a question."""


def search(view: View, text: str) -> duckdb.DuckDBPyRelation:
    """Blocks and channels that hold every word of `text`, best first, as a lazy relation.

    Columns: object_id, score, title, excerpt, channels (in how many it is).

    Raises:
        UsageError: there is no word in it, or there are too many.
    """
    words = text.split()
    if not words:
        raise UsageError("search for at least one word")
    if len(words) > WORDS_BOUND:
        raise UsageError(f"search for at most {WORDS_BOUND} words, not {len(words)}")
    phrase = [" ".join(words)] if len(words) > 1 else []
    asked = pa.table(
        {"word": [*words, *phrase], "is_phrase": [False] * len(words) + [True] * len(phrase)},
        schema=pa.schema({"word": pa.string(), "is_phrase": pa.bool_()}),
    )
    return view.sql(_sql(), asked=asked)


@cache
def _sql() -> str:
    """The query, with what `fold(…)` stands for."""
    search_, fold = (read_sql(_FOLDER, name) for name in ("search", "fold"))
    return re.sub(r"fold\((\w+)\)", lambda call: fold.replace("$text", call[1]), search_)
