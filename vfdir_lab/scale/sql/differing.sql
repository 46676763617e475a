/* The rows that the two engines do not have equally often, by key: a positive count is DuckDB's, a negative one
   Spark's. Both sides come from Parquet and are hashed here, by the same function over the same text. */
WITH sides AS (
    SELECT $key AS key, sha256($row) AS hash, 1 AS side FROM read_parquet($ours)
    UNION ALL
    SELECT $key AS key, sha256($row) AS hash, -1 AS side FROM read_parquet($theirs)
)
SELECT key, CAST(sum(side) AS BIGINT) AS surplus
FROM sides
GROUP BY key, hash
HAVING sum(side) <> 0
ORDER BY key, surplus DESC
