-- The are.na ids of what was born on a device, by the local id it had before.
SELECT object_id, remote FROM bindings ORDER BY object_id
