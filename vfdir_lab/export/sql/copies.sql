-- The blocks of the exported of which a copy is kept, with what is kept.
SELECT
    blocks.object_id, blocks.type, blocks.title,
    picture.copy AS image, blocks.image_url,
    file.copy AS attachment, blocks.attachment_url
FROM blocks
LEFT JOIN kept AS picture ON picture.url = blocks.image_url
LEFT JOIN kept AS file ON file.url = blocks.attachment_url
WHERE
    blocks.object_id IN (SELECT item FROM inside)
    AND (picture.copy IS NOT NULL OR file.copy IS NOT NULL)
ORDER BY blocks.remote_id, blocks.object_id
