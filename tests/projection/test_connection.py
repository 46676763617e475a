"""Connections of DuckDB as this package opens them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vfdir_lab.projection.connection import connect


def test_what_does_not_fit_in_memory_is_spilled_where_no_state_was_kept_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that only reads an archive, nobody made the folder yet."""
    monkeypatch.setenv("VFDIR_STATE_HOME", str(tmp_path / "no" / "state"))
    with connect(memory_mib=48) as connection:
        connection.execute("SET threads = 1")
        rows = "SELECT md5(CAST(range AS VARCHAR)) AS text FROM range(1_500_000)"
        connection.execute(f"CREATE TEMP TABLE sorted AS {rows} ORDER BY text")
        assert connection.sql("SELECT count(*) FROM sorted").fetchall() == [(1_500_000,)]
    assert (tmp_path / "no" / "state").is_dir()
