/* The newest value that was said of four fields, over the columns that `four_columns` keeps. A cleared field is a
   value: it is in a struct, since `arg_max` passes over null. */
SELECT
    object_id,
    struct_extract(arg_max({'was': title}, nth) FILTER (WHERE says.title), 'was') AS title,
    struct_extract(arg_max({'was': type}, nth) FILTER (WHERE says.type), 'was') AS type,
    struct_extract(arg_max({'was': description}, nth) FILTER (WHERE says.description), 'was') AS description,
    struct_extract(arg_max({'was': updated_at}, nth) FILTER (WHERE says.updated_at), 'was') AS updated_at
FROM four_columns
GROUP BY object_id
