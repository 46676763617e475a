-- vfdir_json_type(json STRING)
/* What sort of value a JSON text is, in DuckDB's words. */
CASE
    WHEN json IS NULL THEN NULL
    WHEN json LIKE '"%' THEN 'VARCHAR'
    WHEN json LIKE '{%' THEN 'OBJECT'
    WHEN json LIKE '[%' THEN 'ARRAY'
    WHEN json IN ('true', 'false') THEN 'BOOLEAN'
    WHEN json = 'null' THEN 'NULL'
    WHEN
        json RLIKE '[.eE]'
        OR coalesce(
            try_cast(json AS DECIMAL(38, 0)) NOT BETWEEN -9223372036854775808 AND 18446744073709551615, TRUE
        )
        THEN 'DOUBLE'
    WHEN json LIKE '-%' THEN 'BIGINT'
    ELSE 'UBIGINT'
END
