-- The channels inside some others that have been read themselves, in order.
SELECT inside.item AS channel
FROM inside
JOIN channels ON channels.object_id = inside.item
WHERE
    ($private OR channels.visibility IS DISTINCT FROM 'private')
    AND inside.item IN (SELECT channel FROM connections UNION SELECT channel FROM scans)
GROUP BY inside.item
ORDER BY min(list_position($channels, inside.channel)), min(inside.position), inside.item
