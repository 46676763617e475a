"""Trying again.

Owns: which failures are worth another try, how often, and how long to wait before it.
Guarantees: at most `attempts` tries; a pause that the server asked for is kept to the second and never
exceeds `LONGEST_PAUSE_SECONDS`; otherwise the waits grow by the power of two with jitter, so that many copies
of this program do not come back in step.
Leaves to others: deciding that something failed (`transport`, `answers`), the sleeping itself (`pacing`).
Checked by: `tests/arena/test_retry.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt

from vfdir_lab.arena.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LONGEST_PAUSE_SECONDS = 120
_FIRST_BACKOFF_SECONDS = 0.5
_LONGEST_BACKOFF_SECONDS = 30.0


def insist(
    attempt: Callable[[], T | Failure],
    *,
    attempts: int,
    rng: Callable[[], float],
    wait: Callable[[float, str], None],
) -> T:
    """The value of `attempt`, tried up to `attempts` times.

    `wait` is called with seconds and a reason in plain words before each further try; `rng` gives numbers
    from 0 to 1 for the jitter.

    Raises:
        ArenaError: what the last try, or the first hopeless one, failed with.
    """
    reasons: list[str] = []

    def note(state: RetryCallState) -> None:
        reasons.append(f"{_failure(state).why}, trying again ({state.attempt_number + 1} of {attempts})")

    retrying = Retrying(
        retry=retry_if_result(_is_worth_another_try),
        stop=stop_after_attempt(attempts),
        wait=lambda state: _seconds_before_next(_failure(state), state.attempt_number, rng),
        before_sleep=note,
        sleep=lambda seconds: wait(seconds, reasons[-1]),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    outcome: T | Failure = retrying(attempt)
    if isinstance(outcome, Failure):
        raise outcome.error
    return outcome


def _failure(state: RetryCallState) -> Failure:
    assert state.outcome is not None  # noqa: S101 - tenacity asks only after a try
    failure: Failure = state.outcome.result()
    return failure


def _is_worth_another_try(outcome: object) -> bool:
    return (
        isinstance(outcome, Failure)
        and outcome.again
        and (outcome.pause_seconds or 0) <= LONGEST_PAUSE_SECONDS
    )


def _seconds_before_next(failure: Failure, tries: int, rng: Callable[[], float]) -> float:
    if failure.pause_seconds is not None:
        return failure.pause_seconds
    longest: float = min(_FIRST_BACKOFF_SECONDS * 2 ** (tries - 1), _LONGEST_BACKOFF_SECONDS)
    return longest * (0.5 + 0.5 * rng())
