-- projection: channels
-- version: 2
-- title: Mirror
-- key: object_id
/* What are.na last showed, without local wishes; fields as in `blocks` v2. Channels that were only met inside
   another channel are here too. `length` is the number of connections we hold that are still there, null for a
   channel whose contents were never read. */
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
FROM channel_states
LEFT JOIN lengths ON lengths.channel = channel_states.object_id
