-- People and groups, by their ids.
SELECT *
FROM users
WHERE object_id IN (SELECT unnest(CAST($people AS VARCHAR[])))
ORDER BY object_id
