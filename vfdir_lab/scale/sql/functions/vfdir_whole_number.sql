-- vfdir_whole_number(text STRING) RETURNS BIGINT
/* The whole number that a text gives, NULL where it gives none; halves go away from zero, as DuckDB has it. */
CASE
    WHEN text RLIKE '^[ \\t\\n\\x0B\\f\\r]*[+-]?[0-9]+[ \\t\\n\\x0B\\f\\r]*\\z'
        THEN try_cast(regexp_replace(text, '[^0-9-]', '') AS BIGINT)
    WHEN text RLIKE '^[ \\t\\n\\x0B\\f\\r]*0[xX][0-9a-fA-F]{1,16}[ \\t\\n\\x0B\\f\\r]*\\z'
        THEN try_cast(conv(regexp_extract(text, '0[xX]([0-9a-fA-F]+)', 1), 16, 10) AS BIGINT)
    WHEN text RLIKE '^[ \\t\\n\\x0B\\f\\r]*0[bB][01]{1,64}[ \\t\\n\\x0B\\f\\r]*\\z'
        THEN try_cast(conv(regexp_extract(text, '0[bB]([01]+)', 1), 2, 10) AS BIGINT)
    WHEN text RLIKE '^[ \\t\\n\\x0B\\f\\r]*[+-]?(?:[0-9]+(?:_[0-9]+)*\\.?(?:[0-9]+(?:_[0-9]+)*)?|\\.[0-9]+(?:_[0-9]+)*)(?:[eE][+-]?[0-9]+)?[ \\t\\n\\x0B\\f\\r]*\\z'
        THEN try_cast(
            round(try_cast(regexp_replace(text, '[ \\t\\n\\x0B\\f\\r_]', '') AS DECIMAL(38, 18))) AS BIGINT
        )
END
