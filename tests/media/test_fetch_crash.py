"""Killed at any moment, saving leaves nothing torn, and the next run ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from web import PNG, Visit, Web

from vfdir_lab.archive import Archive
from vfdir_lab.event import Draft
from vfdir_lab.log import Head
from vfdir_lab.media import MediaStore

SAVER = Path(__file__).with_name("saver.py")
FILES = {"/1": PNG + bytes(300_000)}


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as running:
        for path, body in FILES.items():
            running.file(path, body, ETag='"v1"')
        yield running


def filled(folder: Path, web: Web) -> Archive:
    archive = Archive(folder, create=True, api_url=web.url(""), token="")
    facts = [
        Draft(kind="channel.observed", object_id="channel:1", payload={"title": "Tides", "slug": "tides"})
    ]
    for number, path in enumerate(FILES, 1):
        link = {"channel": "channel:1", "item": f"block:{number}", "rank": f"a{number}"}
        shown = {"type": "Image", "image": {"src": web.url(path)}}
        facts.append(Draft(kind="block.observed", object_id=f"block:{number}", payload=shown))
        facts.append(Draft(kind="connection.observed", object_id=f"connection:{number}", payload=link))
    archive.log.append(facts)
    return archive


def run(archive: Archive, web: Web, kill_at: int) -> int:
    command = [sys.executable, str(SAVER), str(archive.path), web.url(""), str(kill_at)]
    return subprocess.run(
        command, env=dict(os.environ), capture_output=True, timeout=120, check=False
    ).returncode


@pytest.mark.parametrize("kill_at", range(1, 40, 5))
def test_killed_before_a_change_nothing_is_torn_and_the_next_run_ends_it(
    web: Web, tmp_path: Path, kill_at: int
) -> None:
    """There are some forty changes to files in it, from the first lock to the last note."""
    archive = filled(tmp_path / "archive", web)
    assert run(archive, web, kill_at) in {0, -signal.SIGKILL}
    store = MediaStore(archive.path)
    for event in archive.log.events_after(Head()):
        if event.kind == "media.saved":
            store.check(event.object_id.partition(":")[2])
    for path in (archive.path / "media").rglob("*"):
        assert path.name.startswith(".") or not path.is_file() or store.check(path.name)
    report = archive.save_media(1)
    assert (report.files, len(report.failed)) == (1, 0)
    rows = archive.sql("SELECT url, size FROM media ORDER BY url").fetchall()
    assert rows == [(web.url(path), len(body)) for path, body in FILES.items()]
    assert archive.sql("SELECT count(*) FROM events WHERE kind = 'media.saved'").fetchall() == [(1,)]
    assert archive.verify().ok


def test_killed_in_the_middle_of_a_body_it_goes_on_from_what_was_noted(web: Web, tmp_path: Path) -> None:
    body = PNG + bytes(20_000_000)
    archive = filled(tmp_path / "a", web)
    archive.log.append(
        [Draft(kind="block.observed", object_id="block:1", payload={"image": {"src": web.url("/large")}})]
    )
    started: list[subprocess.Popen[bytes]] = []

    def page(visit: Visit) -> None:
        visit.say(200, body[:15_000_000], Content_Length=str(len(body)), ETag='"v1"')
        visit.wfile.flush()
        deadline = time.monotonic() + 60
        while not list((archive.path / "cache").rglob("parts/*.json")) and time.monotonic() < deadline:
            time.sleep(0.01)
        started[0].kill()

    web.pages["/large"] = page
    command = [sys.executable, str(SAVER), str(archive.path), web.url(""), "100000"]
    with subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE) as process:
        started.append(process)
        assert process.wait(120) == -signal.SIGKILL
    web.file("/large", body, ETag='"v1"')
    assert archive.save_media(1).saved == 1
    ranges = [headers["range"] for path, headers in web.asked if path == "/large" and "range" in headers]
    (asked,) = ranges
    assert int(asked.removeprefix("bytes=").removesuffix("-")) >= 8 * 1024 * 1024
    assert archive.sql("SELECT max(size) FROM media").fetchall() == [(len(body),)]
