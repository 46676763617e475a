-- projection: wishes
-- version: 1
-- title: As answered
-- key: intent
/* One row for each wish: an intent, which is one request to are.na, that a committed transaction lists.

   `kind` and `object_id` are those of its event, `block.drafted` for a drafted block with its connections;
   `object_id` is as recorded, also where are.na's id is known by now. `device` is the one that sends it: the
   newest that committed the transaction. `state` is that of the newest answer in the total order of events,
   `committed` before any and again where a wish was put back into the queue; it is open (`is_open`) as long as
   there is no final answer. `attempts` counts the times it was sent. `last_error` is the reason of the newest
   answer that is `rejected`, `unknown` or a return to the queue, null where there was none. */
WITH wished AS (
    SELECT
        intents.intent,
        intents.tx,
        commits.label,
        commits.device,
        intents.kind,
        intents.object_id,
        intents.recorded_at,
        commits.committed_at,
        row_number() OVER (
            PARTITION BY intents.intent
            ORDER BY
                CASE intents.kind WHEN 'block.drafted' THEN 0 ELSE 1 END, intents.hlc, intents.device, intents.seq
        ) AS nth
    FROM intents
    JOIN commits
        ON commits.object_id = intents.tx AND contains(commits.intents, '"' || intents.intent || '"')
)
SELECT
    wished.intent,
    wished.tx,
    wished.label,
    wished.device,
    wished.kind,
    wished.object_id,
    COALESCE(answers.state, 'committed') AS state,
    COALESCE(answers.state, 'committed') IN ('committed', 'sent', 'unknown', 'accepted') AS is_open,
    wished.recorded_at AS wished_at,
    COALESCE(answers.state_at, wished.committed_at) AS state_at,
    COALESCE(answers.attempts, 0) AS attempts,
    answers.last_error
FROM wished
LEFT JOIN answers ON answers.object_id = wished.tx AND answers.intent = wished.intent
WHERE wished.nth = 1
