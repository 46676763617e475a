-- The channel that last bore a slug which none bears now.
SELECT object_id
FROM events
WHERE kind = 'channel.observed' AND payload ->> '$.slug' = $slug
ORDER BY hlc DESC, device DESC, seq DESC
LIMIT 1
