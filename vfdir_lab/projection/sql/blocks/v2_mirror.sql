-- projection: blocks
-- version: 2
-- title: Mirror
-- key: object_id
-- refresh by: object_id
/* What are.na last showed, without local wishes. For each field the newest observation that has it, in the
   total order of events, from whichever device; a field cleared on are.na is null. A block is here from its
   first observation until it is found gone, and again when it is seen after that. A block that was only
   disconnected is still here. `updated_at` is are.na's at the time of the last change we saw: connecting a
   block anywhere moves are.na's own, so it is no sign of an edit. */
WITH states AS (
    SELECT
        object_id,
        arg_max(kind, {'h': hlc, 'd': device, 's': seq}) AS newest,
        latest('type') AS type,
        latest('title') AS title,
        latest('description') AS description,
        latest('content') AS content,
        latest('visibility') AS visibility,
        latest('state') AS state,
        latest('source') AS source,
        latest('image') AS image,
        latest('attachment') AS attachment,
        latest('embed') AS embed,
        latest('user') AS author,
        latest('created_at') AS created_at,
        latest('updated_at') AS updated_at,
        latest('metadata') AS metadata
    FROM events
    WHERE kind IN ('block.observed', 'block.vanished')
    GROUP BY object_id
)
SELECT
    object_id,
    TRY_CAST(split_part(object_id, ':', 2) AS BIGINT) AS remote_id,
    type ->> '$' AS type,
    title ->> '$' AS title,
    prose(description) AS description,
    prose(content) AS content,
    source ->> '$.url' AS source_url,
    source ->> '$.title' AS source_title,
    image ->> '$.src' AS image_url,
    attachment ->> '$.url' AS attachment_url,
    COALESCE(attachment ->> '$.filename', image ->> '$.filename') AS filename,
    COALESCE(attachment ->> '$.content_type', image ->> '$.content_type') AS content_type,
    TRY_CAST(COALESCE(attachment ->> '$.file_size', image ->> '$.file_size') AS BIGINT) AS file_size,
    embed ->> '$.url' AS embed_url,
    embed ->> '$.html' AS embed_html,
    visibility ->> '$' AS visibility,
    state ->> '$' AS state,
    agent(author) AS author,
    moment(created_at) AS created_at,
    moment(updated_at) AS updated_at,
    CASE json_type(metadata) WHEN 'OBJECT' THEN CAST(metadata AS VARCHAR) END AS metadata,
    FALSE AS pending
FROM states
WHERE newest = 'block.observed'
