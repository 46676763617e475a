"""What goes wrong with a bucket is one line: what, which, what next; and never a secret."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from buckets import HOST, KEY, SECRET, Storage, client, moto, shared
from copies import Copy, Sky

from vfdir_lab.errors import ArchiveError, ArchiveNotFoundError, UsageError, VfdirError
from vfdir_lab.scale import bucket_store

PLACES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_ALLOW_HTTP")


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with moto() as running:
        yield running


@pytest.fixture(autouse=True)
def _environment(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in storage.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bucket_store, "_TRIES", 0)


@pytest.fixture
def here(tmp_path: Path) -> Copy:
    here = Copy(tmp_path / "here", Sky())
    here.append(1)
    return here


def line(raised: pytest.ExceptionInfo[VfdirError]) -> str:
    """The message, when it is one line without a secret."""
    text = str(raised.value)
    assert "\n" not in text
    assert not any(secret in text for secret in (KEY, SECRET, "hidden"))
    return text


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///x",
        "s3://b",
        "s3://KEY:hidden@bucket/x",
        "s3://bucket/../x",
        "s3://bucket/a//b",
        "s3://b\n/x",
    ],
)
def test_what_is_no_address_of_a_bucket(here: Copy, url: str) -> None:
    with pytest.raises(UsageError, match="s3://bucket/prefix") as raised:
        shared(here, url)
    line(raised)


def test_no_such_bucket(here: Copy) -> None:
    with pytest.raises(
        ArchiveNotFoundError, match=r"there is no bucket nowhere-at-all at 127\.0\.0\.1"
    ) as raised:
        shared(here, "s3://nowhere-at-all/x")
    line(raised)


@pytest.mark.parametrize("place", ["http://storage.example.org", "http://192.0.2.7:9000"])
def test_plain_http_to_another_machine_is_refused(
    here: Copy, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", place)
    with pytest.raises(UsageError, match="AWS_ALLOW_HTTP=true") as raised:
        shared(here, "s3://bucket/x")
    line(raised)


@pytest.mark.parametrize("place", ["storage.example.org", "ftp://x", "https://me:hidden@storage.example.org"])
def test_an_endpoint_that_is_none(here: Copy, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", place)
    with pytest.raises(UsageError, match="AWS_ENDPOINT_URL must look like") as raised:
        shared(here, "s3://bucket/x")
    line(raised)


def test_no_credentials(here: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of the network to find some."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(UsageError, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") as raised:
        shared(here, "s3://bucket/x")
    line(raised)


def test_nobody_listens(here: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{HOST}:1")
    with pytest.raises(ArchiveError, match=r"127\.0\.0\.1:1 could not be reached") as raised:
        shared(here, "s3://bucket/x")
    line(raised)


@pytest.fixture
def gruff() -> Iterator[str]:
    """A server that answers everything with 403 and says the key it was given, as Amazon's does."""

    class Gruff(BaseHTTPRequestHandler):
        status = 403

        def do_GET(self) -> None:
            body = f"<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>{KEY}</AWSAccessKeyId></Error>"
            self.send_response(self.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((HOST, 0), Gruff) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()  # so it ends as soon as told
        yield f"http://{HOST}:{server.server_address[1]}"
        server.shutdown()


def test_denied(here: Copy, gruff: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", gruff)
    with pytest.raises(
        ArchiveError, match=r"does not let these credentials list .*SignatureDoesNotMatch"
    ) as raised:
        shared(here, "s3://bucket/x")
    line(raised)


def test_a_device_with_a_key_that_none_can_have_is_named_and_the_others_are_taken(
    here: Copy, storage: Storage, tmp_path: Path
) -> None:
    bucket = storage.bucket()
    other, third = Copy(tmp_path / "other", here.sky), Copy(tmp_path / "third", here.sky)
    other.append(1)
    for copy in (here, other):
        shared(copy, f"s3://{bucket}/x")
    for key in ("../../etc", "000000000000", "./x", "000000000009/../../../etc"):
        client(storage.url).put_object(Bucket=bucket, Key=f"x/log/device=dev1/{key}", Body=b"x")
    report = shared(third, f"s3://{bucket}/x")
    assert [one.path for one in report.refused] == ["log/device=dev1"]
    assert third.events() == [event for event in other.events() if event.device == "dev2"]


def test_keys_that_sort_before_every_segment_are_not_even_looked_at(
    here: Copy, storage: Storage, tmp_path: Path
) -> None:
    bucket = storage.bucket()
    shared(here, f"s3://{bucket}/x")
    for key in ("../../etc", ".", "/y"):
        client(storage.url).put_object(Bucket=bucket, Key=f"x/log/device=dev1/{key}", Body=b"x")
    third = Copy(tmp_path / "third", here.sky)
    assert shared(third, f"s3://{bucket}/x").whole
    assert third.events() == here.events()


def test_without_its_package_the_line_names_the_extra(here: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "vfdir_lab.scale.bucket_store")
    for name in [one for one in sys.modules if one.partition(".")[0] == "obstore"]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def without(name: str, *rest: object, **named: object) -> object:
        if name.partition(".")[0] == "obstore":
            raise ModuleNotFoundError("gone", name="obstore")
        return real(name, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"needs obstore, .* install vfdir_lab\[scale\]"):
        shared(here, "s3://bucket/x")


def test_the_package_is_not_loaded_before_it_is_asked_for() -> None:
    code = "import sys, vfdir_lab.cli.app; sys.exit('obstore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_of_the_credentials_is_kept(here: Copy, storage: Storage) -> None:
    shared(here, f"s3://{storage.bucket()}/x")
    kept = [*here.bytes().values(), *(path.read_bytes() for path in here.home.rglob("*") if path.is_file())]
    assert not any(secret.encode() in data for data in kept for secret in (KEY, SECRET))


class TestCommandLine:
    """`vfdir-lab merge s3://…`."""

    def run(self, here: Copy, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vfdir_lab.cli", "--home", str(here.root), "merge", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def test_it_sends_and_takes(self, here: Copy, storage: Storage, tmp_path: Path) -> None:
        url = f"s3://{storage.bucket()}/x"
        other = Copy(tmp_path / "other", here.sky)
        other.append(2)
        shared(other, url)
        done = self.run(here, url)
        assert (done.returncode, done.stderr) == (0, "")
        assert "1 segments with" in done.stdout
        assert len(here.events()) == 5
        again = self.run(here, url, "--json")
        assert '"sent": []' in again.stdout

    def test_what_fails_is_one_line_and_exit_1(self, here: Copy) -> None:
        for url in ("s3://nowhere-at-all/x", "s3://bucket/../x"):
            done = self.run(here, url)
            assert done.returncode == 1
            assert done.stdout == ""
            assert len(done.stderr.strip().splitlines()) == 1
            assert SECRET not in done.stderr
