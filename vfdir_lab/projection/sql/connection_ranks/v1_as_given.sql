-- projection: connection_ranks
-- version: 1
-- title: As given
-- key: object_id, device
-- refresh by: object_id
/* The rank that each device last gave a connection: a fractional key, compared as text. Ranks are a device's
   own, so those of two devices say nothing about each other; null where a device never ranked it. */
SELECT object_id, device, latest('rank') ->> '$' AS rank
FROM events
WHERE kind IN ('connection.observed', 'connection.ranked')
GROUP BY object_id, device
