-- projection: bindings
-- version: 1
-- title: First said
-- key: object_id
-- refresh by: object_id
/* The are.na id (`remote`) of what was born on a device and went by a local id (`object_id`) before. The first
   binding in the total order counts, should two say differently: an object does not change its name again. */
SELECT object_id, arg_min(payload, {'h': hlc, 'd': device, 's': seq}) ->> '$.remote' AS remote
FROM events
WHERE kind = 'object.bound' AND json_type(payload, '$.remote') = 'VARCHAR'
GROUP BY object_id
