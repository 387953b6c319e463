-- Which cases of a practice wait for a person, oldest first?
-- :practice_id  the practice
-- columns: order_number, amount_cents, sentence, next_step
SELECT
    order_number,
    amount_cents,
    sentence,
    next_step
FROM manual_resolution_queue
WHERE
    practice_id = :practice_id
    AND state IN ('open', 'assigned', 'waiting')
ORDER BY
    opened_at,
    id
