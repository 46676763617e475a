-- The channels of which something is known to be in them, by title: a room whose items are channels.
WITH held AS (
    SELECT channel, count(*) AS items FROM connections WHERE position IS NOT NULL GROUP BY channel
)
SELECT
    row_number() OVER (ORDER BY lower(channels.title) NULLS LAST, channels.object_id) AS nth,
    CAST(NULL AS VARCHAR) AS connection,
    channels.object_id AS item,
    CAST(NULL AS BIGINT) AS position,
    'Channel' AS sort,
    channels.title,
    channels.description,
    CAST(NULL AS VARCHAR) AS content,
    CAST(NULL AS VARCHAR) AS filename,
    CAST(NULL AS VARCHAR) AS source_title,
    CAST(NULL AS VARCHAR) AS source_url,
    channels.visibility,
    COALESCE(held.items, channels.length) AS length,
    channels.created_at AS since,
    FALSE AS is_gone,
    CAST(NULL AS TIMESTAMPTZ) AS gone_at,
    channels.pending AS is_mine,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS BIGINT) AS size
FROM channels
JOIN held ON held.channel = channels.object_id
ORDER BY nth
