/* When objects ceased to be shown: the time at which the newest event that says whether they are there was
   recorded, where that says that they are not. A draft ends with the answer that its wish came to nothing. */
WITH said AS (
    SELECT object_id, kind, recorded_at, hlc, device, seq
    FROM events
    WHERE
        object_id IN (SELECT unnest($objects))
        AND split_part(kind, '.', 2) IN ('observed', 'vanished', 'drafted', 'made', 'unmade', 'deleted')
    UNION ALL
    SELECT drafts.object_id, answers.kind, answers.recorded_at, answers.hlc, answers.device, answers.seq
    FROM events AS drafts
    JOIN events AS answers
        ON answers.object_id = drafts.cause AND answers.payload ->> '$.intent' = drafts.payload ->> '$.intent'
    WHERE
        drafts.object_id IN (SELECT unnest($objects))
        AND split_part(drafts.kind, '.', 2) IN ('drafted', 'made')
        AND answers.kind IN ('tx.rejected', 'tx.cancelled', 'tx.superseded')
),
newest AS (
    SELECT *
    FROM said
    QUALIFY row_number() OVER (PARTITION BY object_id ORDER BY hlc DESC, device DESC, seq DESC) = 1
)
SELECT object_id, recorded_at AS vanished_at
FROM newest
WHERE split_part(kind, '.', 2) IN ('vanished', 'unmade', 'deleted', 'rejected', 'cancelled', 'superseded')
ORDER BY object_id
