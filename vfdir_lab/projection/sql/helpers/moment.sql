-- helper: moment(value)
/* The time that a field gives, NULL where it gives none. DuckDB also reads 'infinity' and the year 12026, which
   a person's calendar, Python and other engines cannot hold: not a time either. */
CASE
    WHEN TRY_CAST((:value) ->> '$' AS TIMESTAMPTZ) BETWEEN TIMESTAMPTZ '0001-01-01 00:00:00+00'
    AND TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'
        THEN TRY_CAST((:value) ->> '$' AS TIMESTAMPTZ)
END
