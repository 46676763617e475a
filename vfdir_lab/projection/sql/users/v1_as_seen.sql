-- projection: users
-- version: 1
-- title: As seen
-- key: object_id
-- refresh by: object_id
/* People and groups as they were last shown beside what they made: are.na's `user:9` and `group:7`. */
SELECT
    object_id,
    TRY_CAST(split_part(object_id, ':', 2) AS BIGINT) AS remote_id,
    latest('slug') ->> '$' AS slug,
    latest('name') ->> '$' AS name
FROM events
WHERE kind = 'user.observed'
GROUP BY object_id
