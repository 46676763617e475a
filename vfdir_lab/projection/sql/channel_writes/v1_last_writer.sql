-- projection: channel_writes
-- version: 1
-- title: Last writer
-- key: object_id
-- refresh by: object_id
/* The channels by the greatest stamp, whoever wrote: are.na's observations and the person's own drafts and edits
   fold alike, and `pending` is true while a shown field was last written by the person, as in `blocks` v3.
   A channel is here from its first observation or draft until it is found gone or the person deletes it; an
   edit alone neither makes a channel nor brings one back. */
WITH states AS (
    SELECT
        object_id,
        arg_max(kind, {'h': hlc, 'd': device, 's': seq}) FILTER (WHERE kind <> 'channel.edited') AS newest,
        latest('slug') AS slug,
        latest('title') AS title,
        latest('description') AS description,
        latest('visibility') AS visibility,
        latest('state') AS state,
        latest('owner') AS owner,
        latest('created_at') AS created_at,
        latest('updated_at') AS updated_at,
        latest('metadata') AS metadata,
        greatest(
            is_own('slug'),
            is_own('title'),
            is_own('description'),
            is_own('visibility'),
            is_own('state'),
            is_own('owner'),
            is_own('created_at'),
            is_own('updated_at'),
            is_own('metadata')
        ) AS own
    FROM events
    WHERE kind IN ('channel.observed', 'channel.vanished', 'channel.drafted', 'channel.edited', 'channel.deleted')
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
    COALESCE(own = 1, FALSE) AS pending
FROM states
WHERE newest IN ('channel.observed', 'channel.drafted')
