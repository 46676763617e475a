-- vfdir_json_text(json STRING, path STRING)
/* What stands at a path of a JSON text, as text: a string without its quotes, NULL for JSON null and for what is
   not there, all else as `vfdir_json` has it. */
CASE
    WHEN get_json_object(json, path) = 'null' AND trim(json) = 'null' THEN NULL
    WHEN get_json_object(json, path) RLIKE '^(?:[{\\[]|-?[0-9]+(?:\\.|E))'
        AND schema_of_variant(variant_get(parse_json(json), path, 'variant')) <> 'STRING'
        THEN vfdir_json(json, path)
    ELSE get_json_object(json, path)
END
