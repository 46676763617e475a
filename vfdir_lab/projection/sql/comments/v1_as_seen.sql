-- projection: comments
-- version: 1
-- title: As seen
-- key: object_id
-- refresh by: object_id
/* Comments on blocks, as last shown. are.na's comments cannot be edited, and their deletion leaves no trace. */
WITH states AS (
    SELECT
        object_id,
        latest('block') ->> '$' AS block,
        latest('user') AS author,
        latest('body') AS body,
        latest('created_at') AS created_at
    FROM events
    WHERE kind = 'comment.observed'
    GROUP BY object_id
)
SELECT
    object_id,
    TRY_CAST(split_part(object_id, ':', 2) AS BIGINT) AS remote_id,
    block,
    agent(author) AS author,
    prose(body) AS body,
    moment(created_at) AS created_at
FROM states
