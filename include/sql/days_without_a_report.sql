-- Which of a practice's days between two have orders that fell due, and no report?
-- :practice_id  the practice
-- :first_day    the first day
-- :last_day     the last day
-- columns: business_day, orders
SELECT
    counted.business_day,
    counted.orders
FROM (
    SELECT
        business_day,
        COUNT(*) AS orders
    FROM orders
    WHERE
        practice_id = :practice_id
        AND business_day BETWEEN :first_day AND :last_day
        AND public_status <> 'Disabled'
    GROUP BY business_day
) AS counted
WHERE
    NOT EXISTS (
        SELECT 1
        FROM reconciliation_reports
        WHERE
            reconciliation_reports.practice_id = :practice_id
            AND reconciliation_reports.first_day <= counted.business_day
            AND reconciliation_reports.last_day >= counted.business_day
    )
ORDER BY counted.business_day
