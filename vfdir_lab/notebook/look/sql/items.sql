/* What is in a channel, top first as on are.na; after that, with no position, what was in it and is not. */
WITH held AS (
    SELECT object_id, item, position, pending, connected_at
    FROM connections
    WHERE channel = $channel AND position IS NOT NULL
),
lost AS (
    SELECT
        states.object_id,
        states.item,
        states.connected_at,
        least(CASE states.newest WHEN 'connection.vanished' THEN states.newest_at END, gone.gone_at) AS gone_at
    FROM connection_states AS states
    LEFT JOIN gone ON gone.object_id = states.item
    WHERE states.channel = $channel AND states.item NOT IN (SELECT item FROM held)
    QUALIFY row_number() OVER (PARTITION BY states.item ORDER BY states.connected_at DESC, states.object_id) = 1
),
placed AS (
    SELECT object_id, item, position, pending, connected_at, FALSE AS is_gone, NULL AS gone_at FROM held
    UNION ALL
    SELECT object_id, item, NULL, FALSE, connected_at, TRUE, gone_at FROM lost
),
remembered AS (
    SELECT
        object_id,
        arg_max(payload ->> '$.title', {'h': hlc, 'd': device, 's': seq}) AS title,
        arg_max(payload ->> '$.type', {'h': hlc, 'd': device, 's': seq}) AS type
    FROM events
    WHERE kind IN ('block.observed', 'channel.observed') AND object_id IN (SELECT item FROM lost)
    GROUP BY object_id
)
SELECT
    row_number() OVER (ORDER BY placed.position DESC NULLS LAST, placed.gone_at DESC NULLS FIRST, placed.object_id) AS nth,
    placed.object_id AS connection,
    placed.item,
    placed.position,
    CASE split_part(placed.item, ':', 1)
        WHEN 'channel' THEN 'Channel'
        ELSE COALESCE(blocks.type, remembered.type, 'not seen yet')
    END AS sort,
    COALESCE(blocks.title, channels.title, remembered.title) AS title,
    COALESCE(blocks.description, channels.description) AS description,
    blocks.content,
    blocks.filename,
    blocks.source_title,
    blocks.source_url,
    COALESCE(channels.visibility, blocks.visibility) AS visibility,
    channels.length,
    COALESCE(placed.connected_at, blocks.created_at, channels.created_at) AS since,
    placed.is_gone,
    placed.gone_at,
    COALESCE(placed.pending, FALSE) OR COALESCE(blocks.pending, channels.pending, FALSE) AS is_mine,
    media.sha256,
    media.size
FROM placed
LEFT JOIN blocks ON blocks.object_id = placed.item
LEFT JOIN channels ON channels.object_id = placed.item
LEFT JOIN remembered ON remembered.object_id = placed.item
LEFT JOIN media ON media.url = COALESCE(blocks.image_url, blocks.attachment_url)
ORDER BY nth
