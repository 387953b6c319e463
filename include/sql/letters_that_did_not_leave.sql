-- Which letters of the last days has no mail server taken over, and none since for the same report and address?
-- :since  letters that are older than this instant are left out
-- columns: practice_id, report_id, kind, state, created_at, last_error
SELECT
    letters.practice_id,
    reconciliation_reports.report_id,
    letters.kind,
    letters.state,
    letters.created_at,
    letters.last_error
FROM report_deliveries AS letters
LEFT JOIN reconciliation_reports ON letters.report_id = reconciliation_reports.id
WHERE
    letters.state <> 'accepted'
    AND letters.created_at >= :since
    AND NOT EXISTS (
        SELECT 1
        FROM report_deliveries AS later
        WHERE
            later.practice_id = letters.practice_id
            AND later.recipient = letters.recipient
            AND later.kind = letters.kind
            AND COALESCE(later.report_id, 0) = COALESCE(letters.report_id, 0)
            AND later.state = 'accepted'
            AND later.id > letters.id
    )
ORDER BY letters.id
