-- When did a whole run of a practice last go through, how far is its store read, and how many postings in a row are unclear?
-- :practice_id  the practice
-- columns: synced_at, watermark, unknown_in_a_row
SELECT
    synced_at,
    watermark,
    unknown_in_a_row
FROM practice_progress
WHERE practice_id = :practice_id
