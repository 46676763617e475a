-- projection: commits
-- version: 1
-- title: As recorded
-- key: object_id
-- refresh by: object_id
/* The transactions that were committed: `label`, when, and the `intents` they list, as JSON, from the first
   `tx.committed` of each. `device` is whose to send they are: a device that adopts a transaction commits it
   again, and the newest commit tells. */
SELECT
    object_id,
    arg_min(payload, {'h': hlc, 'd': device, 's': seq}) ->> '$.label' AS label,
    arg_min(payload, {'h': hlc, 'd': device, 's': seq}) -> '$.intents' AS intents,
    arg_min(recorded_at, {'h': hlc, 'd': device, 's': seq}) AS committed_at,
    arg_max(device, {'h': hlc, 'd': device, 's': seq}) AS device
FROM events
WHERE kind = 'tx.committed'
GROUP BY object_id
