-- How many payments of a practice's orders stand in Nextech as far as we know, and how much is that?
-- :practice_id  the practice
-- columns: payments, amount_cents
SELECT
    COUNT(*) AS payments,
    COALESCE(SUM(payments.amount_cents), 0) AS amount_cents
FROM payments
INNER JOIN orders ON payments.order_id = orders.id
WHERE
    orders.practice_id = :practice_id
    AND orders.state = 'confirmed'
