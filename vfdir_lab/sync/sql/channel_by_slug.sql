-- The channel that bears this slug now, as far as we know, else the one that last bore it: as `channel_states` folds
-- it, but over `events` alone. Every pull begins with this, and what projections need takes many times as long.
WITH said AS (
    SELECT
        object_id,
        kind,
        json_extract(payload, '$.slug') AS slug,
        {'h': hlc, 'd': device, 's': seq} AS place
    FROM events
    WHERE kind IN ('channel.observed', 'channel.vanished')
),
borne AS (
    SELECT object_id, max(place) AS place
    FROM said
    WHERE kind = 'channel.observed' AND slug ->> '$' = $slug
    GROUP BY object_id
),
newest AS (
    SELECT
        object_id,
        arg_max(kind, place) AS kind,
        arg_max(slug, place) FILTER (WHERE slug IS NOT NULL) AS slug
    FROM said
    GROUP BY object_id
)
SELECT object_id
FROM borne
JOIN newest USING (object_id)
ORDER BY
    newest.kind = 'channel.observed' AND newest.slug ->> '$' IS NOT DISTINCT FROM $slug DESC,
    borne.place DESC
LIMIT 1
