-- projection: channels
-- version: 1
-- title: Best prediction
-- key: object_id
/* What are.na will show when it has answered: for each property the newest open wish, else the mirror; the rule
   is that of `blocks` v1. A channel drafted here is there at once, one that is to be deleted is not. `length` is
   the number of connections that show, null for a channel whose contents were never read and which was not
   drafted here just now. */
WITH said AS (
    SELECT
        object_id,
        kind,
        hlc,
        device,
        seq,
        is_there,
        patch,
        json_extract(payload, ['$.title', '$.description', '$.visibility', '$.owner', '$.slug', '$.state']) AS said
    FROM open_wishes
    WHERE kind IN ('channel.drafted', 'channel.edited', 'channel.deleted')
),
wished AS MATERIALIZED (
    SELECT
        object_id,
        newest(said[1]) AS title,
        newest(said[2]) AS description,
        newest(said[3]) AS visibility,
        max(patch) AS metadata,
        max(CASE WHEN kind = 'channel.drafted' AND NOT is_there THEN 1 ELSE 0 END) AS is_new,
        max(CASE kind WHEN 'channel.deleted' THEN 1 ELSE 0 END) AS is_deleted,
        newest(CASE kind WHEN 'channel.drafted' THEN said END) AS draft
    FROM said
    GROUP BY object_id
),
states AS (
    SELECT
        mirror.object_id,
        mirror.remote_id,
        mirror.slug,
        shown(wished.title, '$', mirror.title) AS title,
        CASE
            WHEN wished.description IS NULL THEN mirror.description
            ELSE prose(wished.description)
        END AS description,
        shown(wished.visibility, '$', mirror.visibility) AS visibility,
        mirror.state,
        mirror.owner,
        mirror.created_at,
        mirror.updated_at,
        CASE
            WHEN wished.metadata IS NULL THEN mirror.metadata
            ELSE CAST(json_merge_patch(COALESCE(mirror.metadata, '{}'), wished.metadata) AS VARCHAR)
        END AS metadata,
        NULL AS length,
        wished.object_id IS NOT NULL AS pending
    FROM channel_states AS mirror
    LEFT JOIN wished ON wished.object_id = mirror.object_id
    WHERE COALESCE(wished.is_deleted, 0) = 0
    UNION ALL
    SELECT
        object_id,
        TRY_CAST(split_part(object_id, ':', 2) AS BIGINT) AS remote_id,
        draft[5] ->> '$' AS slug,
        title ->> '$' AS title,
        prose(description) AS description,
        visibility ->> '$' AS visibility,
        draft[6] ->> '$' AS state,
        agent(draft[4]) AS owner,
        NULL AS created_at,
        NULL AS updated_at,
        CAST(json_merge_patch('{}', metadata) AS VARCHAR) AS metadata,
        0 AS length,
        TRUE AS pending
    FROM wished
    WHERE is_new = 1 AND is_deleted = 0
),
lengths AS (
    SELECT channel, sum(held) AS length
    FROM (
        SELECT channel, 1 AS held FROM connections WHERE position IS NOT NULL
        UNION ALL
        SELECT DISTINCT channel, 0 AS held FROM scans
    )
    GROUP BY channel
)
SELECT
    states.object_id,
    states.remote_id,
    states.slug,
    states.title,
    states.description,
    states.visibility,
    states.state,
    states.owner,
    states.created_at,
    states.updated_at,
    states.metadata,
    CAST(COALESCE(lengths.length, states.length) AS BIGINT) AS length,
    states.pending
FROM states
LEFT JOIN lengths ON lengths.channel = states.object_id
