-- projection: intents
-- version: 1
-- title: As recorded
-- key: object_id, event_id
-- refresh by: object_id
/* Every event of a wish, as it was recorded: a wish is one request to are.na, and may be several events that
   share its `intent`, as a drafted block and its connections do. `tx` is the transaction it was wished in. What
   became of it is for `wishes` to say. */
SELECT
    object_id,
    event_id,
    payload ->> '$.intent' AS intent,
    cause AS tx,
    kind,
    recorded_at,
    hlc,
    device,
    seq,
    payload
FROM events
WHERE
    kind IN (
        'block.drafted', 'block.edited', 'channel.drafted', 'channel.edited', 'channel.deleted',
        'connection.made', 'connection.unmade', 'connection.moved', 'comment.drafted'
    )
