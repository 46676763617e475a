-- When each channel was last read to the end, by the stamp of that scan.
SELECT payload ->> '$.channel' AS channel, max(hlc) AS hlc
FROM events
WHERE kind = 'scan.finished'
GROUP BY ALL
