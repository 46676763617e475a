-- The connections of a channel, in order.
SELECT * FROM connections WHERE channel = $channel ORDER BY position
