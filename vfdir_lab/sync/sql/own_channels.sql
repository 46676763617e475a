-- The channels of one owner that we know and that have not vanished.
SELECT remote_id FROM channels WHERE owner = $owner ORDER BY remote_id
