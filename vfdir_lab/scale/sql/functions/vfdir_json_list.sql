-- vfdir_json_list(json STRING) RETURNS ARRAY<STRING>
/* The members of a JSON array, as texts; none where it is no array. */
CASE WHEN ltrim(json) LIKE '[%' THEN from_json(json, 'array<string>') ELSE CAST(array() AS ARRAY<STRING>) END
