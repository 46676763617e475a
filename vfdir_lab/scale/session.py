"""The Spark session that a replay works in: a person's own, or one that is opened at an address and closed.

Owns what an answer depends on: the settings below are made in a session of ours, so a person's keeps its own.
pyspark is imported here and nowhere else, when it is asked for. Whatever keeps Spark from starting is one
line that says what to do. Checked by `tests/scale/test_session.py` and, on a cluster, `test_cluster.py`.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vfdir_lab.errors import UsageError
from vfdir_lab.scale.functions import definitions

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # What DuckDB refuses, Spark refuses: no sum that wraps around, no cast that quietly gives null.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
}
"""What an answer depends on. Anything else of a session, such as memory, is the business of who opens it."""

ANSWER_SECONDS = 5.0
WORKER_SECONDS = 60.0
LOOK_SECONDS = 0.2
_GET_JAVA = (
    "get Java 17: `apt-get install openjdk-17-jre-headless`, `brew install openjdk@17`, or from adoptium.net "
    "with JAVA_HOME pointing at it"
)


@contextmanager
def working(where: SparkSession | str) -> Iterator[SparkSession]:
    """A session with our settings and functions; `where` is a session, or a master: `local[2]`, `spark://…`.

    A session that was opened here is closed again.

    Raises:
        UsageError: pyspark or Java is missing, the address is none, nobody answers there or takes work.
    """
    with _quietly():
        if isinstance(where, str):
            given = _opened(where)
            try:
                _await_workers(given, where)
                yield _prepared(given)
            finally:
                given.stop()
        else:
            _require_pyspark()
            yield _prepared(where)


def _require_pyspark() -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about versions of pandas, which is not used
            import pyspark.sql  # noqa: F401, PLC0415 - only who asks for Spark pays for it
    except ImportError as error:
        raise UsageError(
            "pyspark is not installed; install it with `pip install 'vfdir_lab[scale]'`"
        ) from error


def _opened(master: str) -> SparkSession:
    """A new session at a master; none of this process is in the way."""
    _require_pyspark()
    _require_java()
    _require_answer(master)
    from pyspark.sql import SparkSession  # noqa: PLC0415 - as above

    if SparkSession.getActiveSession() is not None:
        raise UsageError(
            "a Spark session is open in this process already; give that one instead of an address, or stop it"
        )
    log4j = Path(str(files("vfdir_lab.scale") / "log4j2.properties"))
    builder: Any = SparkSession.builder.appName("vfdir_lab").master(master)
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={log4j.as_uri()}",
    }.items():
        builder = builder.config(name, value)
    with _own_stderr() as said:
        try:
            session: SparkSession = builder.getOrCreate()
        except Exception as error:
            raise UsageError(
                f"Spark does not start at {master}: {_reason(error, said())}; try `local[2]` first"
            ) from error
    return session


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if found is None:
        raise UsageError(f"Spark runs on Java, and there is none here; {_GET_JAVA}")


def _require_answer(master: str) -> None:
    """Whether somebody listens at a standalone master; Spark itself would try for a minute."""
    if not master.startswith("spark://"):
        return
    for one in master.removeprefix("spark://").split(","):
        try:
            address = urlsplit(f"//{one}")
            with socket.create_connection((address.hostname or "", address.port or 7077), ANSWER_SECONDS):
                return
        except (OSError, ValueError):
            continue
    raise UsageError(f"nobody answers at {master}; start a master there, or give `local[2]`")


def _await_workers(session: SparkSession, master: str) -> None:
    """Wait until somebody takes work; Spark itself would wait for ever."""
    if master.startswith("local"):
        return
    context: Any = session.sparkContext._jsc  # noqa: SLF001 - Python is told of executors in no other way
    until = time.monotonic() + WORKER_SECONDS
    while context.sc().getExecutorMemoryStatus().size() < 2:  # the driver is one of them
        if time.monotonic() > until:
            raise UsageError(f"no worker of {master} takes work; start one with memory to spare")
        time.sleep(LOOK_SECONDS)


def _prepared(given: SparkSession) -> SparkSession:
    """A session of ours beside the one given, which keeps its settings, views and functions."""
    session = given.newSession()
    for name, value in SETTINGS.items():
        session.conf.set(name, value)
    for statement in definitions():
        session.sql(statement)
    return session


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep pyspark from printing each error as a page of JSON beside raising it."""
    logger = logging.getLogger("SQLQueryContextLogger")
    was = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = was


@contextmanager
def _own_stderr() -> Iterator[Any]:
    """What a JVM that starts within says on stderr is kept out of the person's; gives what it said so far."""
    with tempfile.TemporaryFile() as kept:
        kept_aside = os.dup(2)
        os.dup2(kept.fileno(), 2)

        def said() -> str:
            kept.seek(0)
            return kept.read().decode("utf-8", "replace")

        try:
            yield said
        finally:
            os.dup2(kept_aside, 2)
            os.close(kept_aside)


def _reason(error: Exception, said: str) -> str:
    """The line that says most: Spark's own, or the last that the JVM said."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    spoken = [line.strip() for line in said.splitlines() if line.strip() and "WARN" not in line]
    with suppress(IndexError):
        return (lines if "Exception" in str(error) else spoken or lines)[-1 if not lines else 0]
    return type(error).__name__
