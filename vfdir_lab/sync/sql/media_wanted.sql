/* The originals of a channel's blocks, each address once, top block first; `sha256` is that of the copy that is
   recorded, null where there is none. `name` is what the file is called, where are.na says so. */
WITH inside AS (
    SELECT blocks.*, connections.position
    FROM connections
    JOIN blocks ON blocks.object_id = connections.item
    WHERE connections.channel = $channel
),
wanted AS (
    SELECT
        image_url AS url, object_id, position, 1 AS picture, CASE WHEN attachment_url IS NULL THEN filename END AS name
    FROM inside
    UNION ALL
    SELECT attachment_url AS url, object_id, position, 0 AS picture, filename AS name
    FROM inside
)
SELECT
    wanted.url,
    arg_min(wanted.object_id, {'p': -position, 'o': wanted.object_id}) AS block,
    min(picture) = 1 AS is_picture,
    min(name) AS name,
    any_value(media.sha256) AS sha256
FROM wanted
LEFT JOIN media ON media.url = wanted.url
WHERE wanted.url IS NOT NULL AND wanted.url <> ''
GROUP BY wanted.url
ORDER BY max(position) DESC NULLS LAST, wanted.url
