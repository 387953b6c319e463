-- Of which orders of a practice is it not known whether their payment was booked, and since when?
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
    AND public_status <> 'Synced'
    AND (
        state = 'unknown'
        OR (state = 'queued' AND reason IN ('outcome_unknown', 'cannot_verify'))
    )
ORDER BY
    changed_at,
    id
