-- How many differences of a practice are not settled, by class and age, and how much money is in them?
-- :practice_id  the practice
-- :week_ago     an instant seven days ago
-- :month_ago    an instant thirty days ago
-- columns: class, differences, amount_cents, older_than_a_week, older_than_a_month
SELECT
    class,
    COUNT(*) AS differences,
    SUM(ABS(amount_cents)) AS amount_cents,
    SUM(CASE WHEN COALESCE(since, opened_at) < :week_ago THEN 1 ELSE 0 END) AS older_than_a_week,
    SUM(CASE WHEN COALESCE(since, opened_at) < :month_ago THEN 1 ELSE 0 END) AS older_than_a_month
FROM reconciliation_differences
WHERE
    practice_id = :practice_id
    AND state <> 'resolved'
GROUP BY class
ORDER BY
    SUM(ABS(amount_cents)) DESC,
    class
