-- projection: blocks
-- version: 1
-- title: Best prediction
-- key: object_id
/* What are.na will show when it has answered: for each property the newest open wish in the total order of
   events, a clearing included, else what are.na last showed, as in version 2. A wish is open until it is
   settled, refused, cancelled or overtaken; from then on the mirror is shown again, whatever it says by now.
   Metadata is wished key by key. `pending` is true where an open wish is about the block.

   A block that was drafted here is there at once, by its local id, with what can be foreseen of it; from the
   moment are.na's id is known it goes by that. Once are.na shows it, what was wished goes over what are.na
   shows, and what was only foreseen does not. A draft that was refused or cancelled is not there, and an edit
   brings nothing back that is gone. */
WITH said AS (
    SELECT
        object_id,
        kind,
        hlc,
        device,
        seq,
        is_there,
        patch,
        json_extract(payload, [
            '$.title', '$.description', '$.content', '$.type', '$.source', '$.image', '$.attachment', '$.embed',
            '$.user', '$.visibility', '$.state', '$.original_source_url', '$.original_source_title'
        ]) AS said
    FROM open_wishes
    WHERE kind IN ('block.drafted', 'block.edited')
),
wished AS MATERIALIZED (
    SELECT
        object_id,
        newest(said[1]) AS title,
        newest(said[2]) AS description,
        newest(CASE kind WHEN 'block.edited' THEN said[3] END) AS content,
        max(patch) AS metadata,
        max(CASE WHEN kind = 'block.drafted' AND NOT is_there THEN 1 ELSE 0 END) AS is_new,
        newest(CASE kind WHEN 'block.drafted' THEN said END) AS draft
    FROM said
    GROUP BY object_id
),
foreseen AS (
    SELECT
        object_id,
        title,
        description,
        COALESCE(content, draft[3]) AS content,
        metadata,
        draft[4] AS type,
        draft[5] AS source,
        draft[6] AS image,
        draft[7] AS attachment,
        draft[8] AS embed,
        draft[9] AS author,
        draft[10] AS visibility,
        draft[11] AS state,
        draft[12] ->> '$' AS original_url,
        draft[13] ->> '$' AS original_title
    FROM wished
    WHERE is_new = 1
)
SELECT
    mirror.object_id,
    mirror.remote_id,
    mirror.type,
    shown(wished.title, '$', mirror.title) AS title,
    CASE
        WHEN wished.description IS NULL THEN mirror.description
        ELSE prose(wished.description)
    END AS description,
    CASE WHEN wished.content IS NULL THEN mirror.content ELSE prose(wished.content) END AS content,
    mirror.source_url,
    mirror.source_title,
    mirror.image_url,
    mirror.attachment_url,
    mirror.filename,
    mirror.content_type,
    mirror.file_size,
    mirror.embed_url,
    mirror.embed_html,
    mirror.visibility,
    mirror.state,
    mirror.author,
    mirror.created_at,
    mirror.updated_at,
    CASE
        WHEN wished.metadata IS NULL THEN mirror.metadata
        ELSE CAST(json_merge_patch(COALESCE(mirror.metadata, '{}'), wished.metadata) AS VARCHAR)
    END AS metadata,
    wished.object_id IS NOT NULL AS pending
FROM blocks_v2 AS mirror
LEFT JOIN wished ON wished.object_id = mirror.object_id
UNION ALL
SELECT
    object_id,
    TRY_CAST(split_part(object_id, ':', 2) AS BIGINT) AS remote_id,
    type ->> '$' AS type,
    title ->> '$' AS title,
    prose(description) AS description,
    prose(content) AS content,
    COALESCE(source ->> '$.url', original_url) AS source_url,
    COALESCE(source ->> '$.title', original_title) AS source_title,
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
    NULL AS created_at,
    NULL AS updated_at,
    CAST(json_merge_patch('{}', metadata) AS VARCHAR) AS metadata,
    TRUE AS pending
FROM foreseen
