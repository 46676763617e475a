-- projection: answers
-- version: 1
-- title: As recorded
-- key: object_id, intent
-- refresh by: object_id
/* What became of the intents of a transaction (`object_id`) since it was committed. `state` is that of the
   newest answer and `state_at` when that was recorded; a wish that was put back into the queue is `committed`
   again. `attempts` counts the times it was sent. `last_error` is the reason of the newest answer that is a
   refusal, a doubt or a return to the queue, and `last_error_at` when that was recorded. `found` is what the
   newest answer says was found, as JSON. */
SELECT
    object_id,
    payload ->> '$.intent' AS intent,
    CASE arg_max(kind, {'h': hlc, 'd': device, 's': seq})
        WHEN 'tx.requeued' THEN 'committed'
        ELSE substr(arg_max(kind, {'h': hlc, 'd': device, 's': seq}), 4)
    END AS state,
    arg_max(recorded_at, {'h': hlc, 'd': device, 's': seq}) AS state_at,
    count(CASE kind WHEN 'tx.sent' THEN 1 END) AS attempts,
    arg_max(payload, {'h': hlc, 'd': device, 's': seq})
        FILTER (WHERE kind IN ('tx.rejected', 'tx.unknown', 'tx.requeued')) ->> '$.reason' AS last_error,
    arg_max(recorded_at, {'h': hlc, 'd': device, 's': seq})
        FILTER (WHERE kind IN ('tx.rejected', 'tx.unknown', 'tx.requeued')) AS last_error_at,
    arg_max(payload, {'h': hlc, 'd': device, 's': seq}) -> '$.found' AS found
FROM events
WHERE
    kind IN (
        'tx.sent', 'tx.accepted', 'tx.settled', 'tx.superseded', 'tx.rejected', 'tx.unknown', 'tx.requeued',
        'tx.cancelled'
    )
GROUP BY object_id, payload ->> '$.intent'
