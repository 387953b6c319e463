-- Which of a practice's days between two have orders that fell due, and no report?
-- :practice_id  the practice
-- :first_day    the first day
-- :last_day     the last day
-- columns: business_day, orders
SELECT
    orders.business_day,
    COUNT(*) AS orders
FROM orders
WHERE
    orders.practice_id = :practice_id
    AND orders.business_day BETWEEN :first_day AND :last_day
    AND orders.state <> 'disabled'
    AND NOT EXISTS (
        SELECT 1
        FROM reconciliation_reports
        WHERE
            reconciliation_reports.practice_id = orders.practice_id
            AND reconciliation_reports.first_day <= orders.business_day
            AND reconciliation_reports.last_day >= orders.business_day
    )
GROUP BY orders.business_day
ORDER BY orders.business_day
