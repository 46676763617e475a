-- vfdir_truth(text STRING) RETURNS BOOLEAN
/* What a text says of yes or no, NULL where it says neither. */
CASE
    WHEN lower(text) IN ('true', 't', 'yes', 'y', '1') THEN TRUE
    WHEN lower(text) IN ('false', 'f', 'no', 'n', '0') THEN FALSE
END
