-- projection: blocks
-- version: 2
-- title: Mirror
-- key: object_id
-- refresh by: object_id
/* What are.na last showed, without local wishes. For each field the newest observation that has it, in the
   total order of events, from whichever device; a field cleared on are.na is null. A block is here from its
   first observation until it is found gone, and again when it is seen after that. A block that was only
   disconnected is still here. `updated_at` is are.na's at the time of the last change we saw: connecting a
   block anywhere moves are.na's own, so it is no sign of an edit.

   How it is read quickly: most blocks have one event, which says everything, and later ones say little. So the
   first event of a block is taken apart once, column by column, and only the later ones are folded, field by
   field; what they say goes over what the first one said. `nth` numbers a block's events in the total order.
   An absent field is NULL in `said`, a cleared one JSON null. */
WITH ordered AS MATERIALIZED (
    SELECT
        object_id,
        kind,
        payload,
        row_number() OVER (PARTITION BY object_id ORDER BY hlc, device, seq) AS nth
    FROM events
    WHERE kind IN ('block.observed', 'block.vanished')
),
firsts AS (
    SELECT
        object_id,
        kind,
        json_extract_string(payload, [
            '$.type', '$.title', '$.description.markdown', '$.content.markdown', '$.visibility', '$.state',
            '$.source.url', '$.source.title', '$.image.src', '$.image.filename', '$.image.content_type',
            '$.image.file_size', '$.attachment.url', '$.attachment.filename', '$.attachment.content_type',
            '$.attachment.file_size', '$.embed.url', '$.embed.html', '$.user.type', '$.user.id',
            '$.created_at', '$.updated_at', '$.metadata'
        ]) AS said,
        sorts,
        CASE WHEN sorts[1] = 'VARCHAR' THEN payload ->> '$.description' END AS bare_description,
        CASE WHEN sorts[2] = 'VARCHAR' THEN payload ->> '$.content' END AS bare_content
    FROM (
        SELECT
            object_id, kind, payload, json_type(payload, ['$.description', '$.content', '$.metadata']) AS sorts
        FROM ordered
        WHERE nth = 1
    )
),
changes AS MATERIALIZED (
    SELECT
        object_id,
        arg_max(kind, nth) AS newest,
        arg_max(said[1], nth) FILTER (WHERE said[1] IS NOT NULL) AS type,
        arg_max(said[2], nth) FILTER (WHERE said[2] IS NOT NULL) AS title,
        arg_max(said[3], nth) FILTER (WHERE said[3] IS NOT NULL) AS description,
        arg_max(said[4], nth) FILTER (WHERE said[4] IS NOT NULL) AS content,
        arg_max(said[5], nth) FILTER (WHERE said[5] IS NOT NULL) AS visibility,
        arg_max(said[6], nth) FILTER (WHERE said[6] IS NOT NULL) AS state,
        arg_max(said[7], nth) FILTER (WHERE said[7] IS NOT NULL) AS source,
        arg_max(said[8], nth) FILTER (WHERE said[8] IS NOT NULL) AS image,
        arg_max(said[9], nth) FILTER (WHERE said[9] IS NOT NULL) AS attachment,
        arg_max(said[10], nth) FILTER (WHERE said[10] IS NOT NULL) AS embed,
        arg_max(said[11], nth) FILTER (WHERE said[11] IS NOT NULL) AS author,
        arg_max(said[12], nth) FILTER (WHERE said[12] IS NOT NULL) AS created_at,
        arg_max(said[13], nth) FILTER (WHERE said[13] IS NOT NULL) AS updated_at,
        arg_max(said[14], nth) FILTER (WHERE said[14] IS NOT NULL) AS metadata
    FROM (
        SELECT
            object_id,
            kind,
            nth,
            json_extract(payload, [
                '$.type', '$.title', '$.description', '$.content', '$.visibility', '$.state', '$.source',
                '$.image', '$.attachment', '$.embed', '$.user', '$.created_at', '$.updated_at', '$.metadata'
            ]) AS said
        FROM ordered
        WHERE nth > 1
    )
    GROUP BY object_id
),
states AS (
    SELECT
        firsts.object_id,
        said,
        sorts,
        bare_description,
        bare_content,
        type,
        title,
        description,
        content,
        visibility,
        state,
        source,
        image,
        attachment,
        embed,
        shown(author, '$.type', said[19]) AS author_type,
        shown(author, '$.id', said[20]) AS author_id,
        shown(created_at, '$', said[21]) AS created_at,
        shown(updated_at, '$', said[22]) AS updated_at,
        metadata
    FROM firsts
    LEFT JOIN changes ON changes.object_id = firsts.object_id
    WHERE COALESCE(changes.newest, firsts.kind) = 'block.observed'
)
SELECT
    object_id,
    TRY_CAST(split_part(object_id, ':', 2) AS BIGINT) AS remote_id,
    shown(type, '$', said[1]) AS type,
    shown(title, '$', said[2]) AS title,
    CASE
        WHEN description IS NOT NULL THEN prose(description)
        ELSE COALESCE(bare_description, said[3])
    END AS description,
    CASE
        WHEN content IS NOT NULL THEN prose(content)
        ELSE COALESCE(bare_content, said[4])
    END AS content,
    shown(source, '$.url', said[7]) AS source_url,
    shown(source, '$.title', said[8]) AS source_title,
    shown(image, '$.src', said[9]) AS image_url,
    shown(attachment, '$.url', said[13]) AS attachment_url,
    COALESCE(
        shown(attachment, '$.filename', said[14]), shown(image, '$.filename', said[10])
    ) AS filename,
    COALESCE(
        shown(attachment, '$.content_type', said[15]), shown(image, '$.content_type', said[11])
    ) AS content_type,
    TRY_CAST(COALESCE(
        shown(attachment, '$.file_size', said[16]), shown(image, '$.file_size', said[12])
    ) AS BIGINT) AS file_size,
    shown(embed, '$.url', said[17]) AS embed_url,
    shown(embed, '$.html', said[18]) AS embed_html,
    shown(visibility, '$', said[5]) AS visibility,
    shown(state, '$', said[6]) AS state,
    CASE WHEN author_type = 'Group' THEN 'group:' ELSE 'user:' END || author_id AS author,
    instant(created_at) AS created_at,
    instant(updated_at) AS updated_at,
    CASE COALESCE(json_type(metadata), sorts[3]) WHEN 'OBJECT' THEN shown(metadata, '$', said[23]) END AS metadata,
    FALSE AS pending
FROM states
