-- projection: four
-- version: 1
-- title: Four fields
-- key: object_id
-- refresh by: object_id
/* Four fields of each block, each the newest value that was said, a cleared one null: in the way of `blocks` v2.
   The first event of a block is taken apart as it is; only later ones are folded, and laid over it. */
WITH ordered AS MATERIALIZED (
    SELECT
        object_id,
        payload,
        row_number() OVER (PARTITION BY object_id ORDER BY hlc, device, seq) AS nth
    FROM events
    WHERE kind IN ('block.observed', 'block.vanished')
),
firsts AS (
    SELECT
        object_id,
        json_extract_string(payload, ['$.title', '$.type', '$.description.markdown', '$.updated_at']) AS said
    FROM ordered
    WHERE nth = 1
),
changes AS (
    SELECT
        object_id,
        arg_max(said[1], nth) FILTER (WHERE said[1] IS NOT NULL) AS title,
        arg_max(said[2], nth) FILTER (WHERE said[2] IS NOT NULL) AS type,
        arg_max(said[3], nth) FILTER (WHERE said[3] IS NOT NULL) AS description,
        arg_max(said[4], nth) FILTER (WHERE said[4] IS NOT NULL) AS updated_at
    FROM (
        SELECT
            object_id,
            nth,
            json_extract(payload, ['$.title', '$.type', '$.description', '$.updated_at']) AS said
        FROM ordered
        WHERE nth > 1
    )
    GROUP BY object_id
)
SELECT
    firsts.object_id,
    shown(title, '$', said[1]) AS title,
    shown(type, '$', said[2]) AS type,
    shown(description, '$.markdown', said[3]) AS description,
    shown(updated_at, '$', said[4]) AS updated_at
FROM firsts
LEFT JOIN changes ON changes.object_id = firsts.object_id
