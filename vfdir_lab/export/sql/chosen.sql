-- Every channel that was read.
SELECT * FROM channels WHERE object_id IN (SELECT channel FROM scans) ORDER BY lower(title), object_id
