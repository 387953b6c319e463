-- The same joins and the same classes as the product's, for the kinds of mishap that the generated month has.
WITH names AS (
    SELECT number, min(entity_id) AS entity_id FROM orders GROUP BY number HAVING count(*) = 1
),
linked AS (
    SELECT
        e.*,
        coalesce(by_id.entity_id, by_marker.entity_id, by_number.entity_id) AS entity_id,
        by_id.entity_id IS NOT NULL OR e.marker IS NOT NULL OR e.is_our_category AS is_ours
    FROM entries AS e
    LEFT JOIN ledger AS by_id ON by_id.payment_id = e.payment_id
    LEFT JOIN orders AS by_marker ON by_marker.marker = e.marker
    LEFT JOIN names AS by_number ON e.marker IS NULL AND e.is_our_category AND by_number.number = e.number
),
counted AS (
    SELECT l.*, o.entity_id IS NOT NULL AND l.patient_id IS NOT NULL AS is_compared, o.expected_cents,
        k.patient_id AS decided
    FROM linked AS l
    LEFT JOIN orders AS o ON o.entity_id = l.entity_id
    LEFT JOIN ledger AS k ON k.entity_id = l.entity_id
    WHERE l.is_ours AND l.status = 'active'
),
paid AS (
    SELECT
        entity_id,
        sum(amount_cents) AS paid_cents,
        sum(CASE WHEN paid_day BETWEEN $first AND $last THEN amount_cents ELSE 0 END) AS paid_cents_in,
        count(*) FILTER (WHERE paid_day BETWEEN $first AND $last) AS paid_count_in,
        count(*) AS paid_count,
        count(*) FILTER (WHERE amount_cents = expected_cents) AS equal_count,
        count(*) FILTER (WHERE patient_id <> decided) AS elsewhere_count,
        min(paid_day) AS paid_day,
        string_agg(payment_id, ' ' ORDER BY payment_id) AS payment_ids
    FROM counted
    WHERE is_compared AND amount_cents > 0
    GROUP BY entity_id
),
back AS (
    SELECT
        entity_id,
        -sum(amount_cents) AS back_cents,
        -sum(CASE WHEN paid_day BETWEEN $first AND $last THEN amount_cents ELSE 0 END) AS back_cents_in
    FROM counted
    WHERE is_compared AND amount_cents < 0
    GROUP BY entity_id
),
voids AS (
    SELECT entity_id, sum(amount_cents) AS void_cents
    FROM linked
    WHERE is_ours AND status <> 'active' AND amount_cents > 0
    GROUP BY entity_id
),
returned AS (
    SELECT
        entity_id,
        sum(gateway_cents) AS memo_cents,
        sum(CASE WHEN created_day BETWEEN $first AND $last THEN gateway_cents ELSE 0 END) AS memo_cents_in
    FROM memos
    GROUP BY entity_id
),
weighed AS (
    SELECT
        o.*,
        o.placed_day BETWEEN $first AND $last AS is_placed_in,
        coalesce(p.paid_cents, 0) AS paid_cents,
        coalesce(p.paid_cents_in, 0) AS paid_cents_in,
        coalesce(p.paid_count_in, 0) AS paid_count_in,
        coalesce(p.paid_count, 0) AS paid_count,
        coalesce(p.equal_count, 0) AS equal_count,
        coalesce(p.elsewhere_count, 0) AS elsewhere_count,
        p.paid_day, p.payment_ids,
        coalesce(v.void_cents, 0) AS void_cents,
        coalesce(b.back_cents, 0) AS back_cents,
        coalesce(b.back_cents_in, 0) AS back_cents_in,
        coalesce(r.memo_cents, 0) AS memo_cents,
        coalesce(r.memo_cents_in, 0) AS memo_cents_in,
        k.state, k.public_status, k.is_patient_known, k.due_since, k.posted_at, k.entity_id IS NOT NULL AS is_known
    FROM orders AS o
    LEFT JOIN paid AS p ON p.entity_id = o.entity_id
    LEFT JOIN back AS b ON b.entity_id = o.entity_id
    LEFT JOIN voids AS v ON v.entity_id = o.entity_id
    LEFT JOIN returned AS r ON r.entity_id = o.entity_id
    LEFT JOIN ledger AS k ON k.entity_id = o.entity_id
),
classified AS (
    SELECT
        *,
        CASE
            WHEN equal_count > 1 THEN 'duplicate_posting'
            WHEN paid_count > 0 AND paid_cents = expected_cents AND elsewhere_count > 0
                THEN CASE WHEN is_patient_known THEN 'wrong_patient' ELSE 'patient_merged' END
            WHEN paid_count = 0 AND expected_cents > 0
                AND (state = 'closed_voided' OR (state = 'confirmed' AND void_cents > 0))
                THEN CASE WHEN memo_cents >= expected_cents AND back_cents = 0 THEN 'voided_as_refund' ELSE 'voided' END
            WHEN paid_count > 0 AND (eligibility = 'inactive' OR expected_cents = 0
                OR (eligibility = 'nothing' AND reason = 'cancelled')
                OR (is_held AND NOT coalesce(due_since <= posted_at, FALSE))) THEN 'posted_but_not_due'
            WHEN paid_count > 1 AND paid_cents = expected_cents THEN 'split'
            WHEN paid_count > 1 AND paid_cents < expected_cents THEN 'split_incomplete'
            WHEN paid_count > 0 AND paid_cents > expected_cents THEN 'over'
            WHEN paid_count > 0 AND paid_cents < expected_cents THEN 'short'
            WHEN paid_count > 0 AND is_placed_in <> (paid_day BETWEEN $first AND $last) THEN 'cutoff'
            WHEN paid_count > 0 AND placed_day <> paid_day THEN 'date_shifted'
            WHEN paid_count > 0 THEN 'matched'
            WHEN (eligibility = 'waits' AND expected_cents = 0)
                OR (eligibility = 'nothing' AND reason IN ('cancelled', 'refunded_before_posting')) THEN 'not_due'
            WHEN eligibility = 'waits' AND is_partly_paid THEN 'partly_paid'
            WHEN eligibility = 'nothing' AND expected_cents = 0 THEN 'nothing_to_post'
            WHEN eligibility = 'inactive' THEN 'disabled'
            WHEN eligibility = 'waits' THEN 'on_hold'
            WHEN expected_cents = 0 AND public_status IS DISTINCT FROM 'Not Synced' THEN 'not_due'
            WHEN NOT is_known AND placed_at + INTERVAL 20 MINUTE < $as_of THEN 'never_seen'
            WHEN public_status = 'Disabled' THEN 'disabled'
            WHEN (NOT is_known OR public_status = 'Waiting for Sync')
                AND coalesce(due_since, placed_at) + INTERVAL 20 MINUTE >= $as_of THEN 'in_flight'
            WHEN NOT is_known OR public_status = 'Waiting for Sync' THEN 'overdue'
            WHEN public_status = 'Synced' THEN 'lost_posting'
            ELSE 'needs_a_person'
        END AS class_
    FROM weighed
),
settled AS (
    SELECT *, class_ IN ('not_due', 'disabled', 'voided_as_refund') AND back_cents = 0 AS is_settled FROM classified
)
SELECT
    'entry:' || payment_id AS subject,
    CASE
        WHEN patient_id IS NULL THEN 'unattached'
        WHEN number IN (SELECT number FROM absent) THEN 'orphan'
        ELSE 'unlinked'
    END AS class_,
    payment_id AS payment_ids, 0 AS store_cents, amount_cents AS nextech_cents, -amount_cents AS explains_cents
FROM counted
WHERE NOT is_compared AND paid_day BETWEEN $first AND $last
UNION ALL
SELECT
    'order:' || entity_id, class_, payment_ids,
    CASE WHEN is_placed_in THEN expected_cents ELSE 0 END - CASE WHEN is_settled THEN memo_cents_in ELSE 0 END,
    paid_cents_in,
    CASE WHEN is_placed_in THEN expected_cents ELSE 0 END - CASE WHEN is_settled THEN memo_cents_in ELSE 0 END - paid_cents_in
FROM settled
WHERE is_placed_in OR paid_count_in > 0 OR (is_settled AND memo_cents_in > 0)
UNION ALL
SELECT
    'order:' || entity_id,
    CASE
        WHEN memo_cents > 0 AND back_cents = 0 THEN 'refund_to_record'
        WHEN back_cents > 0 AND back_cents < memo_cents THEN 'refund_partly_recorded'
        WHEN back_cents > memo_cents THEN 'refund_over_recorded'
        WHEN memo_cents_in <> back_cents_in THEN 'refund_cutoff'
        ELSE 'refund_recorded'
    END,
    NULL, -memo_cents_in, -back_cents_in, back_cents_in - memo_cents_in
FROM settled
WHERE NOT is_settled AND (memo_cents_in > 0 OR back_cents_in > 0)
ORDER BY subject, class_
