-- The items of a channel in order: the connection, and the block or the channel it connects.
SELECT
    connections AS connection,
    CASE WHEN blocks.object_id IS NOT NULL THEN blocks END AS block,
    CASE WHEN channels.object_id IS NOT NULL THEN channels END AS channel
FROM connections
LEFT JOIN blocks ON blocks.object_id = connections.item
LEFT JOIN channels ON channels.object_id = connections.item
WHERE connections.channel = $channel
ORDER BY connections.position
