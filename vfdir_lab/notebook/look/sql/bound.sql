-- The are.na ids of what was born on a device.
SELECT object_id, remote FROM bindings
