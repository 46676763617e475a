-- helper: instant(text)
/* The time that a text gives, NULL where it gives none; `moment` is the same of a field in JSON. */
CASE
    WHEN TRY_CAST(:text AS TIMESTAMPTZ) BETWEEN TIMESTAMPTZ '0001-01-01 00:00:00+00'
    AND TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'
        THEN TRY_CAST(:text AS TIMESTAMPTZ)
END
