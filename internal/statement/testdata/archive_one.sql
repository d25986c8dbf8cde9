backfill_deleted AS (DELETE FROM "public"."users"
WHERE "id" = $1::bigint
  AND CASE WHEN seen < now() - $2::interval THEN true END
RETURNING "id" AS k1, "email" AS o1, "email_normalized" AS o2, "plan" AS o3, "seen" AS o4, "shout" AS g5),
backfill_archived AS (INSERT INTO "Sales Dept"."filed" ("email", "id", "email_normalized", "plan", "shout", "seen") OVERRIDING SYSTEM VALUE
SELECT o1, k1, o2, o3, g5, o4 FROM backfill_deleted RETURNING 1),
backfill_changed AS MATERIALIZED (SELECT * FROM backfill_deleted
WHERE (SELECT backfill.whole($3::text, $4::text[]) AND backfill.archived((SELECT count(*) FROM backfill_deleted), (SELECT count(*) FROM backfill_archived))));
-- ["10" "90 days" "\"public\".\"users\"" ["id" "email" "email_normalized" "plan" "seen"]]
