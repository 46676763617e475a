-- The channel that bears this slug now, as far as we know, else the one that last bore it.
SELECT object_id
FROM events
WHERE kind = 'channel.observed' AND payload ->> '$.slug' = $slug
ORDER BY
    object_id IN (SELECT object_id FROM channels WHERE slug = $slug) DESC,
    hlc DESC, device DESC, seq DESC
LIMIT 1
