-- vfdir_instant(text STRING) RETURNS TIMESTAMP
/* The time that a text gives, NULL where it gives none: a date, with or without a time of day, with or without a
   distance from UTC, as DuckDB reads it. Not read here, though DuckDB does: zones by name, `epoch`, `infinity`,
   and years before 1 or after 9999. */
CASE
    WHEN vfdir_instant_part(text, 1) <> ''
        THEN try_cast(
            lpad(vfdir_instant_part(text, 1), 4, '0') || '-' || vfdir_instant_part(text, 3) || '-'
            || vfdir_instant_part(text, 4) || ' '
            || CASE vfdir_instant_part(text, 5)
                WHEN '' THEN '0'
                WHEN '24'
                    THEN CASE
                        WHEN
                            vfdir_instant_part(text, 6) || vfdir_instant_part(text, 7) || vfdir_instant_part(text, 8)
                            RLIKE '^0+$'
                            THEN '0'
                        ELSE '25'
                    END
                ELSE vfdir_instant_part(text, 5)
            END || ':'
            || coalesce(nullif(vfdir_instant_part(text, 6), ''), '0') || ':'
            || coalesce(nullif(vfdir_instant_part(text, 7), ''), '0') || '.'
            || rpad(substring(vfdir_instant_part(text, 8), 1, 6), 6, '0') || 'Z'
            AS TIMESTAMP
        )
        + make_dt_interval(CASE vfdir_instant_part(text, 5) WHEN '24' THEN 1 ELSE 0 END, 0, 0, 0)
        - CASE vfdir_instant_part(text, 9) WHEN '-' THEN -1 ELSE 1 END * make_dt_interval(
            0,
            CAST(coalesce(nullif(vfdir_instant_part(text, 10), ''), '0') AS INT),
            CAST(coalesce(nullif(vfdir_instant_part(text, 11), ''), '0') AS INT),
            CAST(coalesce(nullif(vfdir_instant_part(text, 12), ''), '0') AS DECIMAL(18, 6))
        )
END
