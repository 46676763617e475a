-- helper: agent(value)
/* The object id of a user or group that a field refers to: {"id": 9, "type": "User"} is user:9. */
CASE WHEN ((:value) ->> '$.type') = 'Group' THEN 'group:' ELSE 'user:' END || ((:value) ->> '$.id')
