"""A standalone Spark cluster on loopback: a master and two workers, each a process, ended by their ids.

Owns: starting it from pyspark's own jars, a session on it, and the executors it has. Nothing of it outlives
the test, and nothing of it listens but on 127.0.0.1.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HOST = "127.0.0.1"
PATIENCE_SECONDS = 60.0
EXECUTORS = 2
BRIEF = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For a JVM that lives for a minute: compile quickly rather than well."""
SESSION = {
    "spark.driver.host": HOST,
    "spark.driver.bindAddress": HOST,
    "spark.executor.memory": "512m",
    "spark.executor.cores": "1",
    "spark.task.maxFailures": "8",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    # So little data that planning anew at each stage, and compiling each stage, would take most of the time.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.log.level": "OFF",
    "spark.driver.extraJavaOptions": BRIEF,
    "spark.executor.extraJavaOptions": BRIEF,
}


def require_spark() -> None:
    """Without Java or pyspark a person's test is left out, CI's fails."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pyspark.sql  # noqa: F401 - is it there?
    except ModuleNotFoundError:
        _missing("pyspark is not installed")
    if shutil.which("java") is None:
        _missing("no Java: Spark needs it")


def _missing(what: str) -> None:
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)


class Cluster:
    """A running cluster. `master` is its address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        said = self._start("master", "master.Master", "--host", HOST, "--port", "0", "--webui-port", "0")
        self.master = self._awaited(said, r"spark://127\.0\.0\.1:\d+")
        self._workers = []
        for number in range(EXECUTORS):
            place = folder / f"work{number}"
            options = ("--cores", "1", "--memory", "600m", "--webui-port", "0", "--work-dir", str(place))
            said = self._start(f"worker{number}", "worker.Worker", "--host", HOST, *options, self.master)
            self._workers.append(self._running[-1].pid)
            self._awaited(said, "Successfully registered with master")

    def _start(self, name: str, program: str, *arguments: str) -> Path:
        import pyspark

        home = Path(pyspark.__file__).parent
        said = self._folder / f"{name}.txt"
        environment = os.environ | {
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": HOST,
            "SPARK_DAEMON_MEMORY": "256m",
        }
        with said.open("wb") as sink:
            self._running.append(
                subprocess.Popen(
                    [home / "bin" / "spark-class", f"org.apache.spark.deploy.{program}", *arguments],
                    stdout=sink,
                    stderr=sink,
                    env=environment,
                    cwd=self._folder,
                )
            )
        return said

    def _awaited(self, said: Path, pattern: str) -> str:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            match = re.search(pattern, said.read_text("utf-8", "replace"))
            if match is not None:
                return match[0]
            time.sleep(0.05)
        raise AssertionError(f"{said.name}: {said.read_text('utf-8', 'replace')[-2000:]}")

    def executors(self) -> list[int]:
        """The process ids of the executors: what the workers started."""
        return [pid for worker in self._workers for pid in _children(worker)]

    def kill_one(self) -> int:
        """Kill an executor, as a machine does that loses its power. Gives its process id."""
        pid = self.executors()[0]
        os.kill(pid, signal.SIGKILL)
        return pid

    def stop(self) -> None:
        """End what was started here, by its id."""
        for pid in self.executors():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for one in reversed(self._running):
            one.kill()
            one.wait()


def _children(parent: int) -> Iterator[int]:
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = place.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(fields[1]) == parent and fields[0] != "Z":
                yield int(place.parent.name)


@contextmanager
def session_at(master: str) -> Iterator[SparkSession]:
    """A session of a person's own, with memory and settings for a small machine."""
    from pyspark.sql import SparkSession

    builder: Any = SparkSession.builder.appName("tests").master(master)
    for name, value in SESSION.items():
        builder = builder.config(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()
