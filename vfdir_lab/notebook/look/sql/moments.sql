/* The seconds in which something came up that is about a channel: the channel itself, what is or was in it, how
   it is connected, and the scans and transactions behind that. $time is the axis. */
WITH held AS (
    SELECT object_id, payload ->> '$.item' AS item
    FROM events
    WHERE kind IN ('connection.observed', 'connection.made') AND payload ->> '$.channel' = $channel
),
about AS (
    SELECT $channel AS object_id
    UNION
    SELECT object_id FROM held
    UNION
    SELECT item FROM held
),
behind AS (
    SELECT cause AS object_id
    FROM events
    WHERE cause IS NOT NULL AND kind LIKE 'connection.%' AND object_id IN (SELECT object_id FROM held)
)
SELECT DISTINCT date_trunc('second', $time) AS second
FROM events
WHERE object_id IN (SELECT object_id FROM about) OR object_id IN (SELECT object_id FROM behind)
ORDER BY second
