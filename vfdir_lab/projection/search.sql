/* Blocks and channels that hold every word of `asked` (a row a word, and one row with the whole phrase), best
   first. Words are compared as `fold.sql` has them, anywhere in a text, so that scripts without spaces are
   found. What a word is worth depends on where it stands: as the title, at its beginning, at the beginning of
   one of its words, within it; then in names and captions, the text, the addresses. A phrase that stands as
   it was asked counts once more. Equal scores: what is in more channels, then the newer, then by id. */
WITH words AS (
    SELECT DISTINCT fold(word) AS word, is_phrase
    FROM asked
),
documents AS (
    SELECT
        object_id, title, description, content, created_at,
        concat_ws(' ', filename, source_title) AS names,
        concat_ws(' ', source_url, attachment_url, embed_url) AS addresses
    FROM blocks
    UNION ALL
    SELECT object_id, title, description, NULL, created_at, slug, NULL
    FROM channels
),
folded AS MATERIALIZED (
    SELECT
        object_id,
        COALESCE(trim(fold(title)), '') AS title,
        COALESCE(fold(description), '') AS description,
        COALESCE(fold(content), '') AS content,
        fold(names) AS names,
        lower(addresses) AS addresses
    FROM documents
),
points AS (
    SELECT
        object_id,
        is_phrase,
        CASE
            WHEN NOT contains(title, word) THEN 0
            WHEN title = word THEN 100
            WHEN starts_with(title, word) THEN 60
            WHEN contains(' ' || regexp_replace(title, '[^\p{L}\p{N}]+', ' ', 'g'), ' ' || word) THEN 40
            ELSE 25
        END
        + CASE WHEN contains(names, word) THEN 12 ELSE 0 END
        + CASE WHEN contains(description, word) THEN 8 ELSE 0 END
        + CASE WHEN contains(content, word) THEN 6 ELSE 0 END
        + CASE WHEN contains(addresses, word) THEN 2 ELSE 0 END AS score,
        nullif(instr(content, word), 0) AS place
    FROM folded CROSS JOIN words
),
found AS (
    SELECT object_id, sum(score) AS score, min(place) FILTER (WHERE NOT is_phrase) AS place
    FROM points
    WHERE score > 0
    GROUP BY object_id
    HAVING count(*) FILTER (WHERE NOT is_phrase) = (SELECT count(*) FROM words WHERE NOT is_phrase)
),
held AS (
    SELECT item AS object_id, count(DISTINCT channel) AS channels FROM connections GROUP BY item
)
SELECT
    found.object_id,
    CAST(found.score AS INTEGER) AS score,
    documents.title,
    COALESCE(
        substr(documents.content, greatest(1, CAST(found.place AS BIGINT) - 40), 160),
        left(COALESCE(documents.description, documents.content, ''), 160)
    ) AS excerpt,
    COALESCE(held.channels, 0) AS channels
FROM found
JOIN documents USING (object_id)
LEFT JOIN held USING (object_id)
ORDER BY score DESC, channels DESC, documents.created_at DESC NULLS LAST, found.object_id
