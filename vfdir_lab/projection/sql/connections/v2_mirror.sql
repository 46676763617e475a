-- projection: connections
-- version: 2
-- title: Mirror
-- key: object_id
-- refresh by: channel
/* What is in which channel, and where, as are.na last showed it. A connection is here while its newest
   observation is later than its vanishing, and while neither its channel nor its item has vanished.

   `position` is the rank in the channel, 1..n, top = n. Ranks are fractional keys and a device's own, so a
   channel's order is read from one device: the one with the newest complete scan of it, or, before there is
   any, the newest scan begun. What that device has not ranked yet was connected since: it comes on top, by
   time and number. */
WITH states AS (
    SELECT
        object_id,
        arg_max(kind, {'h': hlc, 'd': device, 's': seq}) AS newest,
        latest('channel') ->> '$' AS channel,
        latest('item') ->> '$' AS item,
        latest('pinned') AS pinned,
        latest('connected_at') AS connected_at,
        latest('connected_by') AS connected_by,
        latest('metadata') AS metadata
    FROM events
    WHERE kind IN ('connection.observed', 'connection.vanished')
    GROUP BY object_id
),
gone AS (
    SELECT object_id
    FROM events
    WHERE kind IN ('block.observed', 'block.vanished', 'channel.observed', 'channel.vanished')
    GROUP BY object_id
    HAVING arg_max(kind, {'h': hlc, 'd': device, 's': seq}) IN ('block.vanished', 'channel.vanished')
),
ranks AS (
    SELECT object_id, device, latest('rank') ->> '$' AS rank
    FROM events
    WHERE kind IN ('connection.observed', 'connection.ranked')
    GROUP BY object_id, device
),
readings AS (
    SELECT
        payload ->> '$.channel' AS channel,
        arg_max(
            device,
            {
                'c': CASE kind WHEN 'scan.finished' THEN 1 ELSE 0 END,
                'h': hlc,
                'd': device,
                's': seq
            }
        ) AS device
    FROM events
    WHERE kind = 'scan.started' OR (kind = 'scan.finished' AND payload ->> '$.complete' = 'true')
    GROUP BY payload ->> '$.channel'
)
SELECT
    states.object_id,
    TRY_CAST(split_part(states.object_id, ':', 2) AS BIGINT) AS remote_id,
    states.channel,
    states.item,
    row_number() OVER (
        PARTITION BY states.channel
        ORDER BY
            CASE WHEN ranks.rank IS NULL THEN 1 ELSE 0 END,
            ranks.rank,
            moment(states.connected_at) NULLS FIRST,
            TRY_CAST(split_part(states.object_id, ':', 2) AS BIGINT) NULLS LAST,
            states.object_id
    ) AS position,
    TRY_CAST(pinned ->> '$' AS BOOLEAN) AS pinned,
    moment(connected_at) AS connected_at,
    agent(connected_by) AS connected_by,
    CASE json_type(metadata) WHEN 'OBJECT' THEN CAST(metadata AS VARCHAR) END AS metadata,
    FALSE AS pending
FROM states
LEFT JOIN readings ON readings.channel = states.channel
LEFT JOIN ranks ON ranks.object_id = states.object_id AND ranks.device = readings.device
WHERE
    newest = 'connection.observed'
    AND NOT EXISTS (SELECT 1 FROM gone WHERE gone.object_id IN (states.channel, states.item))
