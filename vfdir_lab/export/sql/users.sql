-- The people behind a channel: its owner, and who made or connected what is in it.
SELECT *
FROM users
WHERE
    object_id IN (SELECT owner FROM channels WHERE object_id = $channel)
    OR object_id IN (SELECT connected_by FROM connections WHERE channel = $channel)
    OR object_id IN (
        SELECT author FROM blocks
        WHERE object_id IN (SELECT item FROM connections WHERE channel = $channel)
    )
    OR object_id IN (
        SELECT owner FROM channels
        WHERE
            visibility IS DISTINCT FROM 'private'
            AND object_id IN (SELECT item FROM connections WHERE channel = $channel)
    )
ORDER BY object_id
