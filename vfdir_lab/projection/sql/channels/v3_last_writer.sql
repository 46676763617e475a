-- projection: channels
-- version: 3
-- title: Last writer
-- key: object_id
/* The greatest stamp wins, whoever wrote; the rule is that of `blocks` v3, folded in `channel_writes`. `length`
   is the number of connections we hold that are still there, null for a channel whose contents were never
   read. */
WITH lengths AS (
    SELECT channel, sum(held) AS length
    FROM (
        SELECT channel, 1 AS held FROM connections WHERE position IS NOT NULL
        UNION ALL
        SELECT DISTINCT channel, 0 AS held FROM scans
    )
    GROUP BY channel
)
SELECT
    object_id,
    remote_id,
    slug,
    title,
    description,
    visibility,
    state,
    owner,
    created_at,
    updated_at,
    metadata,
    CAST(lengths.length AS BIGINT) AS length,
    pending
FROM channel_writes
LEFT JOIN lengths ON lengths.channel = channel_writes.object_id
