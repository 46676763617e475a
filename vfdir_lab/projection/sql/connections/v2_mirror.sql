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
WITH leaders AS (
    SELECT channel, max({'complete': complete, 'hlc': hlc, 'device': device, 'seq': seq}) AS reading
    FROM readings
    GROUP BY channel
),
states AS (
    SELECT *
    FROM connection_states
    WHERE
        newest = 'connection.observed'
        AND NOT EXISTS (
            SELECT 1 FROM gone WHERE gone.object_id IN (connection_states.channel, connection_states.item)
        )
)
SELECT
    states.object_id,
    states.remote_id,
    states.channel,
    states.item,
    row_number() OVER (
        PARTITION BY states.channel
        ORDER BY
            CASE WHEN ranks.rank IS NULL THEN 1 ELSE 0 END,
            ranks.rank,
            states.connected_at NULLS FIRST,
            states.remote_id NULLS LAST,
            states.object_id
    ) AS position,
    states.pinned,
    states.connected_at,
    states.connected_by,
    states.metadata,
    FALSE AS pending
FROM states
LEFT JOIN leaders ON leaders.channel = states.channel
LEFT JOIN connection_ranks AS ranks
    ON ranks.object_id = states.object_id AND ranks.device = struct_extract(leaders.reading, 'device')
