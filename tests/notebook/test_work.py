"""The worker: jobs in order, paused and stopped from any thread, and by a file."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vfdir_lab.notebook.sync.work import StoppedError, Worker

LONG = 30.0


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    made = Worker("test", tmp_path / "stop", on_change=lambda: None)
    yield made
    made.stop()
    assert made.join(LONG)


def wait_for(condition: threading.Event) -> None:
    assert condition.wait(LONG)


def test_jobs_run_one_after_another_in_another_thread(worker: Worker) -> None:
    ran: list[tuple[int, int]] = []
    for n in range(3):
        worker.submit(lambda n=n: ran.append((n, threading.get_ident())))
    assert worker.join(LONG)
    assert [n for n, _ in ran] == [0, 1, 2]
    assert threading.get_ident() not in {thread for _, thread in ran}


def test_submitting_does_not_wait_for_the_job(worker: Worker) -> None:
    go = threading.Event()
    worker.submit(lambda: wait_for(go))
    assert worker.is_busy
    go.set()


def test_a_sleeping_job_wakes_up_to_end(worker: Worker) -> None:
    begun, ended = threading.Event(), threading.Event()

    def job() -> None:
        begun.set()
        try:
            worker.sleep(3600)
        except StoppedError:
            ended.set()
            raise

    worker.submit(job)
    wait_for(begun)
    worker.stop()
    wait_for(ended)
    assert worker.join(LONG)
    assert not worker.is_stopping


def test_a_paused_job_rests_at_its_safe_point_until_it_may_go_on(worker: Worker) -> None:
    begun, passed = threading.Event(), threading.Event()

    def job() -> None:
        begun.set()
        while not worker.is_paused:
            time.sleep(0.001)
        worker.safe_point()
        passed.set()

    worker.submit(job)
    wait_for(begun)
    worker.pause()
    assert not passed.wait(0.5)
    worker.resume()
    wait_for(passed)


def test_a_paused_job_can_be_stopped(worker: Worker) -> None:
    begun = threading.Event()

    def job() -> None:
        begun.set()
        worker.sleep(3600)

    worker.submit(job)
    wait_for(begun)
    worker.pause()
    worker.stop()
    assert worker.join(LONG)


def test_stopping_forgets_the_jobs_that_wait(worker: Worker) -> None:
    ran: list[str] = []
    begun = threading.Event()

    def first() -> None:
        begun.set()
        worker.sleep(3600)

    worker.submit(first)
    worker.submit(lambda: ran.append("second"))
    wait_for(begun)
    worker.stop()
    assert worker.join(LONG)
    assert ran == []


def test_a_stopped_worker_works_again(worker: Worker) -> None:
    worker.submit(lambda: worker.sleep(3600))
    worker.stop()
    assert worker.join(LONG)
    done = threading.Event()
    worker.submit(done.set)
    wait_for(done)


def test_what_is_submitted_after_a_stop_runs(worker: Worker) -> None:
    begun, done = threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        worker.sleep(3600)

    worker.submit(first)
    wait_for(begun)
    worker.stop()
    worker.submit(done.set)
    wait_for(done)


def test_a_file_ends_the_job_and_is_removed(worker: Worker, tmp_path: Path) -> None:
    """Where a busy kernel takes no click, a terminal can make the file."""
    begun = threading.Event()

    def job() -> None:
        begun.set()
        worker.sleep(3600)

    worker.submit(job)
    wait_for(begun)
    (tmp_path / "stop").touch()
    assert worker.join(LONG)
    assert not (tmp_path / "stop").exists()


def test_the_end_of_the_work_is_told(tmp_path: Path) -> None:
    told = threading.Event()
    worker = Worker("test", tmp_path / "stop", on_change=told.set)
    worker.submit(lambda: None)
    wait_for(told)
    assert not worker.is_busy
