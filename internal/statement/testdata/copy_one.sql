backfill_found AS MATERIALIZED (SELECT (id) AS backfill_n1, (lower(email)) AS backfill_n2, (plan) AS backfill_n3 FROM "public"."users"
WHERE "id" = $1::bigint
  AND CASE WHEN seen < $2::timestamptz THEN true END
ORDER BY "id" FOR NO KEY UPDATE),
backfill_changed AS (INSERT INTO "archive"."users" ("id", "email", "plan", "source")
SELECT backfill_n1, backfill_n2, backfill_n3, ('users')
FROM backfill_found
RETURNING "users"."id" AS k1, "users"."id" AS n1, "users"."email" AS n2, "users"."plan" AS n3, "users"."source" AS n4, "users"."made" AS n5);
-- ["10" "2024-01-01"]
