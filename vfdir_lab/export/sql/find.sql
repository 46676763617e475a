-- A channel by number or slug.
SELECT * FROM channels WHERE slug = $name OR object_id = $name ORDER BY object_id
