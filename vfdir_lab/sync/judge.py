"""What is gone? Judged only after a complete scan, and never on one sign alone.

A connection that a complete scan misses has vanished when this account has seen it before and a direct GET
answers 404. Where too many are missed to ask for each, a second complete scan has to miss them too, and all
that were asked have to be gone. A block or channel that nothing connects any more has
vanished when a direct GET answers 404 in two different runs. 401 and 403 mean that access was lost. Whatever
else happens leaves everything as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vfdir_lab.arena import ArenaClient, Wire
from vfdir_lab.errors import (
    ArenaAuthError,
    ArenaForbiddenError,
    ArenaNotFoundError,
    ArenaServerError,
    BudgetReachedError,
)
from vfdir_lab.event import Draft, remote_number
from vfdir_lab.sync.mirror import Mirror
from vfdir_lab.sync.normalise import whole_block, whole_channel
from vfdir_lab.sync.record import Recorder

ITEM_CHECKS_MAX = 500
"""Blocks and channels that a full scan asks for directly: only they themselves can say that they are gone."""

CHECKS_MAX = 20
"""Direct GETs for each sort of question and scan; the next scan asks, or confirms, the rest."""


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What a scan concludes. Object ids throughout.

    `hidden`: missed, but this account never saw them. `suspect`: missed by this scan, to be confirmed by the
    next. `lost`: access lost, with the status are.na answered. `contradicted`: missed by the listing though a
    direct GET shows them, so the listing is not to be trusted. `asked`: items that answered 404 once.
    `to_ask`: items not asked yet.
    """

    vanished: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    suspect: list[str] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)
    contradicted: list[str] = field(default_factory=list)
    items_vanished: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    to_ask: list[str] = field(default_factory=list)
    seen_again: list[tuple[str, Wire]] = field(default_factory=list)


def judge_connections(
    mirror: Mirror, client: ArenaClient, account: str, seen: set[str], verdict: Verdict
) -> None:
    """Judge the connections that a complete scan by `account` did not see."""
    before = mirror.last_complete(account)
    suspected = set(before.payload.get("suspect", ())) if before else set()
    checks = CHECKS_MAX
    left: list[str] = []
    for connection in sorted(mirror.live() - seen, key=lambda one: remote_number(one) or 0):
        if not mirror.seen_by(connection, account):
            verdict.hidden.append(connection)
        elif checks and _ask_connection(client, connection, verdict):
            checks -= 1
        else:
            checks = 0
            left.append(connection)
    # Too many to ask one by one: a second complete scan agrees, and all that could be asked are gone.
    agreed = suspected if verdict.vanished and not (verdict.suspect or verdict.contradicted) else set()
    verdict.vanished += [one for one in left if one in agreed]
    verdict.suspect += [one for one in left if one not in agreed]


def _ask_connection(client: ArenaClient, connection: str, verdict: Verdict) -> bool:
    """Ask for the connection itself; False when the budget does not allow it."""
    try:
        client.connection(remote_number(connection) or 0)
    except BudgetReachedError:
        return False
    except ArenaNotFoundError:
        verdict.vanished.append(connection)
    except (ArenaForbiddenError, ArenaAuthError) as error:
        verdict.hidden.append(connection)
        verdict.lost[connection] = error.status
    except ArenaServerError:
        verdict.suspect.append(connection)
    else:
        verdict.contradicted.append(connection)
    return True


def judge_items(
    mirror: Mirror, client: ArenaClient, account: str, verdict: Verdict, *, most: int = CHECKS_MAX
) -> None:
    """Ask directly for the blocks and channels that nothing here connects any more, `most` of them."""
    before = mirror.last_finished(account)
    earlier = set(before.payload.get("asked", ())) if before else set()
    waiting = earlier | set(before.payload.get("to_ask", ()) if before else ())
    left = mirror.live() - set(verdict.vanished)
    held = {mirror.item(connection) for connection in left}
    loose = {item for connection in verdict.vanished if (item := mirror.item(connection))} | waiting
    checks = most
    for item in sorted(one for one in loose - held if mirror.present(one)):
        if checks and _ask_item(client, item, verdict, again=item in earlier):
            checks -= 1
        else:
            checks = 0
            (verdict.asked if item in earlier else verdict.to_ask).append(item)


def _ask_item(client: ArenaClient, item: str, verdict: Verdict, *, again: bool) -> bool:
    """Ask for the block or channel itself; False when the budget does not allow it."""
    try:
        verdict.seen_again.append((item, fetch(client, item)))
    except BudgetReachedError:
        return False
    except ArenaNotFoundError:
        (verdict.items_vanished if again else verdict.asked).append(item)
    except (ArenaForbiddenError, ArenaAuthError) as error:
        verdict.lost[item] = error.status
    except ArenaServerError:
        (verdict.asked if again else verdict.to_ask).append(item)
    return True


def fetch(client: ArenaClient, item: str) -> Wire:
    """The block or channel itself, by its own page."""
    number = remote_number(item) or 0
    return client.channel(number) if item.startswith("channel:") else client.block(number)


def verdict_drafts(recorder: Recorder, verdict: Verdict) -> list[Draft]:
    """The facts of a verdict; for use inside `Recorder.append`."""
    mirror = recorder.mirror
    drafts: list[Draft] = []
    for identifier in [*verdict.vanished, *verdict.items_vanished]:
        if mirror.present(identifier):
            space = identifier.partition(":")[0]
            drafts.append(recorder.fact(f"{space}.vanished", identifier))
    lost = ((one, status) for one, status in verdict.lost.items() if not mirror.access_lost(one))
    drafts += [recorder.fact("object.access_lost", one, {"status": status}) for one, status in lost]
    for item, wire in verdict.seen_again:
        drafts += recorder.whole(whole_channel(wire) if item.startswith("channel:") else whole_block(wire))
    return drafts
