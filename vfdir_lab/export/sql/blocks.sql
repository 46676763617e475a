-- The blocks of the exported, each once.
SELECT *
FROM blocks
WHERE object_id IN (SELECT item FROM inside)
ORDER BY remote_id, object_id
