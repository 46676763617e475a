-- The channel, and those in it.
SELECT *
FROM channels
WHERE object_id = $channel OR object_id IN (SELECT item FROM connections WHERE channel = $channel)
ORDER BY object_id <> $channel, remote_id, object_id
