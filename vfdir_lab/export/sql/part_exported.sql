-- The channels that leave.
exported AS (SELECT unnest(CAST($channels AS VARCHAR[])) AS channel)
