/* The seconds in which something came up that is about a channel: the channel itself, how things are connected to
   it, what is said of those from then on, and the scans and transactions behind that. $time is the axis. */
WITH held AS (
    SELECT object_id, payload ->> '$.item' AS item, min($time) AS since
    FROM events
    WHERE kind IN ('connection.observed', 'connection.made') AND payload ->> '$.channel' = $channel
    GROUP BY ALL
),
behind AS (
    SELECT cause AS object_id
    FROM events
    WHERE cause IS NOT NULL AND kind LIKE 'connection.%' AND object_id IN (SELECT object_id FROM held)
),
about AS (
    SELECT $channel AS object_id
    UNION
    SELECT object_id FROM held
    UNION
    SELECT object_id FROM behind
),
items AS (
    SELECT item, min(since) AS since FROM held GROUP BY item
)
SELECT date_trunc('second', $time) AS second
FROM events
WHERE object_id IN (SELECT object_id FROM about)
UNION
SELECT date_trunc('second', events.$time)
FROM events
JOIN items ON items.item = events.object_id AND events.$time >= items.since
ORDER BY second
