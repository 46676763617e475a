"""What is refreshed object by object is proven to be; the rest is computed in full, with the reason."""

from __future__ import annotations

import pytest

from vfdir_lab.projection import default_lens
from vfdir_lab.projection.definition import define
from vfdir_lab.projection.refresh import Rule, refresh_rule


def rule(select: str, key: str = "object_id") -> Rule:
    text = f"-- projection: mine\n-- version: 1\n-- title: T\n-- key: {key}\n{select}"
    return refresh_rule(define(text, where="mine", source="own"))


BY_OBJECT = {
    "a fold": "SELECT object_id, max(hlc) AS newest FROM events GROUP BY object_id",
    "group by all": "SELECT object_id, max(hlc) AS newest FROM events GROUP BY ALL",
    "group by number": "SELECT object_id, max(hlc) AS newest FROM events GROUP BY 1",
    "group by more": "SELECT object_id, kind, max(hlc) AS newest FROM events GROUP BY kind, object_id",
    "every event": "SELECT * FROM events WHERE kind = 'block.observed'",
    "a window": "SELECT object_id, row_number() OVER (PARTITION BY object_id ORDER BY hlc) AS n FROM events",
    "the newest": "SELECT * FROM events "
    "QUALIFY row_number() OVER (PARTITION BY object_id ORDER BY hlc DESC) = 1",
    "distinct": "SELECT DISTINCT object_id, kind FROM events",
    "distinct on": "SELECT DISTINCT ON (object_id) object_id, kind FROM events ORDER BY hlc",
    "read twice": "WITH e AS (SELECT * FROM events), "
    "m AS (SELECT object_id, max(hlc) AS h FROM e GROUP BY object_id) "
    "SELECT e.object_id, e.kind FROM e JOIN m ON e.object_id = m.object_id AND e.hlc = m.h",
    "left join": "WITH e AS (SELECT * FROM events), m AS (SELECT object_id FROM e GROUP BY object_id) "
    "SELECT m.object_id, kind FROM m LEFT JOIN e USING (object_id)",
    "union": "WITH e AS (FROM events) SELECT object_id, 1 AS n FROM e UNION ALL SELECT object_id, 2 FROM e",
    "subquery": "SELECT o.object_id FROM "
    "(SELECT object_id, count(*) AS n FROM events GROUP BY object_id) AS o WHERE n > 1",
}


@pytest.mark.parametrize("case", BY_OBJECT)
def test_by_object(case: str) -> None:
    found = rule(BY_OBJECT[case])
    assert (found.kind, found.column) == ("by object", "object_id"), found


def test_the_objects_id_may_be_called_otherwise() -> None:
    assert (
        rule("SELECT object_id AS thing, max(hlc) AS h FROM events GROUP BY object_id", "thing").column
        == "thing"
    )


FULL = {
    "two leaves": ("SELECT a.object_id FROM events AS a JOIN events AS b USING (object_id)", "2 places"),
    "no group": ("SELECT count(*) AS object_id FROM events", "aggregate without GROUP BY"),
    "hidden aggregate": (
        "SELECT json_group_array(kind) AS object_id FROM events",
        "aggregate without GROUP BY",
    ),
    "having": ("SELECT 1 AS object_id FROM events HAVING count(*) > 1", "aggregate without GROUP BY"),
    "other group": (
        "SELECT kind, max(object_id) AS object_id FROM events GROUP BY kind",
        "GROUP BY does not",
    ),
    "by expression": (
        "SELECT upper(object_id) AS object_id FROM events GROUP BY upper(object_id)",
        "GROUP BY does not",
    ),
    "rollup": ("SELECT object_id, count(*) AS n FROM events GROUP BY ROLLUP (object_id)", "does not contain"),
    "alias": (
        "SELECT kind AS object_id, count(*) AS n FROM events GROUP BY object_id",
        "something else object_id",
    ),
    "window": ("SELECT object_id, row_number() OVER (ORDER BY hlc) AS n FROM events", "window"),
    "other window": ("SELECT object_id, sum(seq) OVER (PARTITION BY kind) AS n FROM events", "window"),
    "named window": (
        "SELECT object_id, sum(seq) OVER w AS n FROM events WINDOW w AS (PARTITION BY kind)",
        "",
    ),
    "limit": ("SELECT object_id FROM events ORDER BY hlc LIMIT 3", "LIMIT"),
    "sample": ("SELECT object_id FROM events USING SAMPLE 3", "SAMPLE"),
    "distinct": ("SELECT DISTINCT kind AS object_id2 FROM events", "DISTINCT"),
    "scalar": ("SELECT object_id, (SELECT 1) AS n FROM events", "inside an expression"),
    "exists": (
        "WITH e AS (FROM events) SELECT object_id FROM e WHERE EXISTS (SELECT 1 FROM e AS f)",
        "inside an",
    ),
    "in": (
        "WITH e AS (FROM events) SELECT object_id FROM e WHERE seq IN (SELECT max(seq) FROM e)",
        "inside an",
    ),
    "cross join": ("WITH e AS (FROM events) SELECT e.object_id FROM e, e AS f", "not joined by"),
    "other join": (
        "WITH e AS (FROM events) SELECT e.object_id FROM e JOIN e AS f ON e.seq = f.seq",
        "not joined by",
    ),
    "full join": (
        "WITH e AS (FROM events) SELECT e.object_id FROM e FULL JOIN e AS f USING (object_id)",
        "FULL",
    ),
    "asof": (
        "WITH e AS (FROM events) SELECT e.object_id FROM e ASOF JOIN e AS f USING (object_id, hlc)",
        "METHOD",
    ),
    "union": (
        "WITH e AS (FROM events) SELECT object_id, kind FROM e UNION SELECT kind, object_id FROM e",
        "UNION",
    ),
    "recursive": (
        "WITH RECURSIVE e AS (SELECT object_id FROM events UNION SELECT object_id FROM e) FROM e",
        "recursive",
    ),
    "the right id": (
        "WITH e AS (FROM events) SELECT f.object_id FROM e LEFT JOIN e AS f ON e.object_id = f.object_id",
        "something else object_id",
    ),
    "unnest": ("SELECT unnest([object_id]) AS object_id FROM events", "cannot be seen"),
    "star": ("SELECT * EXCLUDE (object_id), kind AS object_id FROM events", "cannot be seen"),
    "columns": ("SELECT COLUMNS('object_id') FROM events", "cannot be seen"),
    "renamed": ("SELECT object_id FROM events AS e(object_id)", "anew"),
    "values": ("SELECT e.object_id FROM events AS e, (VALUES (1)) AS v(x)", "anew"),
    "no key": ("SELECT object_id AS thing, kind AS object_id2 FROM events", "key does not contain"),
    "the clock": ("SELECT object_id, now() AS at FROM events", r"now\(\) is another"),
    "chance": ("SELECT object_id, random() AS r FROM events", r"random\(\) is another"),
    "bare clock": ("SELECT object_id, current_timestamp AS at FROM events", "current_timestamp is another"),
    "with others": (
        "SELECT e.object_id FROM events AS e JOIN blocks USING (object_id)",
        "it reads events and blocks",
    ),
}


@pytest.mark.parametrize("case", FULL)
def test_full(case: str) -> None:
    select, reason = FULL[case]
    found = rule(select)
    assert found.kind == "full", found
    assert reason.replace("\\", "") in found.reason


def test_over_projections() -> None:
    found = rule("SELECT object_id FROM blocks JOIN users USING (object_id)")
    assert (found.kind, found.reason) == ("over projections", "it reads blocks, users")


def test_the_shipped_ones_are_refreshed_as_their_header_says() -> None:
    """What states object_id as its partition is proven to be answered by object."""
    for definition in default_lens().definitions:
        if definition.refresh_by == "object_id":
            assert refresh_rule(definition).kind == "by object", definition.called
