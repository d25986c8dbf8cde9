backfill_changed AS (DELETE FROM "public"."users"
WHERE "id" = $1::bigint
  AND CASE WHEN seen < now() - $2::interval THEN true END
RETURNING "id" AS k1, "email" AS o1, "email_normalized" AS o2, "plan" AS o3, "seen" AS o4);
-- ["10" "90 days"]
