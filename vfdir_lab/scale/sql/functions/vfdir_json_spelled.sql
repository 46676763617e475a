-- vfdir_json_spelled(sort STRING, typed STRING, loose STRING)
/* A value in JSON as DuckDB spells it, of what a VARIANT says of it (its `sort` and the `typed` text) and what
   `get_json_object` says (the `loose` text, without quotes). Java writes 12345678.5 as 1.23456785E7, and a VARIANT
   writes 1.0 as 1 (of the sort DECIMAL(1,0), where a whole number is BIGINT, or has more digits than a float).
   So each is believed where it is right; where neither is, the query ends with an error. */
CASE
    WHEN sort IN ('STRING', 'BOOLEAN', 'VOID', 'BIGINT') THEN typed
    WHEN sort LIKE 'DECIMAL%' THEN typed || CASE WHEN typed RLIKE '^-?[0-9]{1,16}$' THEN '.0' ELSE '' END
    WHEN regexp_replace(loose, '"(?:[^"\\\\]|\\\\.)*"', '') NOT LIKE '%E%' THEN loose
    WHEN sort RLIKE 'DOUBLE|VARIANT|DECIMAL\\((?:[0-9]|1[0-6]),0\\)'
        THEN raise_error('VFDIR a number with an exponent within JSON')
    ELSE typed
END
