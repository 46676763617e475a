-- projection: gone
-- version: 1
-- title: As found
-- key: object_id
-- refresh by: object_id
/* Blocks and channels that were found gone from are.na and not seen since, and when we recorded that. */
SELECT object_id, arg_max(recorded_at, {'h': hlc, 'd': device, 's': seq}) AS gone_at
FROM events
WHERE kind IN ('block.observed', 'block.vanished', 'channel.observed', 'channel.vanished')
GROUP BY object_id
HAVING arg_max(kind, {'h': hlc, 'd': device, 's': seq}) IN ('block.vanished', 'channel.vanished')
