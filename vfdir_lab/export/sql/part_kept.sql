-- The newest copy that is kept of each address.
kept AS (
    SELECT url, max_by({'sha256': sha256, 'content_type': content_type}, (saved_at, sha256)) AS copy
    FROM media
    GROUP BY url
)
