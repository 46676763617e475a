-- projection: connections
-- version: 3
-- title: Ever connected
-- key: object_id
-- refresh by: channel
/* Every connection that was ever observed, what was removed included. `removed_at` is when we first recorded
   that it was gone, or its channel or its item, whichever came first; null for what is still there. A
   connection seen again after that is there again.

   `position` is as in version 2, among those that are still there, and null for the others. */
WITH leaders AS (
    SELECT channel, max({'complete': complete, 'hlc': hlc, 'device': device, 'seq': seq}) AS reading
    FROM readings
    GROUP BY channel
),
states AS (
    SELECT
        connection_states.*,
        least(
            CASE newest WHEN 'connection.vanished' THEN newest_at END,
            channels_gone.gone_at,
            items_gone.gone_at
        ) AS removed_at
    FROM connection_states
    LEFT JOIN gone AS channels_gone ON channels_gone.object_id = connection_states.channel
    LEFT JOIN gone AS items_gone ON items_gone.object_id = connection_states.item
)
SELECT
    states.object_id,
    states.remote_id,
    states.channel,
    states.item,
    CASE
        WHEN removed_at IS NULL
            THEN row_number() OVER (
                PARTITION BY states.channel, CASE WHEN removed_at IS NULL THEN 1 END
                ORDER BY
                    CASE WHEN ranks.rank IS NULL THEN 1 ELSE 0 END,
                    ranks.rank,
                    states.connected_at NULLS FIRST,
                    states.remote_id NULLS LAST,
                    states.object_id
            )
    END AS position,
    states.pinned,
    states.connected_at,
    states.connected_by,
    states.metadata,
    FALSE AS pending,
    removed_at
FROM states
LEFT JOIN leaders ON leaders.channel = states.channel
LEFT JOIN connection_ranks AS ranks
    ON ranks.object_id = states.object_id AND ranks.device = struct_extract(leaders.reading, 'device')
