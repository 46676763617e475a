-- vfdir_json(json STRING, path STRING)
/* What stands at a path of a JSON text, as JSON; NULL where nothing does. */
vfdir_json_spelled(
    schema_of_variant(variant_get(parse_json(json), path, 'variant')),
    to_json(variant_get(parse_json(json), path, 'variant')),
    get_json_object(json, path)
)
