-- How many cases of a practice wait for a person, by age, and how much money is in them?
-- :practice_id  the practice
-- :day_ago      an instant a day ago
-- :week_ago     an instant seven days ago
-- :month_ago    an instant thirty days ago
-- columns: cases, amount_cents, older_than_a_day, older_than_a_week, older_than_a_month, oldest_opened_at
SELECT
    COUNT(*) AS cases,
    COALESCE(SUM(ABS(amount_cents)), 0) AS amount_cents,
    COALESCE(SUM(CASE WHEN opened_at < :day_ago THEN 1 ELSE 0 END), 0) AS older_than_a_day,
    COALESCE(SUM(CASE WHEN opened_at < :week_ago THEN 1 ELSE 0 END), 0) AS older_than_a_week,
    COALESCE(SUM(CASE WHEN opened_at < :month_ago THEN 1 ELSE 0 END), 0) AS older_than_a_month,
    MIN(opened_at) AS oldest_opened_at
FROM manual_resolution_queue
WHERE
    practice_id = :practice_id
    AND state IN ('open', 'assigned', 'waiting')
