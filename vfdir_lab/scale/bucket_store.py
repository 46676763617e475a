"""The border to S3-compatible storage: an address, the usual environment, and obstore.

Owns: what may be asked of a bucket here (list, fetch, create), and the one line that is said when it fails.
Guarantees: nothing that is there is ever overwritten or removed; what is fetched is on this disk, whole and
with the bytes its name proves, or not at all; no credential is kept, and none is in a message (what a server
says is never repeated but for its short code). Leaves to `bucket` what is fetched and sent.
Checked by `tests/scale/test_bucket_lines.py` and the contract in `tests/scale/test_bucket.py`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, InvalidPathError
from obstore.store import S3Store

from vfdir_lab.arena.address import is_loopback
from vfdir_lab.errors import ArchiveError, ArchiveNotFoundError, LogDamagedError, UsageError
from vfdir_lab.log.files import make_folder, sync_folder
from vfdir_lab.log.foreign import SEGMENT_BOUND_BYTES, unwritable
from vfdir_lab.log.segment import Footer, SegmentName, read_footer
from vfdir_lab.scale.bucket_keys import DEVICES, SCHEME, TORN, Offered, after, device_of, folder_of, offered

_ADDRESS = re.compile(r"s3://([A-Za-z0-9][A-Za-z0-9._-]{1,62})(?:/(.*))?")
_SEGMENT = re.compile(r"[A-Za-z0-9!_.*'() =+@,-]+")
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SKIP_SIGNATURE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_METADATA_ENDPOINT",
)
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_STATUS = re.compile(r"status code: ([0-9]{3})")
_DENIED = {"401", "403"}
_CHUNK_BYTES = 1 << 20
_FOOTER_BYTES = 1 << 16
_LONGEST_REQUEST = timedelta(hours=1)
SILENCE = timedelta(seconds=30)
"""A transfer that stands still for so long is given up."""
_TRIES = 3

Wrong = Callable[[Path, Offered, str], None]
"""Takes a file that is not the object it says, and what its bytes prove."""


class Bucket:
    """The part of a bucket below a prefix. Nothing is asked of it until something is wanted.

    Raises:
        UsageError: the address or the environment makes no sense.
    """

    def __init__(self, url: str) -> None:
        match = _ADDRESS.fullmatch(url)
        prefix = (match[2] or "").strip("/") if match else ""
        parts = prefix.split("/") if prefix else []
        if match is None or any(part in {".", ".."} or not _SEGMENT.fullmatch(part) for part in parts):
            raise UsageError("a bucket is given as s3://bucket/prefix, in plain letters and digits")
        self.url = f"{SCHEME}{match[1]}" + (f"/{prefix}" if prefix else "")
        self._bucket = match[1]
        self._prefix = prefix
        self.endpoint = _endpoint()
        self._store = self._open()

    def devices(self) -> tuple[str, ...]:
        """Every device of which there is an object."""
        with self._said("list"):
            found = obstore.list_with_delimiter(self._store, DEVICES)["common_prefixes"]
        return tuple(sorted(device for one in found if (device := device_of(one)) is not None))

    def listed(self, device: str, seq: int) -> tuple[list[Offered], list[str]]:
        """The segments of a device that end at `seq` or later, and the keys that are no segment's."""
        found: list[Offered] = []
        strays: list[str] = []
        with self._said("list"):
            for page in obstore.list(self._store, folder_of(device), offset=after(device, seq)):
                for one in page:
                    known = offered(one["path"], one["size"], one["e_tag"] or "")
                    if known is None:
                        strays.append(one["path"])
                    else:
                        found.append(known)
        return found, strays

    def fetch(self, one: Offered, target: Path, wrong: Wrong) -> None:
        """Make `target` what its name proves, durably. A file of other bytes is given to `wrong`.

        Raises:
            LogDamagedError: what is there is something else. LogWriteError: our disk refuses. ArchiveError
        """
        torn = target.with_name(f".{target.name}.{token_hex(4)}{TORN}")  # nobody else's, were it forgotten
        if one.size > SEGMENT_BOUND_BYTES:
            raise LogDamagedError(f"it is larger than {SEGMENT_BOUND_BYTES} bytes")
        try:
            make_folder(target.parent)
            with torn.open("wb") as file:
                running = hashlib.sha256()
                for chunk in self._chunks(one.key, one.size):
                    running.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if (found := running.hexdigest()[:16]) != one.name.proof:
                wrong(torn, one, found)
                raise LogDamagedError("its bytes are not those its name proves")
            torn.replace(target)
            sync_folder(target.parent)
        except OSError as error:
            raise unwritable(target, error) from error
        finally:
            with suppress(OSError):
                torn.unlink()

    def footer(self, one: Offered) -> Footer:
        """What an object says of itself; its end alone is fetched, and nothing is proven.

        Raises:
            LogDamagedError: it is no segment. ArchiveError
        """
        if not 0 < one.size <= SEGMENT_BOUND_BYTES:
            raise LogDamagedError("it has no size that a segment can have")
        end = self._end(one, min(one.size, _FOOTER_BYTES))
        wanted = int.from_bytes(end[-8:-4], "little") + 8
        if len(end) < wanted <= one.size:
            end = self._end(one, wanted)
        with NamedTemporaryFile(suffix=".parquet") as file:  # all but the end is a hole, which nobody reads
            file.seek(one.size - len(end))
            file.write(end)
            file.flush()
            return read_footer(file.name, name=one.name, device=one.device)

    def _end(self, one: Offered, size: int) -> bytes:
        with self._said("read"):
            return bytes(obstore.get_range(self._store, one.key, start=one.size - size, length=size))

    def create(self, key: str, data: bytes, name: SegmentName) -> bool:
        """Put a segment where nothing is; whether what is there now is what its name proves.

        Raises:
            ArchiveError: it could not be sent.
        """
        with self._said("write"):
            try:
                obstore.put(self._store, key, data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                running = hashlib.sha256()
                for chunk in obstore.get(self._store, key).stream(min_chunk_size=_CHUNK_BYTES):
                    running.update(chunk)
                return running.hexdigest()[:16] == name.proof
        return True

    def _chunks(self, key: str, size: int) -> Iterator[bytes]:
        """The bytes of an object, no more than were announced."""
        with self._said("read"):
            stream = iter(obstore.get(self._store, key).stream(min_chunk_size=_CHUNK_BYTES))
        left = size
        while True:
            with self._said("read"):
                chunk = bytes(next(stream, b""))
            left -= len(chunk)
            if not chunk:
                return
            if left < 0:
                raise LogDamagedError("it is longer than was announced")
            yield chunk

    def _open(self) -> S3Store:
        if not any(os.environ.get(name) for name in _CREDENTIALS):
            raise UsageError(
                f"there are no credentials for {self.url}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        plain = self.endpoint.startswith("http://")
        options: dict[str, Any] = {"endpoint": self.endpoint} if self.endpoint else {}
        if not (os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")):
            options["region"] = "us-east-1"
        return S3Store(
            self._bucket,
            prefix=self._prefix or None,
            client_options={"allow_http": plain, "timeout": _LONGEST_REQUEST, "read_timeout": SILENCE},
            retry_config={"max_retries": _TRIES, "retry_timeout": timedelta(minutes=2)},
            **options,
        )

    @contextmanager
    def _said(self, what: str) -> Iterator[None]:
        """Translate what obstore raises; nothing of a server's text is repeated but its short code."""
        try:
            yield
        except InvalidPathError as error:
            raise LogDamagedError("it holds a key with a name that none can have") from error
        except (BaseError, OSError, ValueError) as error:
            told = str(error)
            if "<Code>NoSuchKey</Code>" in told:
                raise LogDamagedError("it went away while being read") from None
            raise self._failure(what, told) from None

    def _failure(self, what: str, told: str) -> ArchiveError:
        code, status = _CODE.search(told), _STATUS.search(told)
        where = urlsplit(self.endpoint).netloc or "Amazon S3"
        if code is not None and code[1] == "NoSuchBucket":
            return ArchiveNotFoundError(
                f"there is no bucket {self._bucket} at {where}: make it, or check name and AWS_ENDPOINT_URL"
            )
        said = code[1] if code else f"status {status[1]}" if status else ""
        if status is not None and status[1] in _DENIED:
            return ArchiveError(
                f"{where} does not let these credentials {what} {self.url} ({said}): check "
                "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do there"
            )
        if status is not None:
            return ArchiveError(
                f"{where} failed to {what} {self.url} ({said}); what was taken and sent so far is kept: "
                "merge again later, it goes on where it stopped"
            )
        return ArchiveError(
            f"{where} could not be reached to {what} {self.url}, or broke off; what was taken and sent so "
            "far is kept: check AWS_ENDPOINT_URL and the connection, then merge again"
        )


def _endpoint() -> str:
    """Where the environment says that buckets are; empty for Amazon's own.

    Raises:
        UsageError: it is no address, or credentials would leave this machine unencrypted.
    """
    url = next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "").rstrip("/")
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise UsageError("AWS_ENDPOINT_URL must look like https://storage.example.org, without a user name")
    allowed = os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"true", "1"}
    if parts.scheme == "http" and not allowed and not is_loopback(url):
        raise UsageError(
            f"credentials are not sent unencrypted to another machine ({parts.netloc}): use https://, or set "
            "AWS_ALLOW_HTTP=true if that network is yours"
        )
    return url
