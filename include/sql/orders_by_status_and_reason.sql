-- How many orders of a practice have which status, for which reason, and how much money is in them?
-- :practice_id  the practice
-- columns: public_status, reason, orders, amount_cents
SELECT
    public_status,
    reason,
    COUNT(*) AS orders,
    COALESCE(SUM(amount_cents), 0) AS amount_cents
FROM orders
WHERE practice_id = :practice_id
GROUP BY
    public_status,
    reason
ORDER BY
    public_status,
    reason
