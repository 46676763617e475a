-- When are.na itself last showed each of the given objects, or said that it is gone: the greatest stamp of what a
-- pull or a push recorded of it, or of the beginning of a complete reading of a channel that holds it (which
-- records nothing of what did not change). What imports say does not count.
WITH connected AS (
    SELECT object_id AS connection, payload ->> '$.channel' AS channel, payload ->> '$.item' AS item
    FROM events
    WHERE kind = 'connection.observed' AND payload ->> '$.item' IN (SELECT unnest($objects))
),
held AS (
    SELECT connected.channel, connected.item
    FROM connected
    JOIN events ON events.object_id = connected.connection
    WHERE kind IN ('connection.observed', 'connection.vanished')
    GROUP BY ALL
    HAVING arg_max(kind, {'h': hlc, 'd': device, 's': seq}) = 'connection.observed'
),
readings AS (
    SELECT finished.payload ->> '$.channel' AS channel, max(started.hlc) AS hlc
    FROM events AS finished
    JOIN events AS started ON started.object_id = finished.object_id AND started.kind = 'scan.started'
    WHERE finished.kind = 'scan.finished' AND finished.payload ->> '$.complete' = 'true'
    GROUP BY ALL
)
SELECT object_id, max(hlc) AS hlc
FROM (
    SELECT object_id, hlc
    FROM events
    WHERE
        object_id IN (SELECT unnest($objects))
        AND kind IN ('block.observed', 'block.vanished', 'object.access_lost')
        AND NOT starts_with(COALESCE(cause, ''), 'import:')
    UNION ALL
    SELECT held.item AS object_id, readings.hlc
    FROM held
    JOIN readings ON readings.channel = held.channel
)
GROUP BY object_id
