-- projection: outbox
-- version: 1
-- title: As answered
-- key: tx
/* One row for each transaction, all that were ever committed. `state` is that of the least advanced of its
   wishes, in the order committed, sent, unknown, accepted, rejected, superseded, cancelled, settled: so it is
   `settled` when all are, and `cancelled` when none has anything left to do and one was cancelled. `intents`
   counts its wishes, `attempts` the times that any of them was sent. `last_error` is the newest reason that
   any gives. `device` is the one that sends them. */
WITH advanced AS (
    SELECT
        wishes.tx,
        wishes.label,
        wishes.device,
        commits.committed_at,
        wishes.intent,
        wishes.attempts,
        answers.last_error,
        answers.last_error_at,
        CASE wishes.state
            WHEN 'committed' THEN 1
            WHEN 'sent' THEN 2
            WHEN 'unknown' THEN 3
            WHEN 'accepted' THEN 4
            WHEN 'rejected' THEN 5
            WHEN 'superseded' THEN 6
            WHEN 'cancelled' THEN 7
            ELSE 8
        END AS advance,
        wishes.state
    FROM wishes
    JOIN commits ON commits.object_id = wishes.tx
    LEFT JOIN answers ON answers.object_id = wishes.tx AND answers.intent = wishes.intent
)
SELECT
    tx,
    max(label) AS label,
    arg_min(state, {'a': advance, 'i': intent}) AS state,
    min(committed_at) AS created_at,
    CAST(sum(attempts) AS BIGINT) AS attempts,
    arg_max(last_error, {'t': last_error_at, 'i': intent}) AS last_error,
    count(intent) AS intents,
    max(device) AS device
FROM advanced
GROUP BY tx
