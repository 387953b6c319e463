-- Of which orders of a practice is it not known whether their payment was booked, and since when?
-- In no order: to ask for one costs SQLite its index.
-- :practice_id  the practice
-- columns: order_id, number, state, changed_at
SELECT
    id AS order_id,
    number,
    state,
    changed_at
FROM orders
WHERE
    practice_id = :practice_id
    AND state = 'unknown'
UNION ALL
SELECT
    id AS order_id,
    number,
    state,
    changed_at
FROM orders
WHERE
    practice_id = :practice_id
    AND reason IN ('outcome_unknown', 'cannot_verify')
    AND state = 'queued'
