/* The items in order: the connection, and the block or the channel it connects, with the copies that are kept; of
   a channel its owner, too. */
SELECT
    inside AS connection,
    CASE WHEN blocks.object_id IS NOT NULL THEN blocks END AS block,
    CASE WHEN told.object_id IS NOT NULL THEN told END AS channel,
    CASE WHEN users.object_id IS NOT NULL THEN users END AS owner,
    picture.copy AS image,
    file.copy AS attachment
FROM inside
LEFT JOIN blocks ON blocks.object_id = inside.item
LEFT JOIN told ON told.object_id = inside.item
LEFT JOIN users ON users.object_id = told.owner
LEFT JOIN kept AS picture ON picture.url = blocks.image_url
LEFT JOIN kept AS file ON file.url = blocks.attachment_url
ORDER BY list_position($channels, inside.channel), inside.position
