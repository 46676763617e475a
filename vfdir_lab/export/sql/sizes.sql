-- How much is in each of the exported.
SELECT channel, count(*) AS items, count(*) FILTER (WHERE item LIKE 'channel:%') AS channels
FROM inside
GROUP BY channel
ORDER BY channel
