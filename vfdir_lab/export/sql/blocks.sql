-- The blocks of a channel, each once.
SELECT *
FROM blocks
WHERE object_id IN (SELECT item FROM connections WHERE channel = $channel)
ORDER BY remote_id, object_id
