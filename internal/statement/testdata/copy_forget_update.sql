backfill_found AS MATERIALIZED (SELECT (id) AS backfill_n1, (lower(email)) AS backfill_n2, (plan) AS backfill_n3 FROM "public"."users"
WHERE "id" <= $1::bigint
  AND CASE WHEN seen < $2::timestamptz THEN true END
ORDER BY "id" FOR NO KEY UPDATE),
backfill_there AS MATERIALIZED (SELECT backfill_target."id" AS k1, backfill_target."email" AS o1, backfill_target."plan" AS o2, backfill_target."source" AS o3 FROM backfill_found
CROSS JOIN LATERAL (SELECT * FROM "archive"."users" AS backfill_target WHERE backfill_target."id" = backfill_n1::bigint OFFSET 0 FOR NO KEY UPDATE) AS backfill_target),
backfill_written AS (INSERT INTO "archive"."users" ("id", "email", "plan", "source")
SELECT backfill_n1, backfill_n2, backfill_n3, ('users')
FROM backfill_found WHERE (SELECT backfill.apart(count(*), count(DISTINCT ROW(backfill_n1::bigint))) FROM backfill_found)
ON CONFLICT ("id") DO UPDATE SET "email" = excluded."email", "plan" = excluded."plan", "source" = excluded."source"
WHERE "users"."id" IN (SELECT k1 FROM backfill_there)
  AND ROW("users"."email", "users"."plan", "users"."source")::record *<> ROW(excluded."email", excluded."plan", excluded."source")::record
RETURNING "users"."id" AS k1, "users"."email" AS n1, "users"."plan" AS n2, "users"."source" AS n3),
backfill_inserted AS (SELECT * FROM backfill_written WHERE k1 NOT IN (SELECT k1 FROM backfill_there)),
backfill_updated AS (SELECT * FROM (SELECT *, true AS backfill_a FROM backfill_written) AS a
FULL JOIN (SELECT *, true AS backfill_b FROM backfill_there) AS b USING (k1)
WHERE coalesce(backfill_a AND backfill_b, false)),
backfill_changed AS (SELECT 1 FROM backfill_written UNION ALL SELECT 1 WHERE 0 > backfill.written(
  (SELECT count(*) FROM backfill_inserted), (SELECT count(*) FROM backfill_found) - (SELECT count(*) FROM backfill_there)));
-- ["20" "2024-01-01"]
