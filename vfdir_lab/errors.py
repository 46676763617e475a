"""Every exception of vfdir_lab. Each message says what happened, to which thing, and what to do next.

    VfdirError
    ├── UsageError                what was asked for makes no sense: mend the call
    ├── UnknownObjectError        nothing is known of an object that was asked for; a LookupError, too
    ├── ArchiveError
    │   ├── ArchiveNotFoundError  there is no archive at this place
    │   ├── ArchiveFormatError    it is an archive, but not one this version can read
    │   ├── ArchiveWriteError     the folder refuses to be written (read-only, full disk)
    │   └── MediaError            a stored copy of a file is not there, or not what its name says
    ├── LogError
    │   ├── LogLockedError        another process is appending and did not finish in time
    │   ├── LogWriteError         an append did not become durable; nothing of it counts
    │   ├── LogDamagedError       segments that must be read cannot be
    │   ├── ForkedDeviceError     two copies wrote as one device; all the rest is merged
    │   └── HeadError             a head that is malformed, or names events that are not here
    ├── EventError                a record that breaks the envelope or the catalogue of kinds
    ├── ProjectionError
    │   ├── ProjectionFileError   a .sql file of the catalogue is malformed
    │   └── QueryError            SQL that a person typed was refused or failed
    ├── ExportError               a snapshot could not be written; nothing is left half-written
    ├── MediaFetchError           a file could not be fetched from its address; the next try may go on
    ├── ImportFileError           a file that is no export of are.na's, or a damaged one; nothing was recorded
    ├── KeyringRefusedError       this machine's keyring is missing or locked, and what was asked needs it
    ├── SandboxError              the local are.na could not start or cannot read its world
    └── ArenaError                anything that went wrong while talking to are.na
        ├── ArenaNetworkError     no answer: no connection, a reset, a timeout, a cut-off body
        ├── ArenaSkewError        are.na's clock and ours disagree; nothing was recorded
        ├── BudgetReachedError    the requests allowed for this run are used up; the next run resumes
        └── ArenaApiError         are.na answered, with a refusal
            ├── ArenaValidationError   400, 422: the request is wrong
            ├── ArenaAuthError         401: the token is missing or wrong
            ├── ArenaForbiddenError    403: the account may not
            ├── ArenaNotFoundError     404: not there, or hidden from this account
            ├── ArenaRateLimitError    429: too many requests
            └── ArenaServerError       408, 5xx, a gateway's page, or an answer that is not are.na's

Foreign exceptions (httpx, duckdb, pyarrow, the operating system) are translated at one border per dependency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vfdir_lab.log.merged import MergeReport


class VfdirError(Exception):
    """The root: catch this to catch everything that vfdir_lab raises on purpose."""


class UsageError(VfdirError):
    """What was asked for makes no sense (a channel name with a space, a budget of one)."""


class UnknownObjectError(VfdirError, LookupError):
    """Nothing is known of an object that was asked for by `object_id` (or slug); the message says what is."""

    def __init__(self, message: str, *, object_id: str) -> None:
        super().__init__(message)
        self.object_id = object_id


class ArchiveError(VfdirError):
    """Something about the archive folder itself."""


class ArchiveNotFoundError(ArchiveError):
    """There is no archive at this place."""


class ArchiveFormatError(ArchiveError):
    """The folder claims to be an archive, but not one this version can read."""


class ArchiveWriteError(ArchiveError):
    """The archive, or this machine's state folder, refuses to be written."""


class MediaError(ArchiveError):
    """A stored copy of a file is not there, cannot be read, or is not what its name says.

    `sha256` is the name it is stored under.
    """

    def __init__(self, message: str, *, sha256: str) -> None:
        super().__init__(message)
        self.sha256 = sha256


class LogError(VfdirError):
    """Something about the event log."""


class LogLockedError(LogError):
    """Another process holds the log for appending; the message names it."""


class LogWriteError(LogError):
    """An append did not become durable. All or nothing: no event of it counts."""


class LogDamagedError(LogError):
    """Segments that an answer needs cannot be read; `verify` says what is lost."""


class ForkedDeviceError(LogError):
    """Two copies of an archive wrote as one device. Nothing here was overwritten, all the rest is merged.

    `device` and `seq` say where the first fork begins; `report` is the whole merge, with every fork.
    """

    def __init__(self, message: str, *, device: str, seq: int, report: MergeReport) -> None:
        super().__init__(message)
        self.device = device
        self.seq = seq
        self.report = report


class HeadError(LogError):
    """A head is malformed, or names events that are not in this log."""


class EventError(VfdirError):
    """A record breaks the envelope, the canonical payload or the catalogue of kinds."""


class ProjectionError(VfdirError):
    """Something about a projection."""


class ProjectionFileError(ProjectionError):
    """A `.sql` file of the catalogue is malformed; the message names file, line and mend."""


class QueryError(ProjectionError):
    """SQL that a person typed was refused or failed."""


class ExportError(VfdirError):
    """A channel snapshot could not be written; nothing is left half-written."""


class MediaFetchError(VfdirError):
    """A file could not be fetched from the address `url`; nothing of it is in the store.

    `is_retryable`: the same may work later without anybody changing anything. `is_silent`: nobody answered.
    """

    def __init__(self, message: str, *, url: str, is_retryable: bool, is_silent: bool = False) -> None:
        super().__init__(message)
        self.url = url
        self.is_retryable = is_retryable
        self.is_silent = is_silent


class ImportFileError(VfdirError):
    """A file is no export of are.na's, or a damaged or hostile one; nothing of it was recorded.

    `file` is its name, within a zip the entry's; `row` counts as a spreadsheet does (the header is row 1),
    None where it is not about one row.
    """

    def __init__(self, message: str, *, file: str, row: int | None = None) -> None:
        super().__init__(message)
        self.file = file
        self.row = row


class KeyringRefusedError(VfdirError):
    """This machine's keyring did not give, keep or forget a token: it is missing, locked or broken."""


class SandboxError(VfdirError):
    """The local are.na could not start, or its world cannot be read."""


class ArenaError(VfdirError):
    """Anything that went wrong while talking to are.na.

    `is_retryable`: the same request may succeed later without anybody changing anything.
    """

    is_retryable = False


class ArenaNetworkError(ArenaError):
    """No usable answer arrived: no connection, a reset, a timeout, a body cut off."""

    is_retryable = True


class ArenaSkewError(ArenaError):
    """are.na's clock and this machine's differ by more than a minute; nothing was recorded."""


class BudgetReachedError(ArenaError):
    """The requests allowed for this run are used up; the next run resumes."""

    is_retryable = True


class ArenaApiError(ArenaError):
    """are.na answered with a refusal.

    `status` is the HTTP status, `path` the path asked (never a token, never a query with one).
    """

    def __init__(self, message: str, *, status: int, path: str) -> None:
        super().__init__(message)
        self.status = status
        self.path = path


class ArenaValidationError(ArenaApiError):
    """400 or 422: the request is wrong."""


class ArenaAuthError(ArenaApiError):
    """401: the token is missing, wrong or revoked."""


class ArenaForbiddenError(ArenaApiError):
    """403: the account may not see or do this."""


class ArenaNotFoundError(ArenaApiError):
    """404: not there, or hidden from this account."""


class ArenaRateLimitError(ArenaApiError):
    """429: too many requests. `retry_after_seconds` as are.na said, or None."""

    is_retryable = True

    def __init__(self, message: str, *, status: int, path: str, retry_after_seconds: float | None) -> None:
        super().__init__(message, status=status, path=path)
        self.retry_after_seconds = retry_after_seconds


class ArenaServerError(ArenaApiError):
    """408, 5xx, a gateway's HTML page, or a body that is not are.na's JSON."""

    is_retryable = True
