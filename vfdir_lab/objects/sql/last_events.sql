/* All that was said of objects but their end: what was observed and wished of them, with the commits of those
   wishes, so that a fold over it shows them as they were last shown. */
WITH about AS (
    SELECT *
    FROM events
    WHERE
        object_id IN (SELECT unnest($objects))
        AND kind NOT IN ('block.vanished', 'channel.vanished', 'connection.vanished', 'connection.unmade', 'channel.deleted')
)
SELECT * EXCLUDE (event_id) FROM about
UNION ALL
SELECT * EXCLUDE (event_id)
FROM events
WHERE kind = 'tx.committed' AND object_id IN (SELECT cause FROM about)
