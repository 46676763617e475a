-- vfdir_json_merged(json STRING, patch STRING)
/* A JSON object with a patch over it (RFC 7396), in DuckDB's order: what the patch does not name as it stood, then
   what the patch says. Values of the patch are plain (text, number, truth, null): an object among them, or a
   number deep within a value that the engines spell differently, ends the query with an error. */
CASE
    WHEN json IS NULL OR patch IS NULL THEN NULL
    ELSE '{' || array_join(
        transform(
            concat(
                transform(
                    filter(json_object_keys(json), name -> NOT array_contains(json_object_keys(patch), name)),
                    name -> struct(
                        name AS name, element_at(CAST(parse_json(json) AS MAP<STRING, VARIANT>), name) AS value
                    )
                ),
                transform(
                    filter(
                        json_object_keys(patch),
                        name -> NOT is_variant_null(
                            element_at(CAST(parse_json(patch) AS MAP<STRING, VARIANT>), name)
                        )
                    ),
                    name -> struct(
                        name AS name, element_at(CAST(parse_json(patch) AS MAP<STRING, VARIANT>), name) AS value
                    )
                )
            ),
            one -> to_json(CAST(one.name AS VARIANT)) || ':' || CASE
                WHEN schema_of_variant(one.value) RLIKE '^(?:OBJECT|ARRAY).*(?:,0\\)|VARIANT|DOUBLE)'
                    OR schema_of_variant(one.value) = 'DOUBLE'
                    OR (
                        schema_of_variant(one.value) LIKE 'OBJECT%'
                        AND array_contains(json_object_keys(patch), one.name)
                    )
                    THEN raise_error('VFDIR a nested value in a patch of JSON, at ' || one.name)
                WHEN
                    schema_of_variant(one.value) LIKE 'DECIMAL%'
                    AND to_json(one.value) RLIKE '^-?[0-9]{1,16}$'
                    THEN to_json(one.value) || '.0'
                ELSE to_json(one.value)
            END
        ),
        ','
    ) || '}'
END
