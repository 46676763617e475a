-- projection: channel_states
-- version: 1
-- title: As seen
-- key: object_id
-- refresh by: object_id
/* The channels that are there, as are.na last showed them, without local wishes; fields as in `blocks` v2.
   Channels that were only met inside another channel are here too. Their length is for `channels` to say. */
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
)
SELECT
    object_id,
    TRY_CAST(split_part(object_id, ':', 2) AS BIGINT) AS remote_id,
    slug ->> '$' AS slug,
    title ->> '$' AS title,
    prose(description) AS description,
    visibility ->> '$' AS visibility,
    state ->> '$' AS state,
    agent(owner) AS owner,
    moment(created_at) AS created_at,
    moment(updated_at) AS updated_at,
    CASE json_type(metadata) WHEN 'OBJECT' THEN CAST(metadata AS VARCHAR) END AS metadata,
    FALSE AS pending
FROM states
WHERE newest = 'channel.observed'
