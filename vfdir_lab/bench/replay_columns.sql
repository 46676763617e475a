-- projection: four_columns
-- version: 1
-- title: Four fields in columns
-- key: object_id, nth
-- refresh by: object_id
/* Every observation of a block, in order (`nth`), with four fields in columns of their own, so that a payload is
   taken apart once for all folds over it. `says` tells which of them an observation has: a field that it says is
   cleared is null and said, one that it passes over is null and not said. */
SELECT
    object_id,
    row_number() OVER (PARTITION BY object_id ORDER BY hlc, device, seq) AS nth,
    texts[1] AS title,
    texts[2] AS type,
    texts[3] AS description,
    texts[4] AS updated_at,
    {
        'title': sorts[1] IS NOT NULL,
        'type': sorts[2] IS NOT NULL,
        'description': sorts[3] IS NOT NULL,
        'updated_at': sorts[4] IS NOT NULL
    } AS says
FROM (
    SELECT
        object_id,
        hlc,
        device,
        seq,
        json_extract_string(payload, ['$.title', '$.type', '$.description.markdown', '$.updated_at']) AS texts,
        json_type(payload, ['$.title', '$.type', '$.description', '$.updated_at']) AS sorts
    FROM events
    WHERE kind IN ('block.observed', 'block.vanished')
)
