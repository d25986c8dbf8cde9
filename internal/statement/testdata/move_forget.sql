backfill_found AS (DELETE FROM "public"."users"
WHERE "id" <= $1::bigint
  AND CASE WHEN seen < $2::timestamptz THEN true END
RETURNING 1, (id) AS backfill_n1, (lower(email)) AS backfill_n2, (plan) AS backfill_n3),
backfill_written AS (INSERT INTO "archive"."users" ("id", "email", "plan", "source")
SELECT backfill_n1, backfill_n2, backfill_n3, ('users')
FROM backfill_found
RETURNING 1),
backfill_moved AS (SELECT 1 FROM backfill_written),
backfill_changed AS (SELECT 1 FROM backfill_moved UNION ALL SELECT 1 WHERE NOT backfill.moved(
  (SELECT count(*) FROM backfill_found), (SELECT count(*) FROM backfill_moved)));
-- ["20" "2024-01-01"]
