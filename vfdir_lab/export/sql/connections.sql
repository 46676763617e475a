-- What is in the exported, in order.
SELECT *
FROM connections
WHERE channel IN (SELECT channel FROM exported)
ORDER BY list_position($channels, channel), position
