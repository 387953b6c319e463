-- How many statuses has a practice's store not been told yet, and since when is the oldest one due?
-- :practice_id  the practice
-- columns: statuses, oldest_created_at
SELECT
    COUNT(*) AS statuses,
    MIN(created_at) AS oldest_created_at
FROM status_outbox
WHERE
    practice_id = :practice_id
    AND sent_at IS NULL
