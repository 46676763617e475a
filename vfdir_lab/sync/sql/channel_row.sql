-- The connections of a channel that are.na last showed, from the bottom up, with their ranks: those of the device
-- that leads. The leader is in every row, also in the only one of a channel that holds nothing.
WITH leaders AS (
    SELECT
        struct_extract(
            max({'complete': complete, 'hlc': hlc, 'device': device, 'seq': seq}), 'device'
        ) AS leader
    FROM readings
    WHERE channel = $channel
)
SELECT leader, connections.object_id, item, rank, connections.metadata ->> '$.vfdir_tx' AS mark
FROM leaders
LEFT JOIN connections ON connections.channel = $channel
LEFT JOIN connection_ranks AS ranks
    ON ranks.object_id = connections.object_id AND ranks.device = leaders.leader
ORDER BY position
