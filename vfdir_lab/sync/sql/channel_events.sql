-- All that was ever observed of one channel, its connections and its items, and every scan of it.
WITH connected AS (
    SELECT object_id, payload ->> '$.item' AS item
    FROM events
    WHERE kind = 'connection.observed' AND payload ->> '$.channel' = $channel
)
SELECT * EXCLUDE (event_id)
FROM events
WHERE
    (kind IN ('scan.started', 'scan.finished') AND payload ->> '$.channel' = $channel)
    OR (
        kind NOT IN ('scan.started', 'scan.finished')
        AND (
            object_id = $channel
            OR object_id IN (SELECT object_id FROM connected)
            OR object_id IN (SELECT item FROM connected)
            OR (kind = 'comment.observed' AND payload ->> '$.block' IN (SELECT item FROM connected))
        )
    )
ORDER BY hlc, device, seq
