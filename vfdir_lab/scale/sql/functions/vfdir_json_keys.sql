-- vfdir_json_keys(json STRING) RETURNS ARRAY<STRING>
/* The names in a JSON object, in its order; none where it is no object. */
CASE WHEN json IS NOT NULL THEN coalesce(json_object_keys(json), CAST(array() AS ARRAY<STRING>)) END
