-- projection: channels
-- version: 2
-- title: Mirror
-- key: object_id
/* What are.na last showed, without local wishes; fields as in `blocks` v2. Channels that were only met inside
   another channel are here too. `length` is the number of connections we hold, null for a channel whose
   contents were never read. */
WITH states AS (
    SELECT
        object_id,
        arg_max(kind, {'h': hlc, 'd': device, 's': seq}) AS newest,
        latest('slug') AS slug,
        latest('title') AS title,
        latest('description') AS description,
        latest('visibility') AS visibility,
        latest('state') AS state,
        latest('owner') AS owner,
        latest('created_at') AS created_at,
        latest('updated_at') AS updated_at,
        latest('metadata') AS metadata
    FROM events
    WHERE kind IN ('channel.observed', 'channel.vanished')
    GROUP BY object_id
),
lengths AS (
    SELECT channel, sum(held) AS length
    FROM (
        SELECT channel, 1 AS held FROM connections
        UNION ALL
        SELECT DISTINCT channel, 0 AS held FROM scans
    )
    GROUP BY channel
)
SELECT
    states.object_id,
    TRY_CAST(split_part(states.object_id, ':', 2) AS BIGINT) AS remote_id,
    slug ->> '$' AS slug,
    title ->> '$' AS title,
    prose(description) AS description,
    visibility ->> '$' AS visibility,
    state ->> '$' AS state,
    agent(owner) AS owner,
    moment(created_at) AS created_at,
    moment(updated_at) AS updated_at,
    CASE json_type(metadata) WHEN 'OBJECT' THEN CAST(metadata AS VARCHAR) END AS metadata,
    CAST(lengths.length AS BIGINT) AS length,
    FALSE AS pending
FROM states
LEFT JOIN lengths ON lengths.channel = states.object_id
WHERE newest = 'channel.observed'
