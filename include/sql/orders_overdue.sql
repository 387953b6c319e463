-- Which orders of a practice are due and not posted, the one that waits longest first, and since when are they due?
-- :practice_id     the practice
-- :overdue_before  an instant 20 minutes ago
-- columns: order_id, number, state, due_since
SELECT
    orders.id AS order_id,
    orders.number,
    orders.state,
    COALESCE(MAX(order_history.at), orders.changed_at) AS due_since
FROM orders
LEFT JOIN order_history
    ON
        orders.id = order_history.order_id
        AND order_history.to_state = 'received'
WHERE
    orders.practice_id = :practice_id
    AND orders.public_status <> 'Synced'
    AND orders.public_status = 'Waiting for Sync'
    AND orders.state IN ('received', 'creating', 'matched', 'intent')
GROUP BY
    orders.id,
    orders.number,
    orders.state,
    orders.changed_at
HAVING COALESCE(MAX(order_history.at), orders.changed_at) < :overdue_before
ORDER BY
    COALESCE(MAX(order_history.at), orders.changed_at),
    orders.id
