"""The files of a channel: each once, recorded when it is durable, and tried again when it failed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web import PNG, Web

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME, Time
from vfdir_lab.cli import main
from vfdir_lab.errors import LogLockedError, UsageError
from vfdir_lab.event import Draft
from vfdir_lab.event.event import ARENA
from vfdir_lab.log import machine
from vfdir_lab.media import MediaStore
from vfdir_lab.sandbox import Sandbox
from vfdir_lab.sync import media as media_module
from vfdir_lab.sync.media_report import MediaProgress

HASTY = Time(now=SYSTEM_TIME.now, monotonic=SYSTEM_TIME.monotonic, sleep=lambda _seconds: None)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as running:
        yield running


@pytest.fixture
def archive(tmp_path: Path, web: Web) -> Archive:
    """An archive whose are.na is on this machine; it is never asked."""
    return Archive(
        tmp_path / "archive", create=True, api_url=f"http://127.0.0.1:{web.port}", token="secret", time=HASTY
    )


def show(archive: Archive, channel: int, **blocks: dict[str, Any]) -> None:
    """are.na shows a channel with these blocks (`b1=…`), the first at the bottom."""
    facts = [(f"channel:{channel}", {"slug": f"channel-{channel}", "title": f"Channel {channel}"})]
    for place, (name, fields) in enumerate(blocks.items(), 1):
        block = f"block:{name.removeprefix('b')}"
        link = {"channel": f"channel:{channel}", "item": block, "rank": f"a{place}"}
        facts += [(block, fields), (f"connection:{channel}00{place}", link)]
    archive.log.append(
        [
            Draft(kind=f"{one.partition(':')[0]}.observed", object_id=one, payload=fields, origin=ARENA)
            for one, fields in facts
        ]
    )


def picture(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "Image", "image": {"src": url, **more}}


def attachment(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "Attachment", "attachment": {"url": url, **more}}


def saved(archive: Archive) -> list[dict[str, Any]]:
    """Every `media.saved` there is, as it was recorded."""
    events = archive.log.events_after(type(archive.head)())
    return [
        {"about": event.object_id, "cause": event.cause, "origin": event.origin, **event.fields}
        for event in events
        if event.kind == "media.saved"
    ]


def test_pictures_and_attachments_are_kept_and_recorded(archive: Archive, web: Web) -> None:
    web.file("/p", PNG + b"1")
    web.file("/f", b"a;b\n1;2\n")
    show(
        archive,
        1,
        b1=picture(web.url("/p"), filename="p.jpg"),
        b2=attachment(web.url("/f"), filename="t.csv"),
    )
    told: list[MediaProgress] = []
    report = archive.save_media("channel-1", on_progress=told.append)
    assert (report.files, report.saved, report.known, report.failed, report.left) == (2, 2, 0, (), 0)
    assert report.bytes == len(PNG) + 1 + 8
    store = MediaStore(archive.path)
    rows = archive.sql("SELECT url, sha256, size, content_type FROM media ORDER BY url").fetchall()
    assert [(url, size, kind) for url, _, size, kind in rows] == [
        (web.url("/f"), 8, "text/csv"),
        (web.url("/p"), len(PNG) + 1, "image/png"),
    ]
    for _, sha256, size, _ in rows:
        assert store.check(sha256).size == size
    first = saved(archive)[0]
    assert first["about"].startswith("media:")
    assert set(first) == {"about", "cause", "origin", "url", "size", "content_type"}
    assert (first["cause"], first["origin"]) == (None, archive.log.device())
    assert (told[0].done, told[-1].done, told[-1].total) == (0, 2, 2)
    assert archive.verify().ok


def test_the_top_of_the_channel_comes_first(archive: Archive, web: Web) -> None:
    for number in (1, 2, 3):
        web.file(f"/{number}", PNG)
    show(archive, 1, **{f"b{number}": picture(web.url(f"/{number}")) for number in (1, 2, 3)})
    archive.save_media(1)
    assert [path for path, _ in web.asked] == ["/3", "/2", "/1"]


def test_each_address_is_fetched_once_whatever_it_is_in(archive: Archive, web: Web) -> None:
    web.file("/p", PNG)
    show(archive, 1, b1=picture(web.url("/p")), b2=picture(web.url("/p")))
    show(archive, 2, b1=picture(web.url("/p")), b3=picture(web.url("/p")))
    for channel in (1, 2, 1):
        archive.save_media(channel)
    assert len(web.asked) == len(saved(archive)) == 1
    assert archive.save_media(2).known == 1


def test_the_token_goes_nowhere(archive: Archive, web: Web) -> None:
    web.file("/p", PNG)
    show(archive, 1, b1=picture(web.url("/p")))
    archive.save_media(1)
    assert "secret" not in json.dumps(web.asked)


def test_what_failed_is_listed_has_no_event_and_is_tried_again(archive: Archive, web: Web) -> None:
    web.file("/p", PNG)
    show(archive, 1, b1=picture(web.url("/gone")), b2=picture(web.url("/p")), b3=picture("ftp://a.example/x"))
    report = archive.save_media(1)
    assert report.saved == 1
    assert {(one.block, one.is_retryable) for one in report.failed} == {
        ("block:1", False),
        ("block:3", False),
    }
    assert not report.resumable
    assert len(saved(archive)) == 1
    web.file("/gone", PNG + b"back")
    report = archive.save_media(1)
    assert (report.saved, report.known, len(report.failed)) == (1, 1, 1)
    assert "ftp://a.example/x (block:3): it is no address" in str(report)


def test_what_is_larger_than_allowed_is_a_failure(archive: Archive, web: Web) -> None:
    web.file("/p", PNG + b"x" * 100)
    show(archive, 1, b1=picture(web.url("/p")))
    assert archive.save_media(1, largest_bytes=50).failed[0].reason == "it is larger than 50 bytes"
    assert archive.save_media(1).saved == 1


def test_a_copy_that_is_lost_is_fetched_again_and_recorded_once(archive: Archive, web: Web) -> None:
    """Files may be missing where only the log was merged."""
    web.file("/p", PNG)
    show(archive, 1, b1=picture(web.url("/p")))
    archive.save_media(1)
    store = MediaStore(archive.path)
    ((sha256,),) = archive.sql("SELECT sha256 FROM media").fetchall()
    store.path(sha256).unlink()
    assert archive.save_media(1).saved == 1
    assert store.check(sha256)
    assert len(saved(archive)) == 1
    store.path(sha256).unlink()
    web.file("/p", PNG + b"other")
    archive.save_media(1)
    assert len(saved(archive)) == 2
    assert archive.sql("SELECT size FROM media").fetchall() == [(len(PNG) + 5,)]


def test_where_nobody_answers_the_rest_is_left(archive: Archive) -> None:
    show(archive, 1, **{f"b{number}": picture(f"http://127.0.0.1:1/{number}") for number in range(1, 10)})
    report = archive.save_media(1)
    assert (len(report.failed), report.left) == (media_module.SILENT, 9 - media_module.SILENT)
    assert report.resumable


def test_an_archive_of_the_public_are_na_asks_no_private_machine(tmp_path: Path, web: Web) -> None:
    web.file("/p", PNG)
    public = Archive(tmp_path / "public", create=True, api_url="https://api.are.na", token="", time=HASTY)
    show(public, 1, b1=picture(web.url("/p")), b2=picture("http://169.254.169.254/latest/meta-data"))
    report = public.save_media(1)
    assert [one.reason for one in report.failed] == [
        f"{host} is not on the public network, and nothing else is asked"
        for host in ("169.254.169.254", "127.0.0.1")
    ]
    assert web.asked == []


def test_many_copies_are_recorded_together_and_an_interrupt_records_what_was_stored(
    archive: Archive, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_module, "BATCH", 3)
    monkeypatch.setattr(media_module, "BATCH_SECONDS", 1e9)
    for number in range(1, 6):
        web.file(f"/{number}", PNG + bytes([number]))
    show(archive, 1, **{f"b{number}": picture(web.url(f"/{number}")) for number in range(1, 6)})
    segments = len(archive.log.coverage().segments)

    def interrupt(progress: MediaProgress) -> None:
        if progress.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive.save_media(1, on_progress=interrupt)
    assert len(saved(archive)) == 4
    assert len(archive.log.coverage().segments) == segments + 2
    assert archive.save_media(1).saved == 1
    assert len(web.asked) == 5


def test_one_process_saves_at_a_time(archive: Archive, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.file("/p", PNG)
    show(archive, 1, b1=picture(web.url("/p")))
    lock = machine.Machine.lock
    monkeypatch.setattr(
        machine.Machine, "lock", lambda self, seconds=0.1, *, name="append": lock(self, 0.1, name=name)
    )
    with archive.log.machine.lock(name="media"), pytest.raises(LogLockedError):
        Archive(archive.path, api_url="http://127.0.0.1:9", token="").save_media(1)
    assert archive.save_media(1).saved == 1


@pytest.mark.parametrize("name", ["unknown", 404, "channel:404"])
def test_a_channel_that_is_not_here_is_told(archive: Archive, name: Any) -> None:
    with pytest.raises(UsageError, match="pull"):
        archive.save_media(name)


def test_blocks_without_files_want_none(archive: Archive) -> None:
    show(archive, 1, b1={"type": "Text", "title": "words"}, b2=picture(""))
    report = archive.save_media(1)
    assert (report.files, report.resumable) == (0, False)
    assert str(report) == "Channel 1: files 0, saved 0, bytes 0, here already 0, failed 0, left 0"


def test_remote_text_in_a_report_is_text(archive: Archive) -> None:
    show(archive, 1, b1=picture("ftp://a.example/<script>"))
    archive.log.append([Draft(kind="channel.observed", object_id="channel:1", payload={"title": "<b>T</b>"})])
    page = archive.save_media(1)._repr_html_()
    assert "<script>" not in page
    assert "<b>" not in page


def test_a_pull_with_media_saves_what_it_read(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        archive = Archive(
            tmp_path / "a",
            create=True,
            api_url=sandbox.url,
            token=sandbox.tokens.read,
            pause_seconds=0,
            time=HASTY,
        )
        report = archive.pull("tides", media=True)
        (media,) = report.media
        wanted = archive.sql("SELECT count(DISTINCT image_url) + count(DISTINCT attachment_url) FROM blocks")
        assert media.files == media.saved == wanted.fetchall()[0][0] > 0
        assert not report.resumable
        assert "Tides: files" in str(report)
        assert "here already" in report._repr_html_()
        assert archive.pull("tides", media=True).media[0].known == media.files
        assert archive.pull("tides").media == ()
        archive.close()


def test_the_command_saves_media_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["vfdir-lab", *words, "--home", str(tmp_path / "archive")])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    with Sandbox() as sandbox:
        monkeypatch.setenv("ARENA_API_URL", sandbox.url)
        monkeypatch.setenv("ARENA_TOKEN", sandbox.tokens.read)
        assert run("pull", "tides", "--media", "--json") == 0
        told = json.loads(capsys.readouterr().out)["media"]
        assert told[0]["saved"] == told[0]["files"] > 0
        sandbox.world.media.files.clear()
        for copy in (tmp_path / "archive" / "media").rglob("*"):
            if copy.is_file():
                copy.unlink()
        assert run("pull", "tides", "--media") == 0
        shown = capsys.readouterr()
        assert "here already" in shown.out
        assert "the server answered 404" in shown.err
