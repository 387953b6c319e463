-- Which orders of a practice are not due yet because of the store (on hold, not paid, under review), and how old is the oldest?
-- :practice_id  the practice
-- columns: reason, orders, oldest_placed_at
SELECT
    reason,
    COUNT(*) AS orders,
    MIN(placed_at) AS oldest_placed_at
FROM orders
WHERE
    practice_id = :practice_id
    AND public_status <> 'Synced'
    AND public_status = 'Waiting for Sync'
    AND state = 'waiting'
GROUP BY reason
ORDER BY
    MIN(placed_at),
    reason
