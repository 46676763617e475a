/* The blocks of the exported, each once, with every place it has there (in which channel, what stands before and
   after it), its author, and the copies that are kept. */
SELECT
    blocks AS block,
    placed.places,
    CASE WHEN users.object_id IS NOT NULL THEN users END AS author,
    picture.copy AS image,
    file.copy AS attachment
FROM blocks
JOIN placed ON placed.item = blocks.object_id
LEFT JOIN users ON users.object_id = blocks.author
LEFT JOIN kept AS picture ON picture.url = blocks.image_url
LEFT JOIN kept AS file ON file.url = blocks.attachment_url
ORDER BY blocks.remote_id, blocks.object_id
