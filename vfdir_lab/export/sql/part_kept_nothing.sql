-- The same, where the lens knows of no copies.
kept AS (
    SELECT
        CAST(NULL AS VARCHAR) AS url,
        CAST(NULL AS STRUCT(sha256 VARCHAR, content_type VARCHAR)) AS copy
    WHERE FALSE
)
