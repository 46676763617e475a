"""Linting with a header put before the SQL, over the shipped projections."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vfdir_lab.projection.lens import default_lens
from vfdir_lab.projection.lint import Finding, lint

HEADER = "-- projection: mine\n-- version: 1\n-- title: Mine\n-- key: object_id\n"
Lint = Callable[..., tuple[Finding, ...]]


@pytest.fixture(scope="session")
def findings() -> Lint:
    """What is found in a SELECT, as the file mine/v1_test.sql; where so asked, also for Spark."""

    def of(sql: str, *, portable: bool = False) -> tuple[Finding, ...]:
        text = sql if sql.lstrip().startswith("-- projection") else HEADER + sql
        where = (
            "tides/v2_test.sql" if text.lstrip().startswith("-- projection: tides") else "mine/v1_test.sql"
        )
        return lint(text.lstrip(), where=where, known=default_lens().definitions, portable=portable)

    return of
