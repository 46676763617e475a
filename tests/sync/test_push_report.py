"""How a push and its plan are told: as text, as a page's table, as JSON."""

from __future__ import annotations

import json

import pytest

from vfdir_lab.sync.push_report import Planned, Pushed, PushPlan, PushReport

HOSTILE = "<script>alert('x')</script> & more"


def report(*states: str, label: str = "tidy", why: str = "", paused: str = "") -> PushReport:
    transactions = tuple(
        Pushed(tx=f"tx:{n}", label=label, state=state, attempts=n, why=why)
        for n, state in enumerate(states, 1)
    )
    return PushReport(
        transactions=transactions, requests=7, waited_seconds=1.23456, paused=paused, notes=("a note",)
    )


def test_a_report_is_a_table_with_what_is_to_be_said_below() -> None:
    assert str(report("settled", "rejected", why="no", paused="the budget is used up")).splitlines() == [
        "transaction  state     requests  why",
        "tidy         settled   1         no",
        "tidy         rejected  2         no",
        "paused: the budget is used up",
        "a note",
    ]


def test_a_transaction_without_a_label_goes_by_its_id() -> None:
    assert report("settled", label="").rows() == [("tx:1", "settled", "1", "")]


def test_nothing_to_push_is_said() -> None:
    empty = PushReport(transactions=(), requests=0, waited_seconds=0.0)
    assert str(empty) == "there is nothing to push"
    assert empty._repr_html_() == "<p>there is nothing to push</p>"


def test_a_pause_is_said_even_where_nothing_was_to_push() -> None:
    paused = PushReport(transactions=(), requests=1, waited_seconds=0.0, paused="no network")
    assert str(paused) == "there is nothing to push\npaused: no network"


@pytest.mark.parametrize("where", ["label", "why", "paused"])
def test_labels_and_reasons_are_escaped(where: str) -> None:
    """Labels are a person's, reasons are are.na's."""
    page = report("rejected", **{where: HOSTILE})._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; more" in page


def test_notes_are_escaped() -> None:
    noted = PushReport(
        transactions=report("settled").transactions, requests=1, waited_seconds=0.0, notes=(HOSTILE,)
    )
    assert "<script>" not in noted._repr_html_()


@pytest.mark.parametrize(
    ("states", "is_left"),
    [
        (("settled", "superseded", "cancelled"), False),
        (("settled", "committed"), True),
        (("sent",), True),
        (("unknown",), True),
        (("accepted",), True),
        (("rejected",), True),
        ((), False),
    ],
)
def test_what_has_no_end_is_left_for_the_next_push_or_for_a_person(
    states: tuple[str, ...], is_left: bool
) -> None:
    assert report(*states).resumable is is_left


def test_a_person_is_waited_for_where_nothing_else_helps() -> None:
    waiting = [
        one.state
        for one in report("committed", "sent", "unknown", "accepted", "rejected", "settled").transactions
        if one.waits_for_person
    ]
    assert waiting == ["unknown", "rejected"]


def test_states_are_counted() -> None:
    told = report("settled", "settled", "rejected")
    assert (told.count("settled"), told.count("rejected"), told.count("sent")) == (2, 1, 0)


def test_a_report_is_plain_json() -> None:
    told = report("rejected", why="no").as_dict()
    assert json.loads(json.dumps(told)) == {
        "transactions": [{"tx": "tx:1", "label": "tidy", "state": "rejected", "attempts": 1, "why": "no"}],
        "requests": 7,
        "waited_seconds": 1.235,
        "paused": "",
        "notes": ["a note"],
        "resumable": True,
    }


PLAN = PushPlan(
    requests=(
        Planned(tx="tx:1", label=HOSTILE, asked="POST /v3/channels", body={"title": "été"}),
        Planned(tx="tx:2", label="", asked="block.edited", waits="an answer"),
    )
)


def test_a_plan_shows_each_request_with_its_body_or_what_it_waits_for() -> None:
    assert PLAN.rows() == [
        (HOSTILE, "POST /v3/channels", '{"title": "été"}', ""),
        ("tx:2", "block.edited", "", "an answer"),
    ]
    assert str(PLAN).splitlines()[0].split() == ["transaction", "request", "body", "waits"]
    assert "<script>" not in PLAN._repr_html_()


def test_a_plan_is_plain_json() -> None:
    assert json.loads(json.dumps(PLAN.as_dict()))["requests"][1] == {
        "tx": "tx:2",
        "label": "",
        "asked": "block.edited",
        "body": None,
        "waits": "an answer",
    }
