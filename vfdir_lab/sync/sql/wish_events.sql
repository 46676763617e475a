-- Every event that a wish is made of: what was wished, its transaction, its answers, the names objects got.
SELECT * EXCLUDE (event_id)
FROM events
WHERE
    starts_with(kind, 'tx.')
    OR kind IN (
        'block.drafted', 'block.edited', 'channel.drafted', 'channel.edited', 'channel.deleted',
        'connection.made', 'connection.unmade', 'connection.moved', 'comment.drafted', 'object.bound'
    )
ORDER BY hlc, device, seq
