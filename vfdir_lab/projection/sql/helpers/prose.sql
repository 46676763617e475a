-- helper: prose(value)
/* The text of a field that are.na gives as {markdown, html, plain}, or as bare text on older records. */
CASE WHEN json_type(:value) = 'VARCHAR' THEN (:value) ->> '$' ELSE (:value) ->> '$.markdown' END
