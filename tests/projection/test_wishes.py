"""`wishes` and `outbox` against a naive fold, over any history of wishes and answers of two devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from stories import OPEN, Shown, Story, stories

from vfdir_lab.event import Event

ADVANCE = ("committed", "sent", "unknown", "accepted", "rejected", "superseded", "cancelled", "settled")
ERRORS = {"tx.rejected", "tx.unknown", "tx.requeued"}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    found = Shown()
    yield found
    found.close()


def wishes_of(events: Iterable[Event]) -> dict[str, Row]:
    """The wishes by their intent, walking the events once; with the moment of the last error."""
    found: dict[str, Row] = {}
    ordered = sorted(events, key=lambda event: event.order)
    for event in ordered:
        intent = event.fields.get("intent")
        if intent and not event.kind.startswith("tx.") and intent not in found:
            found[intent] = {
                "intent": intent,
                "tx": event.cause,
                "label": None,
                "device": None,
                "kind": event.kind,
                "object_id": event.object_id,
                "wished_at": event.recorded_at,
                "state": None,
                "attempts": 0,
                "last_error": None,
                "failed": (),
            }
    for event in ordered:
        for intent in event.fields.get("intents", ()) if event.kind == "tx.committed" else ():
            row = found[intent]
            row |= {"device": event.device, "label": event.fields["label"], "committed_at": event.recorded_at}
    for event in ordered:
        verb = event.kind.partition(".")[2]
        if event.kind.startswith("tx.") and verb != "committed":
            row = found[event.fields["intent"]]
            row |= {"state": "committed" if verb == "requeued" else verb, "state_at": event.recorded_at}
            row["attempts"] += verb == "sent"
            if event.kind in ERRORS:
                row["last_error"] = event.fields.get("reason")
                row["failed"] = event.recorded_at
    for row in found.values():
        row["state"] = row["state"] or "committed"
        row.setdefault("state_at", row["committed_at"])
        row["is_open"] = row["state"] in OPEN
    return found


def outbox_of(wishes: Iterable[Row]) -> Iterator[Row]:
    by_tx: dict[str, list[Row]] = {}
    for row in wishes:
        by_tx.setdefault(row["tx"], []).append(row)
    for tx, rows in sorted(by_tx.items()):
        yield {
            "tx": tx,
            "label": rows[0]["label"],
            "state": min((row["state"] for row in rows), key=ADVANCE.index),
            "created_at": rows[0]["committed_at"],
            "attempts": sum(row["attempts"] for row in rows),
            "intents": len(rows),
            "device": rows[0]["device"],
        }


@settings(max_examples=50)
@given(story=stories())
def test_the_sql_and_a_naive_fold_agree(shown: Shown, story: Story) -> None:
    fold = wishes_of(story.events)
    rows = shown.rows(story.events, "wishes", "outbox")
    beside = {"failed", "committed_at"}
    expected = [{key: row[key] for key in row.keys() - beside} for _, row in sorted(fold.items())]
    assert rows["wishes"] == expected
    outbox = [{key: row[key] for key in row.keys() - {"last_error"}} for row in rows["outbox"]]
    assert outbox == list(outbox_of(fold.values()))
    for row in rows["outbox"]:
        said = [one for one in fold.values() if one["tx"] == row["tx"] and one["last_error"] is not None]
        newest = max((one["failed"] for one in said), default=None)
        assert row["last_error"] in ([one["last_error"] for one in said if one["failed"] == newest] or [None])


def test_a_wish_that_no_transaction_lists_is_none(shown: Shown) -> None:
    story = Story().tell("block.edited", "block:1", cause="tx:t1", intent="0" * 32, title="Alone")
    story.wish("tx:t1", (1, [("block.edited", "block:1", {"title": "Listed"})]))
    assert [row["intent"] for row in shown.rows(story.events, "wishes")["wishes"]] == [f"{1:032x}"]
