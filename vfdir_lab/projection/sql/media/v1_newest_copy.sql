-- projection: media
-- version: 1
-- title: Newest copy
-- key: url
/* The images and attachments of which the archive has a copy, by the address they were fetched from: the
   newest copy of each. `sha256` names the file in `media/`, `size` is in bytes, `saved_at` is when the copy was
   recorded. An address that was fetched again and gave the same bytes may be saved again. */
WITH saved AS (
    SELECT
        payload ->> '$.url' AS url,
        split_part(object_id, ':', 2) AS sha256,
        payload ->> '$.size' AS size,
        payload ->> '$.content_type' AS content_type,
        recorded_at AS saved_at,
        row_number() OVER (PARTITION BY payload ->> '$.url' ORDER BY hlc DESC, device DESC, seq DESC) AS nth
    FROM events
    WHERE kind = 'media.saved'
)
SELECT url, sha256, TRY_CAST(size AS BIGINT) AS size, content_type, saved_at
FROM saved
WHERE url IS NOT NULL AND nth = 1
