-- What finished imports of the same bytes said of the channels in them: a row for each part.
SELECT
    object_id,
    payload ->> '$.listing' AS listing,
    payload ->> '$.named' AS named,
    payload ->> '$.title' AS title,
    payload ->> '$.parts' AS parts
FROM events
WHERE kind = 'import.finished' AND payload ->> '$.sha256' = $sha256
